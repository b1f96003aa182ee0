//! Properties of every rule.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime};
use rrule::{RRule, RRuleSet, Tz, Unvalidated};

use super::{
    super::{Recurrence, RepeatFrom, Rule, occurrences::occurrences},
    asked, rfc, starting,
    vector::{Vector, at, day, time},
};
use crate::domain::{due::Due, timestamp::Timestamp, zone::Zone};

/// A generator with a fixed seed.
struct Dice(u64);

impl Dice {
    /// One of `sides`.
    fn throw(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn pick<'a>(&mut self, among: &[&'a str]) -> &'a str {
        among[self.throw(among.len())]
    }
}

fn vectors() -> impl Iterator<Item = Vector> {
    rfc::VECTORS.into_iter().chain(asked::VECTORS)
}

/// A rule that may or may not make sense.
fn some_rule(dice: &mut Dice) -> String {
    let mut rule =
        dice.pick(&["FREQ=DAILY", "FREQ=WEEKLY", "FREQ=MONTHLY", "FREQ=YEARLY"]).to_owned();
    for part in [
        &["", "", ";INTERVAL=2", ";INTERVAL=3", ";INTERVAL=7"][..],
        &["", "", "", ";COUNT=5", ";UNTIL=20351231"],
        &["", "", ";BYMONTH=2", ";BYMONTH=1,7,12", ";BYMONTH=4,6"],
        &["", "", ";BYMONTHDAY=31", ";BYMONTHDAY=-1,1", ";BYMONTHDAY=29,-7"],
        &["", "", "", ";BYYEARDAY=1,100,-1", ";BYWEEKNO=1,-1", ";BYWEEKNO=53"],
        &["", "", ";BYDAY=MO", ";BYDAY=SA,SU", ";BYDAY=1MO,-1FR", ";BYDAY=MO,TU,WE,TH,FR"],
        &["", "", "", ";BYSETPOS=1", ";BYSETPOS=-1,2"],
        &["", "", ";WKST=SU"],
    ] {
        rule += dice.pick(part);
    }
    rule
}

/// What the `rrule` crate makes of `rule`, from its own reading of the text. It is not what
/// the service runs on: it brings a database of zones of its own, four times as large, and
/// walks to the year 10 000 for a rule that never comes true.
fn expanded(rule: &str, start: NaiveDateTime, occurrences: usize) -> Vec<NaiveDateTime> {
    let start = start.and_utc().with_timezone(&Tz::UTC);
    let rule: RRule<Unvalidated> = rule.parse().unwrap();
    let set = RRuleSet::new(start).rrule(rule.validate(start).unwrap()).limit();
    set.into_iter().take(occurrences).map(|candidate| candidate.naive_utc()).collect()
}

#[test]
fn a_walk_is_what_another_engine_makes_of_the_rule() {
    let mut dice = Dice(1);
    let mut walks = 0;
    while walks < 400 {
        let text = some_rule(&mut dice);
        let Ok(rule) = Rule::parse(&text) else { continue };
        // Weeks are chosen from as a whole here, and the other miscounts some that are
        // in two years.
        if text.contains("BYWEEKNO") || text.contains("WEEKLY") && text.contains("BYSETPOS") {
            continue;
        }
        let first = day("2026-01-01") + Days::new(dice.throw(2_000).try_into().unwrap());
        // The end of a month is done differently, too.
        let start = first.with_day(first.day().min(28)).unwrap().and_hms_opt(9, 0, 0).unwrap();
        let due = Due::At { moment: Zone::UTC.instant(start), zone: Zone::UTC };
        let recurrence = starting(rule, RepeatFrom::Due, &due);
        let selected = std::iter::successors(Some(due), |due| recurrence.skip(due, 1));
        let selected: Vec<_> = selected.skip(1).take(8).map(|due| due.local()).collect();
        // An end that the other takes for a mistake is not compared.
        if !text.contains("UNTIL") || start < time("2035-01-01T00:00") {
            let mut expected = expanded(&text.replace("20351231", "20351231T235959Z"), start, 9);
            expected.retain(|candidate| *candidate > start);
            expected.truncate(8);
            let compared = expected.iter().take_while(|candidate| candidate.year() < 2100).count();
            assert_eq!(
                selected[..compared.min(selected.len())],
                expected[..compared],
                "{text} {start}"
            );
        }
        walks += 1;
    }
}

#[test]
fn a_week_has_the_number_that_the_calendar_gives_it() {
    let (first, last) = (day("2001-01-01"), day("2099-12-31"));
    for number in [1, 2, 20, 52, 53] {
        let rule = format!("FREQ=YEARLY;BYWEEKNO={number};BYDAY=MO,TU,WE,TH,FR,SA,SU");
        let start = first.and_time(NaiveTime::MIN);
        let selected = occurrences(&Rule::parse(&rule).unwrap(), start, start)
            .map(|candidate| candidate.date());
        let days = first.iter_days().take_while(|day| *day <= last);
        let expected = days.filter(|day| day.iso_week().week() == number);
        assert!(selected.take_while(|day| *day <= last).eq(expected), "{number}");
    }
}

