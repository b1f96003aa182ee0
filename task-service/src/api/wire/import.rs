//! Imports on the wire.

use prost_types::Timestamp as WireTimestamp;
use proto::task::v1 as pb;
use shared::fields::{Fields, Violations};
use uuid::Uuid;

use super::{
    content::{creation, parse_content},
    schedule,
    timestamp::parse_timestamp,
};
use crate::domain::{
    import::{Imported, Report},
    task::{NewTask, Position},
};

/// The greatest occurrence, far below the limit of the column.
const MAX_OCCURRENCE: i64 = 1_000_000_000;

/// The task to import, or all its faults. The owner and the etag are ignored.
pub fn import_task(mut task: pb::Task) -> Result<Imported, Vec<(String, String)>> {
    let mut fields = Fields::default();
    let id = match task.id.as_str() {
        "" => None,
        text => fields.take("id", uuid(text)),
    };
    let mut at = |field, at: Option<WireTimestamp>| {
        at.and_then(|at| fields.take(field, parse_timestamp(at)))
    };
    let completed_at = at("completed_at", task.completed_at);
    let created_at = at("created_at", task.created_at);
    let updated_at = at("updated_at", task.updated_at);
    if created_at.zip(updated_at).is_some_and(|(created, updated)| updated < created) {
        fields.fault("updated_at", "must not be before `created_at`");
    }
    if task.deleted_at.is_some() {
        fields.fault("deleted_at", "must not be set");
    }
    let series = match (task.series_id.as_deref(), task.occurrence) {
        (None, None) => None,
        (Some(id), Some(occurrence @ 1..=MAX_OCCURRENCE)) => {
            fields.take("series_id", uuid(id)).map(|id| (id, occurrence))
        }
        _ => fields.take("occurrence", Err("must be 1 to 1000000000 and come with `series_id`")),
    };
    let start = match &task.recurrence {
        Some(rule) if !rule.start.is_empty() => {
            fields.take("recurrence.start", schedule::start(&rule.start))
        }
        _ => None,
    };
    let (completed, position) =
        (task.completed, Position::parse(std::mem::take(&mut task.position)));
    // The rule of the last task of a series has no later occurrence.
    let content = parse_content(creation(task)).and_then(|NewTask { content, request_id: _ }| {
        content.check(false)?;
        Ok(content)
    });
    let task = fields.join(content).map(|content| Imported {
        id,
        content,
        completed,
        completed_at,
        created_at,
        updated_at,
        series,
        start,
        position: position.ok(),
    });
    let pairs = |Violations(faults)| {
        faults.into_iter().map(|fault| (fault.field.into_owned(), fault.message)).collect()
    };
    fields.finish(task).map_err(pairs)
}

/// A UUID in its hyphenated form, but not nil.
fn uuid(text: &str) -> Result<Uuid, &'static str> {
    let id = Uuid::try_parse(text).ok().filter(|id| text.len() == 36 && !id.is_nil());
    id.ok_or("must be a UUID such as `018bcfe5-687b-7aaa-8bbb-0123456789ab`")
}

/// The report as a message.
pub fn import_report(report: Report) -> pb::ImportTasksResponse {
    let number = |count| i64::try_from(count).unwrap_or(i64::MAX);
    let fault = |fault: crate::domain::import::Fault| pb::ImportFault {
        line: number(fault.line),
        field: fault.field,
        message: fault.message,
    };
    pb::ImportTasksResponse {
        received: number(report.received),
        imported: number(report.imported),
        skipped: number(report.skipped),
        faulty: number(report.faulty),
        faults: report.faults.into_iter().map(fault).collect(),
        dry_run: report.dry_run,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titled() -> pb::Task {
        pb::Task { title: "a".into(), ..Default::default() }
    }

    fn faulty(task: pb::Task) -> Vec<String> {
        import_task(task).expect_err("faults").into_iter().map(|(field, _)| field).collect()
    }

    #[test]
    fn a_title_is_enough() {
        let task = import_task(titled()).expect("a task");
        assert_eq!((task.id, task.created_at, task.position), (None, None, None));
        let strange = pb::Task { position: "Not One".into(), ..titled() };
        assert_eq!(import_task(strange).expect("a task").position, None);
    }

    #[test]
    fn every_fault_is_named() {
        let at = |seconds| Some(WireTimestamp { seconds, nanos: 0 });
        let task = pb::Task {
            id: "1".into(),
            created_at: at(2),
            updated_at: at(1),
            completed_at: at(-1),
            deleted_at: at(1),
            series_id: Some("x".into()),
            due_date: Some("soon".into()),
            ..Default::default()
        };
        let all =
            ["id", "completed_at", "updated_at", "deleted_at", "occurrence", "title", "due_date"];
        assert_eq!(faulty(task), all);
        let nil = pb::Task { id: Uuid::nil().to_string(), ..titled() };
        assert_eq!(faulty(nil), ["id"]);
        let series = pb::Task { series_id: Some("x".into()), occurrence: Some(1), ..titled() };
        assert_eq!(faulty(series), ["series_id"]);
        let daily = pb::Recurrence { rule: "FREQ=DAILY".into(), ..Default::default() };
        let before = pb::Reminder { minutes_before: Some(5), at: None };
        let without_due = pb::Task { recurrence: Some(daily), reminders: vec![before], ..titled() };
        assert_eq!(faulty(without_due), ["reminders", "recurrence"]);
    }

    #[test]
    fn owner_and_etag_of_an_import_are_ignored() {
        let task = pb::Task { user_id: "\0".into(), etag: "?".into(), ..titled() };
        assert!(import_task(task).is_ok());
    }
}
