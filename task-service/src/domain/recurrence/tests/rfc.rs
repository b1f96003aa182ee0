//! The examples of RFC 5545, section 3.8.5.3: all that go by days, and that the others are
//! refused.

use super::{
    super::{InvalidRule, Rule},
    vector::{Vector, ends, goes_on},
};

/// Everything there happens in New York, in the days of the RFC.
const ZONE: &str = "America/New_York";

pub const VECTORS: [Vector; 37] = [
    // Daily for 10 occurrences.
    ends("FREQ=DAILY;COUNT=10", "1997-09-02", "1997: 09-02..09-11"),
    // Daily until December 24.
    ends("FREQ=DAILY;UNTIL=19971224T000000Z", "1997-09-02", "1997: 09-02..12-23"),
    // Every other day.
    goes_on(
        "FREQ=DAILY;INTERVAL=2",
        "1997-09-02",
        "1997: 09-02 09-04 09-06 09-08 09-10 09-12 09-14 09-16",
    ),
    // Every 10 days, 5 occurrences.
    ends("FREQ=DAILY;INTERVAL=10;COUNT=5", "1997-09-02", "1997: 09-02 09-12 09-22 10-02 10-12"),
    // Every day in January, for 3 years.
    ends(
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "1998-01-01",
        "1998: 01-01..01-31 1999: 01-01..01-31 2000: 01-01..01-31",
    ),
    // The same as a daily rule.
    ends(
        "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
        "1998-01-01",
        "1998: 01-01..01-31 1999: 01-01..01-31 2000: 01-01..01-31",
    ),
    // Weekly for 10 occurrences.
    ends(
        "FREQ=WEEKLY;COUNT=10",
        "1997-09-02",
        "1997: 09-02 09-09 09-16 09-23 09-30 10-07 10-14 10-21 10-28 11-04",
    ),
    // Weekly until December 24.
    ends(
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        "1997-09-02",
        "1997: 09-02 09-09 09-16 09-23 09-30 10-07 10-14 10-21 10-28 11-04 11-11 11-18 \
         11-25 12-02 12-09 12-16 12-23",
    ),
    // Every other week.
    goes_on(
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        "1997-09-02",
        "1997: 09-02 09-16 09-30 10-14 10-28 11-11 11-25 12-09 12-23 1998: 01-06 01-20 02-03",
    ),
    // Weekly on Tuesday and Thursday for five weeks.
    ends(
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997: 09-02 09-04 09-09 09-11 09-16 09-18 09-23 09-25 09-30 10-02",
    ),
    // The same, counted.
    ends(
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997: 09-02 09-04 09-09 09-11 09-16 09-18 09-23 09-25 09-30 10-02",
    ),
    // Every other week on Monday, Wednesday and Friday.
    ends(
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01",
        "1997: 09-01 09-03 09-05 09-15 09-17 09-19 09-29 10-01 10-03 10-13 10-15 10-17 \
         10-27 10-29 10-31 11-10 11-12 11-14 11-24 11-26 11-28 12-08 12-10 12-12 12-22",
    ),
    // Every other week on Tuesday and Thursday.
    ends(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        "1997-09-02",
        "1997: 09-02 09-04 09-16 09-18 09-30 10-02 10-14 10-16",
    ),
    // Monthly on the first Friday.
    ends(
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05",
        "1997: 09-05 10-03 11-07 12-05 1998: 01-02 02-06 03-06 04-03 05-01 06-05",
    ),
    // Monthly on the first Friday until December 24.
    ends(
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09-05",
        "1997: 09-05 10-03 11-07 12-05",
    ),
    // Every other month on the first and last Sunday.
    ends(
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07",
        "1997: 09-07 09-28 11-02 11-30 1998: 01-04 01-25 03-01 03-29 05-03 05-31",
    ),
    // Monthly on the second-to-last Monday.
    ends(
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22",
        "1997: 09-22 10-20 11-17 12-22 1998: 01-19 02-16",
    ),
    // Monthly on the third-to-the-last day.
    goes_on(
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28",
        "1997: 09-28 10-29 11-28 12-29 1998: 01-29 02-26",
    ),
    // Monthly on the 2nd and 15th.
    ends(
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        "1997-09-02",
        "1997: 09-02 09-15 10-02 10-15 11-02 11-15 12-02 12-15 1998: 01-02 01-15",
    ),
    // Monthly on the first and last day.
    ends(
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30",
        "1997: 09-30 10-01 10-31 11-01 11-30 12-01 12-31 1998: 01-01 01-31 02-01",
    ),
    // Every 18 months on the 10th thru 15th.
    ends(
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10",
        "1997: 09-10..09-15 1999: 03-10..03-13",
    ),
    // Every Tuesday, every other month.
    goes_on(
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        "1997-09-02",
        "1997: 09-02 09-09 09-16 09-23 09-30 11-04 11-11 11-18 11-25 1998: 01-06 01-13 \
         01-20 01-27 03-03 03-10 03-17 03-24 03-31",
    ),
    // Yearly in June and July.
    ends(
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10",
        "1997: 06-10 07-10 1998: 06-10 07-10 1999: 06-10 07-10 2000: 06-10 07-10 2001: \
         06-10 07-10",
    ),
    // Every other year in January, February and March.
    ends(
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10",
        "1997: 03-10 1999: 01-10 02-10 03-10 2001: 01-10 02-10 03-10 2003: 01-10 02-10 03-10",
    ),
    // Every third year on the 1st, 100th and 200th day.
    ends(
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01",
        "1997: 01-01 04-10 07-19 2000: 01-01 04-09 07-18 2003: 01-01 04-10 07-19 2006: 01-01",
    ),
    // Every 20th Monday of the year.
    goes_on("FREQ=YEARLY;BYDAY=20MO", "1997-05-19", "1997: 05-19 1998: 05-18 1999: 05-17"),
    // Monday of week number 20.
    goes_on(
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05-12",
        "1997: 05-12 1998: 05-11 1999: 05-17",
    ),
    // Every Thursday in March.
    goes_on(
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13",
        "1997: 03-13 03-20 03-27 1998: 03-05 03-12 03-19 03-26 1999: 03-04 03-11 03-18 03-25",
    ),
    // Every Thursday in June, July and August.
    goes_on(
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05",
        "1997: 06-05 06-12 06-19 06-26 07-03 07-10 07-17 07-24 07-31 08-07 08-14 08-21 \
         08-28 1998: 06-04 06-11 06-18 06-25 07-02 07-09 07-16 07-23 07-30 08-06 08-13 \
         08-20 08-27",
    ),
    // Every Friday the 13th.
    goes_on(
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        "1997-09-02",
        "1998: 02-13 03-13 11-13 1999: 08-13 2000: 10-13",
    ),
    // The first Saturday that follows the first Sunday.
    goes_on(
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13",
        "1997: 09-13 10-11 11-08 12-13 1998: 01-10 02-07 03-07 04-11 05-09 06-13",
    ),
    // Election Day in the U.S..
    goes_on(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05",
        "1996: 11-05 2000: 11-07 2004: 11-02",
    ),
    // The third of Tuesday, Wednesday or Thursday.
    ends("FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "1997-09-04", "1997: 09-04 10-07 11-06"),
    // The second-to-last weekday of the month.
    goes_on(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29",
        "1997: 09-29 10-30 11-27 12-30 1998: 01-29 02-26 03-30",
    ),
    // Weeks that start on Monday.
    ends(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05",
        "1997: 08-05 08-10 08-19 08-24",
    ),
    // Weeks that start on Sunday.
    ends(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05",
        "1997: 08-05 08-17 08-19 08-31",
    ),
    // An invalid date is ignored.
    ends(
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01-15",
        "2007: 01-15 01-30 02-15 03-15 03-30",
    ),
];

#[test]
fn the_examples_of_the_rfc_come_true() {
    for vector in VECTORS {
        vector.check_at_nine(ZONE);
    }
}

#[test]
fn the_examples_that_go_by_hours_are_refused() {
    for (rule, why) in [
        ("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000Z", InvalidRule::TooOften),
        ("FREQ=MINUTELY;INTERVAL=15;COUNT=6", InvalidRule::TooOften),
        ("FREQ=MINUTELY;INTERVAL=90;COUNT=4", InvalidRule::TooOften),
        ("FREQ=DAILY;BYHOUR=9,10,11,12;BYMINUTE=0,20,40", InvalidRule::TimeOfDay("BYHOUR")),
        (
            "FREQ=MINUTELY;INTERVAL=20;BYHOUR=9,10,11,12,13,14,15,16",
            InvalidRule::TimeOfDay("BYHOUR"),
        ),
    ] {
        assert_eq!(Rule::parse(rule), Err(why), "{rule}");
    }
}
