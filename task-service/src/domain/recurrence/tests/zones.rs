//! Local times stay the same over the changes of a zone.

use super::{
    super::{Recurrence, RepeatFrom, Rule},
    starting,
    vector::{at, day},
};
use crate::domain::{due::Due, zone::Zone};

/// A rule, a zone, the first due on its walls, and the moments of the series in UTC.
pub struct Row(&'static str, &'static str, &'static str, &'static [&'static str]);

pub const VECTORS: [Row; 17] = [
    // Nine stays nine, when the clocks are put forward and when they are put back.
    Row(
        "FREQ=DAILY",
        "America/New_York",
        "2026-03-07T09:00",
        &["03-07T14:00", "03-08T13:00", "03-09T13:00"],
    ),
    Row(
        "FREQ=DAILY",
        "America/New_York",
        "2026-10-31T09:00",
        &["10-31T13:00", "11-01T14:00", "11-02T14:00"],
    ),
    Row(
        "FREQ=DAILY",
        "Europe/Berlin",
        "2026-03-28T09:00",
        &["03-28T08:00", "03-29T07:00", "03-30T07:00"],
    ),
    Row(
        "FREQ=DAILY",
        "Europe/Berlin",
        "2026-10-24T09:00",
        &["10-24T07:00", "10-25T08:00", "10-26T08:00"],
    ),
    Row(
        "FREQ=DAILY",
        "Australia/Sydney",
        "2026-04-04T09:00",
        &["04-03T22:00", "04-04T23:00", "04-05T23:00"],
    ),
    Row(
        "FREQ=DAILY",
        "Australia/Sydney",
        "2026-10-03T09:00",
        &["10-02T23:00", "10-03T22:00", "10-04T22:00"],
    ),
    // By half an hour.
    Row(
        "FREQ=DAILY",
        "Australia/Lord_Howe",
        "2026-04-04T09:00",
        &["04-03T22:00", "04-04T22:30", "04-05T22:30"],
    ),
    Row(
        "FREQ=DAILY",
        "Australia/Lord_Howe",
        "2026-10-03T09:00",
        &["10-02T22:30", "10-03T22:00", "10-04T22:00"],
    ),
    Row(
        "FREQ=MONTHLY",
        "Europe/Berlin",
        "2026-01-31T09:00",
        &["01-31T08:00", "02-28T08:00", "03-31T07:00", "04-30T07:00"],
    ),
    Row(
        "FREQ=WEEKLY;BYDAY=SU",
        "America/New_York",
        "2026-10-25T09:00",
        &["10-25T13:00", "11-01T14:00"],
    ),
    Row(
        "FREQ=MONTHLY;INTERVAL=3",
        "Asia/Kathmandu",
        "2026-01-31T09:00",
        &["01-31T03:15", "04-30T03:15", "07-31T03:15"],
    ),
    // Half past two is left out on one day: an hour later then, and half past two again.
    Row(
        "FREQ=DAILY",
        "America/New_York",
        "2026-03-07T02:30",
        &["03-07T07:30", "03-08T07:30", "03-09T06:30"],
    ),
    Row(
        "FREQ=DAILY",
        "Europe/Berlin",
        "2026-03-28T02:30",
        &["03-28T01:30", "03-29T01:30", "03-30T00:30"],
    ),
    Row(
        "FREQ=DAILY",
        "Australia/Lord_Howe",
        "2026-10-03T02:15",
        &["10-02T15:45", "10-03T15:45", "10-04T15:15"],
    ),
    // Half past one comes twice: the first one.
    Row(
        "FREQ=DAILY",
        "America/New_York",
        "2026-10-31T01:30",
        &["10-31T05:30", "11-01T05:30", "11-02T06:30"],
    ),
    Row(
        "FREQ=DAILY",
        "Europe/Berlin",
        "2026-10-24T02:30",
        &["10-24T00:30", "10-25T00:30", "10-26T01:30"],
    ),
    // Midnight is left out in Cairo.
    Row(
        "FREQ=DAILY",
        "Africa/Cairo",
        "2026-04-23T00:00",
        &["04-22T22:00", "04-23T22:00", "04-24T21:00"],
    ),
];

fn daily(due: &Due) -> Recurrence {
    starting(Rule::parse("FREQ=DAILY").unwrap(), RepeatFrom::Due, due)
}

#[test]
fn the_clock_on_the_wall_shows_the_same_each_time() {
    for Row(rule, zone, start, moments) in VECTORS {
        let mut due = at(start, zone);
        let recurrence = starting(Rule::parse(rule).unwrap(), RepeatFrom::Due, &due);
        for moment in moments {
            let expected = at(&format!("2026-{moment}"), "UTC");
            assert_eq!(due.sort_key(), expected.sort_key(), "{rule} {zone} {moment}");
            due = recurrence.skip(&due, 1).unwrap();
        }
    }
}

#[test]
fn an_end_in_utc_is_a_moment() {
    let due = at("2026-11-24T09:00", "Europe/Berlin");
    for (until, goes_on) in [("20261125T075959Z", false), ("20261125T080000Z", true)] {
        let rule = Rule::parse(&format!("FREQ=DAILY;UNTIL={until}")).unwrap();
        let recurrence = starting(rule, RepeatFrom::Due, &due);
        assert_eq!(recurrence.skip(&due, 1).is_some(), goes_on, "{until}");
    }
}

#[test]
fn an_end_on_a_day_is_that_day_where_the_due_is() {
    // Late on the 25th in Los Angeles is the 26th in UTC.
    let due = at("2026-11-24T20:00", "America/Los_Angeles");
    let rule = Rule::parse("FREQ=DAILY;UNTIL=20261125").unwrap();
    let recurrence = starting(rule, RepeatFrom::Due, &due);
    let last = recurrence.skip(&due, 1).unwrap();
    assert_eq!(last, at("2026-11-25T20:00", "America/Los_Angeles"));
    assert_eq!(recurrence.skip(&last, 2), None);
}

#[test]
fn a_day_that_a_zone_left_out_does_not_come_twice() {
    // Samoa went from the 29th to the 31st.
    let due = at("2011-12-29T09:00", "Pacific/Apia");
    let next = daily(&due).skip(&due, 1).unwrap();
    assert_eq!(next, at("2011-12-31T09:00", "Pacific/Apia"));
    assert_eq!(daily(&due).skip(&next, 2), Some(at("2012-01-01T09:00", "Pacific/Apia")));
}

#[test]
fn the_second_of_two_equal_times_is_followed_by_the_next_day() {
    let zone = Zone::parse("Europe/Berlin").unwrap();
    let first = at("2026-10-25T02:30", "Europe/Berlin");
    let second = Due::At {
        moment: crate::domain::timestamp::Timestamp::from_micros(first.sort_key() + 3_600_000_000),
        zone,
    };
    for due in [first, second] {
        assert_eq!(daily(&due).skip(&due, 1), Some(at("2026-10-26T02:30", "Europe/Berlin")));
    }
}

#[test]
fn a_day_does_not_know_of_zones() {
    let due = Due::Date(day("2026-03-28"));
    let completed = at("2026-03-29T01:30", "UTC");
    let Due::At { moment, .. } = completed else { panic!("{completed:?}") };
    // The 29th has come in Berlin, and not yet in New York; both are due on it.
    for zone in ["Europe/Berlin", "America/New_York"] {
        let zone = Zone::parse(zone).unwrap();
        let next = daily(&due).next(&due, 1, moment, &zone);
        assert_eq!(next, Some(Due::Date(day("2026-03-29"))));
    }
}
