//! Invalid rules, each with its precise error.

use super::super::{InvalidRule, Rule, rule::Frequency};

fn refusal(text: &str) -> InvalidRule {
    match Rule::parse(text) {
        Ok(rule) => panic!("{text} was read as {}", rule.as_str()),
        Err(why) => why,
    }
}

#[test]
fn a_rule_has_one_spelling() {
    for (text, spelled) in [
        ("FREQ=DAILY", "FREQ=DAILY"),
        ("rrule:freq=weekly;byday=we,mo", "FREQ=WEEKLY;BYDAY=MO,WE"),
        ("RRULE:INTERVAL=1;FREQ=DAILY", "FREQ=DAILY"),
        ("COUNT=010;INTERVAL=2;FREQ=DAILY", "FREQ=DAILY;INTERVAL=2;COUNT=10"),
        ("FREQ=MONTHLY;BYDAY=+1MO,-1FR,1MO", "FREQ=MONTHLY;BYDAY=-1FR,1MO"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,15,+1,15", "FREQ=MONTHLY;BYMONTHDAY=-1,1,15"),
        ("FREQ=WEEKLY;WKST=MO;UNTIL=20261231", "FREQ=WEEKLY;UNTIL=20261231"),
        (
            "FREQ=WEEKLY;WKST=SU;UNTIL=20261231t090000z",
            "FREQ=WEEKLY;UNTIL=20261231T090000Z;WKST=SU",
        ),
        (
            "BYSETPOS=1;BYDAY=MO;BYMONTHDAY=1,2,3;BYYEARDAY=1,2,3;BYWEEKNO=1;BYMONTH=1;FREQ=YEARLY",
            "FREQ=YEARLY;BYMONTH=1;BYWEEKNO=1;BYYEARDAY=1,2,3;BYMONTHDAY=1,2,3;BYDAY=MO;BYSETPOS=1",
        ),
    ] {
        let rule = Rule::parse(text).unwrap();
        assert_eq!(rule.as_str(), spelled);
        assert_eq!(Rule::parse(spelled), Ok(rule.clone()));
        let json = serde_json::to_string(&rule).unwrap();
        assert_eq!(json, format!("{spelled:?}"));
        assert_eq!(serde_json::from_str::<Rule>(&json).unwrap(), rule);
    }
}

#[test]
fn what_is_no_rule_is_refused() {
    use InvalidRule as Why;
    for (text, why) in [
        ("", Why::NotAPart(String::new())),
        ("every day", Why::NotOneLine),
        ("daily", Why::NotAPart("DAILY".to_owned())),
        ("FREQ=DAILY;", Why::NotAPart(String::new())),
        ("FREQ=DAILY;=1", Why::NotAPart("=1".to_owned())),
        ("FREQ=DAILY; COUNT=3", Why::NotOneLine),
        ("FREQ=DAILY\n", Why::NotOneLine),
        ("FREQ=DAILY\r\nRRULE:FREQ=DAILY", Why::NotOneLine),
        ("FREQ=DÄILY", Why::NotOneLine),
        ("DTSTART:20261125T090000Z", Why::NotAlone("DTSTART".to_owned())),
        ("DTSTART;TZID=Europe/Berlin:20261125T090000", Why::NotAlone("DTSTART".to_owned())),
        ("FREQ=DAILY;EXDATE=20261125", Why::NotAlone("EXDATE".to_owned())),
        ("RRULE:RRULE:FREQ=DAILY", Why::NotAlone("RRULE".to_owned())),
        ("EXRULE:FREQ=DAILY", Why::NotAlone("EXRULE".to_owned())),
        ("FREQ=DAILY;BYEASTER=1", Why::UnknownPart("BYEASTER".to_owned())),
        (
            "FREQ=DAILY;X-COLOUR-OF-THE-SKY-IN-MAY=1",
            Why::UnknownPart("X-COLOUR-OF-THE-SKY-".to_owned()),
        ),
        ("FREQ=MONTHLY;RSCALE=HEBREW", Why::UnknownPart("RSCALE".to_owned())),
        ("FREQ=DAILY;FREQ=DAILY", Why::Twice("FREQ")),
        ("FREQ=WEEKLY;BYDAY=MO;byday=TU", Why::Twice("BYDAY")),
        ("COUNT=3", Why::NoFrequency),
        ("FREQ=FORTNIGHTLY", Why::Frequency),
        ("FREQ=", Why::Frequency),
        ("FREQ=HOURLY", Why::TooOften),
        ("FREQ=MINUTELY", Why::TooOften),
        ("FREQ=SECONDLY", Why::TooOften),
        ("FREQ=DAILY;BYHOUR=9", Why::TimeOfDay("BYHOUR")),
        ("FREQ=DAILY;BYMINUTE=0", Why::TimeOfDay("BYMINUTE")),
        ("FREQ=DAILY;BYSECOND=0", Why::TimeOfDay("BYSECOND")),
        ("FREQ=DAILY;COUNT=3;UNTIL=20261231", Why::TwoEnds),
        ("FREQ=DAILY;UNTIL=20261131", Why::Until),
        ("FREQ=DAILY;UNTIL=2026-12-31", Why::Until),
        ("FREQ=DAILY;UNTIL=20261231T090000", Why::Until),
        ("FREQ=DAILY;UNTIL=20261231T250000Z", Why::Until),
        ("FREQ=DAILY;UNTIL=", Why::Until),
        ("FREQ=WEEKLY;WKST=XX", Why::WeekStart),
        ("FREQ=WEEKLY;BYDAY=MO,,TU", Why::Weekday),
        ("FREQ=WEEKLY;BYDAY=MONDAY", Why::Weekday),
        ("FREQ=MONTHLY;BYDAY=0MO", Why::Weekday),
        ("FREQ=MONTHLY;BYDAY=1", Why::Weekday),
        ("FREQ=WEEKLY;BYDAY=1MO", Why::NumberedWeekday),
        ("FREQ=DAILY;BYDAY=-1FR", Why::NumberedWeekday),
        ("FREQ=YEARLY;BYWEEKNO=20;BYDAY=1MO", Why::NumberedWeekday),
        (
            "FREQ=WEEKLY;BYMONTHDAY=1",
            Why::Unfitting { part: "BYMONTHDAY", frequency: Frequency::Weekly },
        ),
        (
            "FREQ=MONTHLY;BYYEARDAY=1",
            Why::Unfitting { part: "BYYEARDAY", frequency: Frequency::Monthly },
        ),
        ("FREQ=DAILY;BYWEEKNO=1", Why::Unfitting { part: "BYWEEKNO", frequency: Frequency::Daily }),
        ("FREQ=MONTHLY;BYSETPOS=1", Why::NothingToChoose),
    ] {
        assert_eq!(refusal(text), why, "{text}");
    }
    assert_eq!(refusal(&format!("FREQ=DAILY;{}", "A".repeat(490))), Why::TooLong);
}

#[test]
fn a_number_out_of_range_names_the_range() {
    for (text, told) in [
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL must be a number from 1 to 999"),
        ("FREQ=DAILY;INTERVAL=1000", "INTERVAL must be a number from 1 to 999"),
        ("FREQ=DAILY;INTERVAL=-1", "INTERVAL must be a number from 1 to 999"),
        ("FREQ=DAILY;INTERVAL=", "INTERVAL must be a number from 1 to 999"),
        ("FREQ=DAILY;INTERVAL=+1", "INTERVAL must be a number from 1 to 999"),
        ("FREQ=DAILY;COUNT=0", "COUNT must be a number from 1 to 1000"),
        ("FREQ=DAILY;COUNT=99999999999999999999", "COUNT must be a number from 1 to 1000"),
        ("FREQ=YEARLY;BYMONTH=13", "BYMONTH must be numbers from 1 to 12"),
        ("FREQ=YEARLY;BYMONTH=1,,2", "BYMONTH must be numbers from 1 to 12"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY must be numbers but 0 from -31 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "BYMONTHDAY must be numbers but 0 from -31 to 31"),
        ("FREQ=YEARLY;BYYEARDAY=367", "BYYEARDAY must be numbers but 0 from -366 to 366"),
        ("FREQ=YEARLY;BYWEEKNO=54", "BYWEEKNO must be numbers but 0 from -53 to 53"),
        ("FREQ=DAILY;BYDAY=MO;BYSETPOS=367", "BYSETPOS must be numbers but 0 from -366 to 366"),
        ("FREQ=MONTHLY;BYDAY=6MO", "BYDAY must be weekdays, their numbers from -5 to 5"),
        ("FREQ=MONTHLY;BYDAY=-6MO", "BYDAY must be weekdays, their numbers from -5 to 5"),
        ("FREQ=YEARLY;BYDAY=54MO", "BYDAY must be weekdays, their numbers from -53 to 53"),
    ] {
        assert_eq!(refusal(text).to_string(), told, "{text}");
    }
}

#[test]
fn a_rule_that_no_day_fulfils_is_refused() {
    for text in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4,6,9,11;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYDAY=1MO;BYMONTHDAY=15",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=300",
        "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2",
        "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
        "FREQ=YEARLY;BYMONTH=12;BYYEARDAY=1",
        "FREQ=YEARLY;BYMONTH=6;BYWEEKNO=1",
        "FREQ=YEARLY;BYMONTH=2;BYDAY=6MO",
    ] {
        assert_eq!(refusal(text), InvalidRule::Never, "{text}");
    }
    // Rare is not never, and an interval may or may not hit it.
    for text in [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO",
        "FREQ=MONTHLY;BYMONTH=2;BYDAY=5SA",
        "FREQ=YEARLY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=3",
    ] {
        assert_eq!(Rule::parse(text).unwrap().as_str(), text);
    }
}
