//! Values of settings: time spans, numbers, switches and words. A parser's fault says what the
//! value must be, and does not quote it.

use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

/// A time span: seconds as a bare number, or with units (`15m`, `7d`, `1h 30m`).
pub fn time_span(text: &str) -> Result<Duration, String> {
    parse_span(text).ok_or_else(|| "must be a time span such as `900`, `15m` or `7d`".to_owned())
}

/// A time span within `allowed`, or `off`, which is `None`.
pub fn time_span_or_off(
    text: &str,
    allowed: RangeInclusive<Duration>,
) -> Result<Option<Duration>, String> {
    if text == "off" {
        return Ok(None);
    }
    let time_span = parse_span(text).filter(|time_span| allowed.contains(time_span));
    time_span.map(Some).ok_or_else(|| {
        let [least, most] = [allowed.start(), allowed.end()].map(|end| in_one_unit(*end));
        format!("must be `off` or a time span from {least} to {most}")
    })
}

/// A whole number within `allowed`.
pub fn number<N: FromStr + PartialOrd + Display>(
    text: &str,
    allowed: RangeInclusive<N>,
) -> Result<N, String> {
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    let (least, most) = allowed.into_inner();
    number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
}

/// A whole number within `allowed`, or `off`, which is `None`.
pub fn number_or_off<N: FromStr + PartialOrd + Display>(
    text: &str,
    allowed: RangeInclusive<N>,
) -> Result<Option<N>, String> {
    if text == "off" {
        return Ok(None);
    }
    let number = text.parse().ok().filter(|number| allowed.contains(number));
    let (least, most) = allowed.into_inner();
    number
        .map(Some)
        .ok_or_else(|| format!("must be `off` or a whole number from {least} to {most}"))
}

/// A switch: `on` or `off`.
pub fn switch(text: &str) -> Result<bool, String> {
    match text {
        "on" | "true" | "1" => Ok(true),
        "off" | "false" | "0" => Ok(false),
        _ => Err("must be `on` or `off`".to_owned()),
    }
}

/// One of two words.
pub fn either<T>(text: &str, [(one, first), (other, second)]: [(&str, T); 2]) -> Result<T, String> {
    match text {
        _ if text == one => Ok(first),
        _ if text == other => Ok(second),
        _ => Err(format!("must be `{one}` or `{other}`")),
    }
}

fn parse_span(text: &str) -> Option<Duration> {
    let seconds = text.parse().map(Duration::from_secs).ok();
    seconds.or_else(|| humantime::parse_duration(text).ok())
}

/// A time span in its largest whole unit: `90d`.
fn in_one_unit(time_span: Duration) -> String {
    let seconds = time_span.as_secs();
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let fitting = units.into_iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    let (unit, letter) = fitting.unwrap_or((1, "s"));
    format!("{}{letter}", seconds / unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_seconds_or_carry_units() {
        for text in ["900", "15m", "10m 300s"] {
            assert_eq!(time_span(text), Ok(Duration::from_mins(15)), "{text}");
        }
        for text in ["", "soon", "-1", "15 minuets"] {
            assert!(time_span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_can_be_off_is_off_or_a_span_in_its_range() {
        let read = |text: &str| {
            time_span_or_off(text, Duration::from_mins(1)..=Duration::from_hours(3650 * 24))
        };
        assert_eq!(read("off"), Ok(None));
        for good in ["60", "1m", "3650d", "1h 30m"] {
            assert!(read(good).is_ok_and(|age| age.is_some()), "{good}");
        }
        let fault = "must be `off` or a time span from 1m to 3650d".to_owned();
        for bad in ["on", "0", "59s", "3651d", "soon"] {
            assert_eq!(read(bad), Err(fault.clone()), "{bad}");
        }
    }

    #[test]
    fn the_most_is_a_number_in_its_range_or_off() {
        let read = |text: &str| number_or_off(text, 1_u64..=1000);
        assert_eq!(read("off"), Ok(None));
        assert_eq!(read("1"), Ok(Some(1)));
        let fault = "must be `off` or a whole number from 1 to 1000".to_owned();
        for bad in ["0", "1001", "-1", "many"] {
            assert_eq!(read(bad), Err(fault.clone()), "{bad}");
        }
    }

    #[test]
    fn a_word_is_one_of_those_listed() {
        let read = |text: &str| either(text, [("json", 1), ("text", 2)]);
        assert_eq!([read("json"), read("text")], [Ok(1), Ok(2)]);
        assert_eq!(read("Json"), Err("must be `json` or `text`".to_owned()));
    }
}
