//! The errors of invalid recurrence rules.

use super::rule::Frequency;

/// The first error of an invalid or unsupported rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// The rule is too long.
    #[error("must be at most 500 bytes")]
    TooLong,
    /// A space, a line break or a letter outside ASCII.
    #[error("must be one line of plain letters, without spaces")]
    NotOneLine,
    /// A start or exceptions beside the rule.
    #[error("must be the rule alone, without {0}: the due is the start")]
    NotAlone(String),
    /// A part without a name and a value.
    #[error("must be parts such as `FREQ=WEEKLY;BYDAY=MO`, not `{0}`")]
    NotAPart(String),
    /// A part that RFC 5545 does not have.
    #[error("has the unknown part `{0}`")]
    UnknownPart(String),
    /// A part is there more than once.
    #[error("has {0} more than once")]
    Twice(&'static str),
    /// FREQ is missing.
    #[error("must have FREQ, such as `FREQ=WEEKLY`")]
    NoFrequency,
    /// FREQ is unknown.
    #[error("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")]
    Frequency,
    /// FREQ is more often than daily.
    #[error("FREQ must be DAILY or less often")]
    TooOften,
    /// A part about the time of day, which is that of the due.
    #[error("must not have {0}: the time of day is that of the due")]
    TimeOfDay(&'static str),
    /// Both COUNT and UNTIL.
    #[error("must not have both COUNT and UNTIL")]
    TwoEnds,
    /// A number out of the range of its part.
    #[error("{part} must be {of} from {least} to {most}")]
    Number {
        /// The part.
        part: &'static str,
        /// One number, or several.
        of: &'static str,
        /// The least number.
        least: i32,
        /// The greatest number.
        most: i32,
    },
    /// UNTIL is neither a date nor a time in UTC.
    #[error("UNTIL must be a date such as `20261231` or a time in UTC such as `20261231T090000Z`")]
    Until,
    /// WKST is no weekday.
    #[error("WKST must be a weekday such as `MO`")]
    WeekStart,
    /// BYDAY has an unknown weekday.
    #[error("BYDAY must be weekdays such as `MO` or `-1FR`, with commas between them")]
    Weekday,
    /// A numbered weekday without a month or a year to count in.
    #[error("BYDAY must not be numbered unless FREQ is MONTHLY, or YEARLY without BYWEEKNO")]
    NumberedWeekday,
    /// A part that the frequency does not take.
    #[error("must not have {part} with FREQ={frequency}")]
    Unfitting {
        /// The part.
        part: &'static str,
        /// The frequency.
        frequency: Frequency,
    },
    /// BYSETPOS without another BY part.
    #[error("must have another part that starts with BY next to BYSETPOS")]
    NothingToChoose,
    /// No day ever matches all parts.
    #[error("must come true on some day within a hundred years")]
    Never,
}
