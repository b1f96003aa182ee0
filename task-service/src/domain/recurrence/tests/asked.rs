//! Usual complaints about other task lists: the ends of months, chosen weekdays,
//! every so many months, leap years.

use super::vector::{Vector, ends, goes_on};

pub const VECTORS: [Vector; 55] = [
    // A day that a month does not have is its last one, and it comes back.
    goes_on("FREQ=MONTHLY", "2026-01-31", "2026: 01-31 02-28 03-31 04-30 05-31 06-30 07-31 08-31"),
    goes_on("FREQ=MONTHLY", "2028-01-31", "2028: 01-31 02-29 03-31 04-30"),
    goes_on("FREQ=MONTHLY", "2027-12-30", "2027: 12-30 2028: 01-30 02-29 03-30 04-30 05-30"),
    goes_on("FREQ=MONTHLY", "2026-12-30", "2026: 12-30 2027: 01-30 02-28 03-30"),
    goes_on("FREQ=MONTHLY", "2026-12-29", "2026: 12-29 2027: 01-29 02-28 03-29"),
    goes_on("FREQ=MONTHLY", "2027-12-29", "2027: 12-29 2028: 01-29 02-29 03-29"),
    goes_on("FREQ=MONTHLY", "2026-02-28", "2026: 02-28 03-28 04-28"),
    goes_on("FREQ=MONTHLY", "2028-02-29", "2028: 02-29 03-29 04-29"),
    ends("FREQ=MONTHLY;COUNT=4", "2026-01-31", "2026: 01-31 02-28 03-31 04-30"),
    ends("FREQ=MONTHLY;UNTIL=20260430", "2026-01-31", "2026: 01-31 02-28 03-31 04-30"),
    ends("FREQ=MONTHLY;UNTIL=20260429", "2026-01-31", "2026: 01-31 02-28 03-31"),
    // Every so many months.
    goes_on("FREQ=MONTHLY;INTERVAL=2", "2025-12-31", "2025: 12-31 2026: 02-28 04-30 06-30 08-31"),
    goes_on(
        "FREQ=MONTHLY;INTERVAL=3",
        "2026-11-30",
        "2026: 11-30 2027: 02-28 05-30 08-30 11-30 2028: 02-29",
    ),
    goes_on("FREQ=MONTHLY;INTERVAL=6", "2026-08-31", "2026: 08-31 2027: 02-28 08-31 2028: 02-29"),
    goes_on(
        "FREQ=MONTHLY;INTERVAL=12",
        "2024-02-29",
        "2024: 02-29 2025: 02-28 2026: 02-28 2027: 02-28 2028: 02-29",
    ),
    goes_on("FREQ=MONTHLY;INTERVAL=18", "2026-01-15", "2026: 01-15 2027: 07-15 2029: 01-15"),
    goes_on("FREQ=MONTHLY;BYMONTH=2,4,12", "2026-12-31", "2026: 12-31 2027: 02-28 04-30 12-31"),
    // A day that the rule names is left out where there is none.
    goes_on(
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "2026-01-31",
        "2026: 01-31 03-31 05-31 07-31 08-31 10-31 12-31",
    ),
    goes_on("FREQ=MONTHLY;BYMONTHDAY=30", "2026-01-30", "2026: 01-30 03-30 04-30"),
    goes_on("FREQ=MONTHLY;BYMONTHDAY=29", "2027-01-29", "2027: 01-29 03-29 04-29"),
    goes_on("FREQ=MONTHLY;BYMONTHDAY=29,-1", "2027-01-29", "2027: 01-29 01-31 02-28 03-29 03-31"),
    // The last day, and those before it.
    goes_on(
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "2027-11-30",
        "2027: 11-30 12-31 2028: 01-31 02-29 03-31 04-30",
    ),
    goes_on("FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=-1", "2026-02-28", "2026: 02-28 05-31 08-31 11-30"),
    goes_on("FREQ=MONTHLY;BYMONTHDAY=-2", "2028-01-30", "2028: 01-30 02-28 03-30"),
    goes_on(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "2026-01-30",
        "2026: 01-30 02-27 03-31 04-30 05-29",
    ),
    goes_on(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1",
        "2026-01-01",
        "2026: 01-01 02-02 03-02 04-01 05-01",
    ),
    goes_on(
        "FREQ=MONTHLY;BYMONTHDAY=28,29,30,31;BYSETPOS=-1",
        "2026-01-31",
        "2026: 01-31 02-28 03-31",
    ),
    // The nth weekday.
    goes_on("FREQ=MONTHLY;BYDAY=2TU", "2026-11-10", "2026: 11-10 12-08 2027: 01-12 02-09"),
    goes_on("FREQ=MONTHLY;BYDAY=-1FR", "2026-11-27", "2026: 11-27 12-25 2027: 01-29 02-26"),
    goes_on("FREQ=MONTHLY;BYDAY=5MO", "2026-03-30", "2026: 03-30 06-29 08-31 11-30 2027: 03-29"),
    goes_on("FREQ=MONTHLY;BYDAY=-5MO", "2026-03-02", "2026: 03-02 06-01 08-03 11-02"),
    goes_on(
        "FREQ=MONTHLY;BYDAY=MO,-1FR",
        "2026-11-02",
        "2026: 11-02 11-09 11-16 11-23 11-27 11-30",
    ),
    goes_on("FREQ=MONTHLY;BYDAY=1MO,3MO", "2026-11-02", "2026: 11-02 11-16 12-07 12-21"),
    goes_on(
        "FREQ=YEARLY;BYMONTH=11;BYDAY=4TH",
        "2026-11-26",
        "2026: 11-26 2027: 11-25 2028: 11-23",
    ),
    goes_on(
        "FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO",
        "2026-05-25",
        "2026: 05-25 2027: 05-31 2028: 05-29",
    ),
    // Weekly on chosen days.
    goes_on(
        "FREQ=WEEKLY;BYDAY=MO,WE,FR",
        "2026-11-25",
        "2026: 11-25 11-27 11-30 12-02 12-04 12-07",
    ),
    goes_on("FREQ=WEEKLY;BYDAY=MO", "2026-11-25", "2026: 11-30 12-07 12-14"),
    goes_on("FREQ=WEEKLY;BYDAY=SA,SU", "2026-12-26", "2026: 12-26 12-27 2027: 01-02 01-03 01-09"),
    goes_on(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
        "2026-12-17",
        "2026: 12-17 12-28 12-31 2027: 01-11 01-14",
    ),
    goes_on("FREQ=WEEKLY;INTERVAL=2", "2026-12-23", "2026: 12-23 2027: 01-06 01-20"),
    goes_on("FREQ=WEEKLY;INTERVAL=3;BYDAY=TU", "2026-11-24", "2026: 11-24 12-15 2027: 01-05 01-26"),
    goes_on("FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1", "2026-11-25", "2026: 11-30 12-07"),
    goes_on(
        "FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR",
        "2026-11-26",
        "2026: 11-26 11-27 11-30..12-04 12-07",
    ),
    ends("FREQ=WEEKLY;COUNT=3;BYDAY=MO", "2026-11-25", "2026: 11-30 12-07 12-14"),
    // Leap years.
    goes_on(
        "FREQ=YEARLY",
        "2024-02-29",
        "2024: 02-29 2025: 02-28 2026: 02-28 2027: 02-28 2028: 02-29",
    ),
    goes_on(
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "2024-02-29",
        "2024: 02-29 2028: 02-29 2032: 02-29",
    ),
    goes_on("FREQ=YEARLY;INTERVAL=4", "2096-02-29", "2096: 02-29 2100: 02-28 2104: 02-29"),
    goes_on("FREQ=YEARLY;INTERVAL=2", "2026-12-31", "2026: 12-31 2028: 12-31 2030: 12-31"),
    goes_on("FREQ=YEARLY;BYYEARDAY=-1", "2027-12-31", "2027: 12-31 2028: 12-31"),
    goes_on("FREQ=YEARLY;BYYEARDAY=60", "2027-03-01", "2027: 03-01 2028: 02-29 2029: 03-01"),
    goes_on("FREQ=YEARLY;BYYEARDAY=366", "2024-12-31", "2024: 12-31 2028: 12-31 2032: 12-31"),
    goes_on("FREQ=DAILY;INTERVAL=30", "2028-01-30", "2028: 01-30 02-29 03-30"),
    // A week of the year comes true on the weekday of the start.
    goes_on("FREQ=YEARLY;BYWEEKNO=20", "2026-05-13", "2026: 05-13 2027: 05-19 2028: 05-17"),
    goes_on("FREQ=YEARLY;BYWEEKNO=53", "2026-12-30", "2026: 12-30 2032: 12-29 2037: 12-30"),
    // Weeks from Sunday: 1 January 2055 is in week 52 of 2054.
    goes_on(
        "FREQ=YEARLY;BYMONTHDAY=1;BYWEEKNO=52;WKST=SU",
        "2055-01-01",
        "2055: 01-01 2056: 01-01 2061: 01-01",
    ),
];

#[test]
fn what_people_ask_for_comes_true_in_days() {
    for vector in VECTORS {
        vector.check_days();
    }
}

#[test]
fn what_people_ask_for_comes_true_at_nine_in_any_zone() {
    for vector in VECTORS {
        for zone in ["America/New_York", "Europe/Berlin", "Pacific/Kiritimati"] {
            vector.check_at_nine(zone);
        }
    }
}
