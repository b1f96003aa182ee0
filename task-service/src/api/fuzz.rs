//! Entry points of the fuzz targets in `tests/fuzz`: the text of a client, on its way to the store.
//!
//! Compiled with `--cfg fuzzing` alone, which cargo-fuzz sets.

use chrono::NaiveDateTime;
use proto::task::v1 as pb;
use server::http::json;

use crate::{
    api::wire,
    domain::{
        due::Due,
        recurrence::{Recurrence, RepeatFrom, Rule},
        zone::Zone,
    },
    query::{
        page::PageCursor,
        sort::Sort,
        sync::{NO_EPOCH, SyncCursor},
    },
};

/// The most occurrences of a rule that are visited.
const OCCURRENCES: i64 = 50;

/// Reads a list request from a query string.
pub fn list(query: &str) {
    if let Ok(message) = json::query::<pb::ListTasksRequest>(query) {
        let _ = wire::page_request(&message);
    }
}

/// Reads a new task, and a change of one, from a JSON body.
pub fn body(text: &[u8]) {
    if let Ok(message) = json::object::<pb::CreateTaskRequest>(text) {
        let _ = wire::new_task(message);
    }
    if let Ok(message) = json::object::<pb::UpdateTaskRequest>(text) {
        let _ = wire::update(message);
    }
}

/// Reads a line of an import. A task that was read is read again as it is written.
///
/// # Panics
/// If it is not.
pub fn import_line(text: &[u8]) {
    if let Ok(task) = json::line::<pb::Task>(text) {
        let written = serde_json::to_vec(&task).unwrap_or_default();
        assert!(json::line::<pb::Task>(&written).is_ok(), "it is not read as it was written");
        let _ = wire::import_task(task);
    }
}

/// Reads a recurrence rule and visits occurrences of it, which must go forward.
///
/// # Panics
/// If they do not.
pub fn rule(text: &str) {
    let (Ok(rule), Ok(zone)) = (Rule::parse(text), Zone::parse("Europe/Berlin")) else { return };
    assert_eq!(Rule::parse(rule.as_str()).as_ref(), Ok(&rule), "it is not read as it was written");
    let anchor = NaiveDateTime::default() + chrono::TimeDelta::days(20_000);
    for from in [RepeatFrom::Due, RepeatFrom::Completion] {
        let recurrence = Recurrence { rule: rule.clone(), from, anchor };
        let mut due = Due::At { moment: zone.instant(anchor), zone: zone.clone() };
        for occurrence in 1..OCCURRENCES {
            let Some(next) = recurrence.skip(&due, occurrence) else { break };
            assert!(next.local() > due.local(), "it goes back");
            due = next;
        }
    }
}

/// Reads a cursor. One that is valid is written as it was, unless it is of version 1, whose database
/// is unknown: a sync from it is refused, so it is never written.
///
/// # Panics
/// If it is not.
pub fn cursor(token: &str) {
    let _ = PageCursor::parse(token, Sort::NEWEST, None, "alice");
    if let Ok(cursor) = SyncCursor::parse(token, "alice")
        && cursor.epoch != NO_EPOCH
    {
        assert_eq!(SyncCursor::parse(&cursor.token("alice"), "alice"), Ok(cursor));
    }
}
