//! Timestamps on the wire.

use prost_types::Timestamp;

use crate::domain::timestamp::Moment;

/// The end of the year 9999, the last of RFC 3339.
const END: i64 = 253_402_300_800;

/// The error of a timestamp outside the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment of the years 1970 to 9999")]
pub struct InvalidMoment;

/// The timestamp of a message, truncated to the microsecond.
pub fn moment(at: Timestamp) -> Result<Moment, InvalidMoment> {
    let nanos = u32::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    match nanos {
        Some(nanos) if (0..END).contains(&at.seconds) => {
            Ok(Moment::from_micros(at.seconds * 1_000_000 + i64::from(nanos / 1_000)))
        }
        _ => Err(InvalidMoment),
    }
}

/// The message of a timestamp.
pub fn timestamp(moment: Moment) -> Timestamp {
    let (seconds, nanos) = moment.seconds_and_nanos();
    Timestamp { seconds, nanos: nanos.cast_signed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_bounded_and_cut_to_the_microsecond() {
        let at = |seconds, nanos| moment(Timestamp { seconds, nanos });
        assert_eq!(at(1, 2_999), Ok(Moment::from_micros(1_000_002)));
        assert_eq!(at(0, 0).map(timestamp), Ok(Timestamp { seconds: 0, nanos: 0 }));
        assert!(at(END - 1, 999_999_999).is_ok());
        for (seconds, nanos) in [(-1, 0), (END, 0), (i64::MAX, 0), (0, -1), (0, 1_000_000_000)] {
            assert_eq!(at(seconds, nanos), Err(InvalidMoment), "{seconds} {nanos}");
        }
    }
}
