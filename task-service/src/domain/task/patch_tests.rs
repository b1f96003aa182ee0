//! Patches of a task: the changed fields and the unchanged ones.

use super::*;
use crate::domain::{
    recurrence::{RepeatFrom, Rule},
    task::{Priority, Reminder, Reminders, Tags, Title, sample},
};

fn task() -> Task {
    Task::new("alice", sample("Water the plants"), Timestamp::from_micros(1_000), 1, 0)
}

fn due_at(due: Option<&Due>) -> Task {
    let mut task = task();
    task.content.due = due.cloned();
    task
}

fn date(text: &str) -> Due {
    Due::parse_date(text).map(Due::Date).expect("a date")
}

fn instant(micros: i64, zone: &str) -> Due {
    let zone = Zone::parse(zone).expect("a zone");
    Due::At { moment: Timestamp::from_micros(micros), zone }
}

fn weekly() -> Repeat {
    let rule = Rule::parse("FREQ=WEEKLY").expect("a rule");
    Repeat { rule, from: RepeatFrom::Due, zone: Zone::UTC }
}

fn due(change: DueChange) -> TaskPatch {
    TaskPatch { due: Some(change), ..TaskPatch::default() }
}

#[test]
fn a_patch_with_equal_values_changes_nothing() {
    let before = task();
    for patch in [
        TaskPatch::default(),
        TaskPatch::completed(false),
        TaskPatch { title: Title::parse(" Water the plants").ok(), ..TaskPatch::default() },
        TaskPatch { priority: Some(Priority::Medium), ..TaskPatch::default() },
        TaskPatch { tags: Some(Tags::default()), ..TaskPatch::default() },
        TaskPatch { recurrence: Some(RuleChange::End), ..TaskPatch::default() },
        due(DueChange::NoDate),
        due(DueChange::None),
    ] {
        let mut after = before.clone();
        assert!(!after.apply(patch, Timestamp::from_micros(2_000)).expect("sound"));
        assert_eq!(after, before);
    }
}

#[test]
fn the_first_completion_counts_until_the_task_is_reopened() {
    let mut task = task();
    let mut set = |state, at| task.apply(TaskPatch::completed(state), Timestamp::from_micros(at));
    assert_eq!(set(true, 2_000), Ok(true));
    assert_eq!(set(true, 3_000), Ok(false));
    assert_eq!(set(false, 4_000), Ok(true));
    assert_eq!(set(true, 5_000), Ok(true));
    assert_eq!(task.completed_at, Some(Timestamp::from_micros(5_000)));
}

#[test]
fn a_clock_that_was_set_back_does_not_take_the_task_along() {
    let mut task = task();
    assert_eq!(task.apply(TaskPatch::completed(true), Timestamp::from_micros(10)), Ok(true));
    assert_eq!(task.updated_at, Timestamp::from_micros(1_000));
    assert_eq!(task.completed_at, Some(Timestamp::from_micros(1_000)));
}

#[test]
fn a_date_and_an_instant_take_each_others_place_and_are_cleared_apart() {
    let (day, hour) = (date("2026-11-25"), instant(7, "Europe/Berlin"));
    for (before, change, after) in [
        (None, DueChange::Set(day.clone()), Some(day.clone())),
        (Some(&day), DueChange::Set(hour.clone()), Some(hour.clone())),
        (Some(&hour), DueChange::Set(day.clone()), Some(day.clone())),
        (
            Some(&hour),
            DueChange::Instant(Timestamp::from_micros(9)),
            Some(instant(9, "Europe/Berlin")),
        ),
        (Some(&day), DueChange::Instant(Timestamp::from_micros(9)), Some(instant(9, "UTC"))),
        (Some(&hour), DueChange::NoZone, Some(instant(7, "UTC"))),
        (Some(&day), DueChange::NoZone, Some(day.clone())),
        (Some(&day), DueChange::NoInstant, Some(day.clone())),
        (Some(&hour), DueChange::NoDate, Some(hour.clone())),
        (Some(&day), DueChange::NoDate, None),
        (Some(&hour), DueChange::NoInstant, None),
        (Some(&hour), DueChange::None, None),
    ] {
        let mut task = due_at(before);
        task.apply(due(change.clone()), Timestamp::from_micros(2_000)).expect("sound");
        assert_eq!(task.content.due, after, "{before:?} {change:?}");
    }
}

