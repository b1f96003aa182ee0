//! Timestamps on the wire.

use prost_types::Timestamp as WireTimestamp;

use crate::domain::timestamp::Timestamp;

/// The end of the year 9999, the last of RFC 3339.
const END: i64 = 253_402_300_800;

/// The error of a timestamp outside the years 1970 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a moment of the years 1970 to 9999")]
pub struct InvalidTimestamp;

/// The timestamp of a message, truncated to the microsecond.
pub fn parse_timestamp(at: WireTimestamp) -> Result<Timestamp, InvalidTimestamp> {
    let nanos = u32::try_from(at.nanos).ok().filter(|nanos| *nanos < 1_000_000_000);
    match nanos {
        Some(nanos) if (0..END).contains(&at.seconds) => {
            Ok(Timestamp::from_micros(at.seconds * 1_000_000 + i64::from(nanos / 1_000)))
        }
        _ => Err(InvalidTimestamp),
    }
}

/// The message of a timestamp.
pub fn timestamp(moment: Timestamp) -> WireTimestamp {
    let (seconds, nanos) = moment.seconds_and_nanos();
    WireTimestamp { seconds, nanos: nanos.cast_signed() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_bounded_and_cut_to_the_microsecond() {
        let at = |seconds, nanos| parse_timestamp(WireTimestamp { seconds, nanos });
        assert_eq!(at(1, 2_999), Ok(Timestamp::from_micros(1_000_002)));
        assert_eq!(at(0, 0).map(timestamp), Ok(WireTimestamp { seconds: 0, nanos: 0 }));
        assert!(at(END - 1, 999_999_999).is_ok());
        for (seconds, nanos) in [(-1, 0), (END, 0), (i64::MAX, 0), (0, -1), (0, 1_000_000_000)] {
            assert_eq!(at(seconds, nanos), Err(InvalidTimestamp), "{seconds} {nanos}");
        }
    }
}
