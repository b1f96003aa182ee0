//! Why a text is no rule that can be followed here.

use super::rule::Frequency;

/// The text is no rule that can be followed here, and this is the first reason found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRule {
    /// It is longer than a rule needs to be.
    #[error("must be at most 500 bytes")]
    TooLong,
    /// It has a space, a line break or a letter that no rule has.
    #[error("must be one line of plain letters, without spaces")]
    NotOneLine,
    /// It brings its own start or exceptions.
    #[error("must be the rule alone, without {0}: the due is the start")]
    NotAlone(String),
    /// Between two semicolons stands something else than a part.
    #[error("must be parts such as `FREQ=WEEKLY;BYDAY=MO`, not `{0}`")]
    NotAPart(String),
    /// A part that RFC 5545 does not have.
    #[error("has the unknown part `{0}`")]
    UnknownPart(String),
    /// A part is there more than once.
    #[error("has {0} more than once")]
    Twice(&'static str),
    /// The one part that must be there is not.
    #[error("must have FREQ, such as `FREQ=WEEKLY`")]
    NoFrequency,
    /// The frequency is something else.
    #[error("FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY")]
    Frequency,
    /// A task that is due every hour is a different kind of thing.
    #[error("FREQ must be DAILY or less often")]
    TooOften,
    /// The time of day is that of the due.
    #[error("must not have {0}: the time of day is that of the due")]
    TimeOfDay(&'static str),
    /// It says twice when it ends.
    #[error("must not have both COUNT and UNTIL")]
    TwoEnds,
    /// A number, or one of a list, is not within the limits of its part.
    #[error("{part} must be {of} from {least} to {most}")]
    Number {
        /// The part.
        part: &'static str,
        /// One number, or several.
        of: &'static str,
        /// The least that is taken.
        least: i32,
        /// The most that is taken.
        most: i32,
    },
    /// The end is no date, or a time that depends on where one is.
    #[error("UNTIL must be a date such as `20261231` or a time in UTC such as `20261231T090000Z`")]
    Until,
    /// The week starts on no day.
    #[error("WKST must be a weekday such as `MO`")]
    WeekStart,
    /// A weekday is none.
    #[error("BYDAY must be weekdays such as `MO` or `-1FR`, with commas between them")]
    Weekday,
    /// A weekday is counted where there is nothing to count in.
    #[error("BYDAY must not be numbered unless FREQ is MONTHLY, or YEARLY without BYWEEKNO")]
    NumberedWeekday,
    /// The part makes no sense with the frequency.
    #[error("must not have {part} with FREQ={frequency}")]
    Unfitting {
        /// The part.
        part: &'static str,
        /// The frequency.
        frequency: Frequency,
    },
    /// A choice of nothing.
    #[error("must have another part that starts with BY next to BYSETPOS")]
    NothingToChoose,
    /// Its parts are fine, but no day is all that they ask for.
    #[error("must come true on some day within a hundred years")]
    Never,
}