#[test]
fn what_counts_from_a_due_needs_one() {
    let reminders = Reminders::new(vec![Reminder::Before(5)]).expect("one");
    let patch = TaskPatch {
        reminders: Some(reminders),
        recurrence: Some(RuleChange::Set(Box::new(weekly()))),
        ..TaskPatch::default()
    };
    let mut task = task();
    let before = task.clone();
    let faults = task.apply(patch.clone(), Timestamp::from_micros(2_000)).expect_err("no due");
    let fields: Vec<_> = faults.0.iter().map(|fault| fault.field.to_string()).collect();
    assert_eq!(fields, ["reminders", "recurrence"]);
    assert_eq!(task, before, "nothing was written");
    let whole = TaskPatch { due: Some(DueChange::Set(instant(9, "UTC"))), ..patch };
    assert_eq!(task.apply(whole, Timestamp::from_micros(2_000)), Ok(true));
    assert!(task.apply(due(DueChange::None), Timestamp::from_micros(3_000)).is_err());
    let to_a_date = due(DueChange::Set(date("2026-11-25")));
    let faults = task.apply(to_a_date, Timestamp::from_micros(3_000)).expect_err("no instant");
    assert_eq!(faults.0.len(), 1, "the rule is content with a date");
}

#[test]
fn another_rule_begins_another_series() {
    let rule = |text| Repeat { rule: Rule::parse(text).expect("a rule"), ..weekly() };
    let set = |text| TaskPatch {
        recurrence: Some(RuleChange::Set(Box::new(rule(text)))),
        ..TaskPatch::default()
    };
    let mut task = due_at(Some(&date("2026-11-25")));
    task.apply(set("FREQ=WEEKLY"), Timestamp::from_micros(2_000)).expect("sound");
    let first = task.series;
    task.apply(set("FREQ=DAILY"), Timestamp::from_micros(2_000)).expect("sound");
    assert_eq!(task.series, first, "nothing was made by the first rule");
    task.apply(TaskPatch::completed(true), Timestamp::from_micros(3_000)).expect("sound");
    let follower = task.successor(Timestamp::from_micros(3_000), 9, 0).expect("the next one");
    for mut task in [task, follower] {
        let old = task.series.expect("one of a series");
        task.apply(set("FREQ=MONTHLY"), Timestamp::from_micros(4_000)).expect("sound");
        let new = task.series.expect("one of a series");
        assert_ne!(new.id, old.id);
        assert_eq!((new.occurrence, new.continued), (1, false));
    }
}

#[test]
fn a_rule_that_leads_nowhere_is_a_fault() {
    let mut task = due_at(Some(&date("2026-11-25")));
    for (rule, sound) in [
        ("FREQ=DAILY;COUNT=1", false),
        ("FREQ=DAILY;UNTIL=20261125", false),
        ("FREQ=DAILY;UNTIL=20261126", true),
    ] {
        let rule = Rule::parse(rule).expect("a rule");
        let new = Repeat { rule, ..weekly() };
        let patch =
            TaskPatch { recurrence: Some(RuleChange::Set(Box::new(new))), ..TaskPatch::default() };
        assert_eq!(task.apply(patch, Timestamp::from_micros(2_000)).is_ok(), sound);
    }
}

#[test]
fn a_rule_counts_from_where_the_task_is_due_when_either_changes() {
    let mut task = task();
    let rule = TaskPatch {
        due: Some(DueChange::Set(date("2026-11-25"))),
        recurrence: Some(RuleChange::Set(Box::new(weekly()))),
        ..TaskPatch::default()
    };
    assert_eq!(task.apply(rule.clone(), Timestamp::from_micros(2_000)), Ok(true));
    assert_eq!(task.apply(rule.clone(), Timestamp::from_micros(3_000)), Ok(false));
    assert_eq!(task.series, Some(Series::started_by(task.id)));
    let anchor = |task: &Task| task.anchor.expect("a rule").to_string();
    assert_eq!(anchor(&task), "2026-11-25 00:00:00");
    let moved = due(DueChange::Set(date("2026-11-27")));
    assert_eq!(task.apply(moved, Timestamp::from_micros(3_000)), Ok(true));
    assert_eq!(anchor(&task), "2026-11-27 00:00:00");
    let ended = TaskPatch { recurrence: Some(RuleChange::End), ..TaskPatch::default() };
    assert_eq!(task.apply(ended, Timestamp::from_micros(4_000)), Ok(true));
    assert!(
        task.anchor.is_none() && task.content.recurrence.is_none() && task.series.is_some(),
        "it was one of a series"
    );
}
