//! The next due after a completion that is early, in time or late.

use super::{
    super::{Recurrence, RepeatFrom, Rule},
    starting,
    vector::{at, day},
};
use crate::domain::{due::Due, timestamp::Timestamp, zone::Zone};

/// A rule, when the series began, the due that was completed, when it was completed in
/// Berlin, and the next due.
pub struct Row(&'static str, &'static str, &'static str, &'static str, &'static str);

/// Counted from the due: missed occurrences are left out, and nothing drifts.
pub const MISSED: [Row; 14] = [
    Row("FREQ=DAILY", "2026-11-01", "2026-11-20", "2026-11-20T08:00", "2026-11-21"),
    Row("FREQ=DAILY", "2026-11-01", "2026-11-20", "2026-11-18T08:00", "2026-11-21"),
    // Today is still possible, yesterday is not.
    Row("FREQ=DAILY", "2026-11-01", "2026-11-20", "2026-11-25T23:59", "2026-11-25"),
    Row("FREQ=DAILY;INTERVAL=3", "2026-11-01", "2026-11-04", "2026-11-25T12:00", "2026-11-25"),
    Row("FREQ=DAILY;INTERVAL=3", "2026-11-01", "2026-11-04", "2026-11-26T12:00", "2026-11-28"),
    Row("FREQ=WEEKLY;BYDAY=MO,TH", "2026-11-02", "2026-11-05", "2026-11-25T12:00", "2026-11-26"),
    Row("FREQ=WEEKLY;INTERVAL=2", "2026-11-04", "2026-11-04", "2027-01-01T12:00", "2027-01-13"),
    Row("FREQ=MONTHLY", "2026-01-31", "2026-01-31", "2026-02-28T12:00", "2026-02-28"),
    Row("FREQ=MONTHLY", "2026-01-31", "2026-02-28", "2026-02-28T12:00", "2026-03-31"),
    Row("FREQ=MONTHLY", "2026-01-31", "2026-02-28", "2028-02-10T12:00", "2028-02-29"),
    Row("FREQ=YEARLY", "2024-02-29", "2024-02-29", "2026-06-01T12:00", "2027-02-28"),
    // This one was put off by hand; the series was not.
    Row("FREQ=MONTHLY", "2026-01-31", "2026-03-03", "2026-03-03T12:00", "2026-03-31"),
    Row("FREQ=DAILY;COUNT=30", "2026-11-01", "2026-11-20", "2026-11-29T12:00", "2026-11-29"),
    Row(
        "FREQ=MONTHLY;UNTIL=20260430",
        "2026-01-31",
        "2026-01-31",
        "2026-04-30T12:00",
        "2026-04-30",
    ),
];

/// Counted from the completion.
pub const VECTORS: [Row; 13] = [
    Row("FREQ=DAILY;INTERVAL=10", "2026-11-01", "2026-11-01", "2026-11-05T20:00", "2026-11-15"),
    // Early, too.
    Row("FREQ=DAILY;INTERVAL=10", "2026-11-01", "2026-11-11", "2026-11-08T20:00", "2026-11-18"),
    Row("FREQ=DAILY", "2026-11-01", "2026-11-11", "2026-11-25T00:30", "2026-11-26"),
    Row("FREQ=WEEKLY", "2026-11-02", "2026-11-02", "2026-11-25T12:00", "2026-12-02"),
    Row("FREQ=WEEKLY;INTERVAL=2", "2026-11-02", "2026-11-02", "2026-11-25T12:00", "2026-12-09"),
    Row("FREQ=WEEKLY;BYDAY=MO", "2026-11-02", "2026-11-02", "2026-11-25T12:00", "2026-11-30"),
    Row("FREQ=MONTHLY", "2026-01-05", "2026-01-05", "2026-01-31T12:00", "2026-02-28"),
    Row("FREQ=MONTHLY", "2026-01-31", "2026-02-28", "2026-03-02T12:00", "2026-04-02"),
    Row("FREQ=MONTHLY;INTERVAL=3", "2026-01-31", "2026-01-31", "2026-08-31T12:00", "2026-11-30"),
    Row("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-01-31", "2026-01-31", "2026-02-28T12:00", "2026-03-31"),
    Row("FREQ=YEARLY", "2026-03-01", "2027-03-01", "2028-02-29T12:00", "2029-02-28"),
    Row("FREQ=YEARLY", "2026-03-01", "2026-03-01", "2026-11-25T12:00", "2027-11-25"),
    Row(
        "FREQ=DAILY;INTERVAL=10;UNTIL=20261115",
        "2026-11-01",
        "2026-11-01",
        "2026-11-05T20:00",
        "2026-11-15",
    ),
];

fn berlin() -> Zone {
    Zone::parse("Europe/Berlin").unwrap()
}

fn moment(text: &str) -> Timestamp {
    Timestamp::from_micros(at(text, "Europe/Berlin").sort_key())
}

fn recurrence(rule: &str, from: RepeatFrom, start: &Due) -> Recurrence {
    starting(Rule::parse(rule).unwrap(), from, start)
}

fn check(rows: &[Row], from: RepeatFrom) {
    for Row(rule, start, due, completed, expected) in rows {
        let next = recurrence(rule, from, &Due::Date(day(start))).next(
            &Due::Date(day(due)),
            1,
            moment(completed),
            &berlin(),
        );
        assert_eq!(next, Some(Due::Date(day(expected))), "{rule} {due} {completed}");

        // Before the day's end it is also still possible at a minute before midnight.
        let late = |day: &str| at(&format!("{day}T23:59"), "Europe/Berlin");
        if !completed.ends_with("23:59") {
            let recurrence = recurrence(rule, from, &late(start));
            let next = recurrence.next(&late(due), 1, moment(completed), &Zone::UTC);
            assert_eq!(next, Some(late(expected)), "{rule} {due} {completed}");
        }
    }
}

#[test]
fn missed_slots_are_left_out_when_counted_from_the_due() {
    check(&MISSED, RepeatFrom::Due);
}

#[test]
fn the_rule_starts_again_when_counted_from_the_completion() {
    check(&VECTORS, RepeatFrom::Completion);
}

#[test]
fn a_moment_that_has_passed_today_is_missed() {
    let due = at("2026-11-20T09:00", "Europe/Berlin");
    let daily = recurrence("FREQ=DAILY", RepeatFrom::Due, &due);
    for (completed, expected) in [
        ("2026-11-25T08:59", "2026-11-25T09:00"),
        ("2026-11-25T09:00", "2026-11-26T09:00"),
        ("2026-11-25T09:01", "2026-11-26T09:00"),
    ] {
        let next = daily.next(&due, 1, moment(completed), &Zone::UTC);
        assert_eq!(next, Some(at(expected, "Europe/Berlin")), "{completed}");
    }
}

#[test]
fn the_day_of_completion_is_that_of_the_user_or_of_the_due() {
    // The 26th has begun in Berlin; it is the 25th in New York.
    let completed = moment("2026-11-26T01:00");
    let new_york = Zone::parse("America/New_York").unwrap();
    let due = Due::Date(day("2026-11-25"));
    let daily = recurrence("FREQ=DAILY", RepeatFrom::Completion, &due);
    let next = |zone| daily.next(&due, 1, completed, &zone);
    assert_eq!(next(berlin()), Some(Due::Date(day("2026-11-27"))));
    assert_eq!(next(new_york), Some(Due::Date(day("2026-11-26"))));

    let due = at("2026-11-25T09:00", "America/New_York");
    let daily = recurrence("FREQ=DAILY", RepeatFrom::Completion, &due);
    let next = daily.next(&due, 1, completed, &berlin());
    assert_eq!(next, Some(at("2026-11-26T09:00", "America/New_York")));
}

#[test]
fn the_time_of_day_outlives_a_day_that_does_not_have_it() {
    let start = at("2026-03-28T02:30", "Europe/Berlin");
    let daily = recurrence("FREQ=DAILY", RepeatFrom::Completion, &start);
    let shifted = daily.next(&start, 1, moment("2026-03-28T12:00"), &Zone::UTC).unwrap();
    assert_eq!(shifted.local().to_string(), "2026-03-29 03:30:00");
    let next = daily.next(&shifted, 2, moment("2026-03-29T12:00"), &Zone::UTC).unwrap();
    assert_eq!(next, at("2026-03-30T02:30", "Europe/Berlin"));
    assert_eq!(daily.skip(&shifted, 2), Some(next));
}

#[test]
fn a_count_is_of_slots_from_the_due_and_of_tasks_from_the_completion() {
    let start = Due::Date(day("2026-11-01"));
    let late = moment("2026-11-25T12:00");
    // The three occurrences have passed.
    let occurrences = recurrence("FREQ=DAILY;COUNT=3", RepeatFrom::Due, &start);
    assert_eq!(occurrences.next(&start, 1, late, &berlin()), None);
    assert_eq!(occurrences.skip(&Due::Date(day("2026-11-03")), 3), None);
    let tasks = recurrence("FREQ=DAILY;COUNT=3", RepeatFrom::Completion, &start);
    assert_eq!(tasks.next(&start, 2, late, &berlin()), Some(Due::Date(day("2026-11-26"))));
    assert_eq!(tasks.next(&start, 3, late, &berlin()), None);
    assert_eq!(tasks.skip(&start, 3), None);
}

#[test]
fn a_series_ends_after_its_last_day() {
    let start = Due::Date(day("2026-11-01"));
    for from in [RepeatFrom::Due, RepeatFrom::Completion] {
        let daily = recurrence("FREQ=DAILY;UNTIL=20261110", from, &start);
        assert_eq!(
            daily.next(&start, 1, moment("2026-11-10T23:00"), &berlin()).is_some(),
            from == RepeatFrom::Due
        );
        assert_eq!(daily.next(&start, 1, moment("2026-11-11T01:00"), &berlin()), None);
        assert_eq!(daily.skip(&Due::Date(day("2026-11-10")), 10), None);
    }
}