#[test]
fn what_is_next_is_later_and_still_possible() {
    let mut dice = Dice(2);
    for vector in vectors() {
        let rule = Rule::parse(vector.rule).unwrap();
        for start in
            [Due::Date(day(vector.start)), at(&format!("{}T02:30", vector.start), "Europe/Berlin")]
        {
            for from in [RepeatFrom::Due, RepeatFrom::Completion] {
                let recurrence = starting(rule.clone(), from, &start);
                let mut due = start.clone();
                for occurrence in 1..20 {
                    // From ten days early to two months late, at any time of day.
                    let minutes = i64::try_from(dice.throw(70 * 1_440)).unwrap() - 10 * 1_440;
                    let completed = Timestamp::from_micros(due.sort_key() + minutes * 60_000_000);
                    let next = recurrence.next(&due, occurrence, completed, &Zone::UTC);
                    let Some(next) = next else { break };
                    assert!(!next.is_overdue(completed, &Zone::UTC), "{} {due:?}", vector.rule);
                    if from == RepeatFrom::Due {
                        assert!(next.sort_key() > due.sort_key(), "{} {due:?}", vector.rule);
                    }
                    due = next;
                }
            }
        }
    }
}

#[test]
fn a_late_completion_leads_to_where_skipping_leads() {
    for vector in vectors() {
        let rule = Rule::parse(vector.rule).unwrap();
        let start = Due::Date(day(vector.start));
        let recurrence = starting(rule, RepeatFrom::Due, &start);
        for days in [1, 29, 365, 4_000] {
            let today = day(vector.start) + Days::new(days);
            let completed = Zone::UTC.day_start(today);
            let skipped = std::iter::successors(Some(start.clone()), |due| recurrence.skip(due, 1))
                .skip(1)
                .find(|due| due.local().date() >= today);
            let next = recurrence.next(&start, 1, completed, &Zone::UTC);
            assert_eq!(next, skipped, "{} {days} days late", vector.rule);
        }
    }
}

#[test]
fn any_text_is_read_or_refused() {
    let mut dice = Dice(3);
    let texts: Vec<_> = vectors().map(|vector| vector.rule).collect();
    let alphabet = "FREQ=DAILYWKSTUNTBOMH;,:-+0123456789 \n\u{e9}\u{1f4c5}";
    let letters: Vec<_> = alphabet.chars().collect();
    let mut read = 0;
    for _ in 0..4_000 {
        let mut text: Vec<_> = dice.pick(&texts).chars().collect();
        for _ in 0..=dice.throw(3) {
            let place = dice.throw(text.len());
            match dice.throw(4) {
                0 => text[place] = letters[dice.throw(letters.len())],
                1 => text.insert(place, letters[dice.throw(letters.len())]),
                2 => text.truncate(place.max(1)),
                _ => text.extend(dice.pick(&texts).chars().skip(place)),
            }
        }
        let text: String = text.into_iter().collect();
        let Ok(rule) = Rule::parse(&text) else { continue };
        assert_eq!(Rule::parse(rule.as_str()), Ok(rule.clone()), "{text}");
        let start = Due::Date(day("2028-02-29"));
        let recurrence = starting(rule, RepeatFrom::Due, &start);
        if let Some(next) = recurrence.skip(&start, 1) {
            assert!(next.sort_key() > start.sort_key(), "{text}");
        }
        read += 1;
    }
    assert!(read > 100, "{read}");
}

#[test]
fn no_walk_goes_beyond_the_last_year() {
    let mut dice = Dice(4);
    for _ in 0..1_000 {
        let Ok(rule) = Rule::parse(&some_rule(&mut dice)) else { continue };
        for start in ["1970-01-01", "2400-02-29", "9896-02-29", "9998-12-31", "9999-12-31"] {
            let start = Due::Date(day(start));
            for from in [RepeatFrom::Due, RepeatFrom::Completion] {
                let recurrence = starting(rule.clone(), from, &start);
                let next = recurrence.skip(&start, 1);
                let last = NaiveDate::from_ymd_opt(9999, 12, 31).unwrap();
                assert!(next.is_none_or(|next| next.local().date() <= last), "{}", rule.as_str());
            }
        }
    }
}

#[test]
fn a_series_is_kept_as_text() {
    let due = at("2026-01-31T09:00", "Europe/Berlin");
    let rule = Rule::parse("FREQ=MONTHLY").unwrap();
    let recurrence = starting(rule, RepeatFrom::Completion, &due);
    let json = serde_json::to_string(&recurrence).unwrap();
    assert_eq!(
        json,
        r#"{"rule":"FREQ=MONTHLY","from":"completion","anchor":"2026-01-31T09:00:00"}"#
    );
    assert_eq!(serde_json::from_str::<Recurrence>(&json).unwrap(), recurrence);
}
