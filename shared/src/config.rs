//! Settings from a lookup, never from globals: the environment in `main`, a map in tests. All
//! faults are reported at once; no fault quotes a value.

mod unread;

use std::{
    cell::RefCell,
    collections::{BTreeSet, HashMap},
    fmt,
    hash::BuildHasher,
    ops::RangeInclusive,
    time::Duration,
};

pub use self::unread::manual;

/// A source of settings, by name.
pub trait Vars {
    /// The value, or `None` where it is not set.
    fn var(&self, name: &str) -> Option<String>;

    /// The names of all variables that are set.
    fn names(&self) -> Vec<String>;
}

/// The process environment.
#[derive(Clone, Copy, Debug)]
pub struct Env;

impl Vars for Env {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
    fn var(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }
}

impl<S: BuildHasher> Vars for HashMap<&str, String, S> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|name| (*name).to_owned()).collect()
    }
}

/// One setting that is missing or wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The name of the setting.
    pub name: &'static str,
    /// The fault and its remedy. Never the value.
    pub message: String,
}

/// The faults of all settings, a line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            let end = if i == 0 { "" } else { "\n" };
            write!(f, "{end}{} {}", fault.name, fault.message)?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

/// A reader of settings, which collects their faults and the names that were read.
pub struct Reader<'a, V> {
    vars: &'a V,
    faults: Vec<Fault>,
    names_read: RefCell<BTreeSet<&'static str>>,
    /// The settings of other programs that are set, a sentence each.
    read_elsewhere: Vec<String>,
}

impl<'a, V: Vars> Reader<'a, V> {
    /// Reads from `vars`.
    pub fn new(vars: &'a V) -> Self {
        Self {
            vars,
            faults: Vec::new(),
            names_read: RefCell::default(),
            read_elsewhere: Vec::new(),
        }
    }

    /// The raw value; empty counts as not set.
    pub fn text(&self, name: &'static str) -> Option<String> {
        self.names_read.borrow_mut().insert(name);
        self.value_of(name)
    }

    fn value_of(&self, name: &str) -> Option<String> {
        self.vars.var(name).filter(|value| !value.is_empty())
    }

    /// Whether the setting has a value.
    pub fn is_set(&self, name: &'static str) -> bool {
        self.text(name).is_some()
    }

    /// The parsed value; `None` where it is not set, or faulty, which is recorded.
    pub fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(name)?;
        parse(&text).map_err(|message| self.fault(name, message)).ok()
    }

    /// A time span: seconds as a bare number, or with units (`15m`, `7d`, `1h 30m`).
    pub fn duration(&mut self, name: &'static str, default: Duration) -> Duration {
        self.parsed(name, |text| {
            time_span(text)
                .ok_or_else(|| "must be a time span such as `900`, `15m` or `7d`".to_owned())
        })
        .unwrap_or(default)
    }

    /// A time span within `allowed`, or `off`, which is `None`.
    pub fn duration_or_off(
        &mut self,
        name: &'static str,
        default: Option<Duration>,
        allowed: RangeInclusive<Duration>,
    ) -> Option<Duration> {
        self.parsed(name, |text| {
            if text == "off" {
                return Ok(None);
            }
            time_span(text).filter(|time_span| allowed.contains(time_span)).map(Some).ok_or_else(
                || {
                    let [least, most] =
                        [allowed.start(), allowed.end()].map(|end| in_one_unit(*end));
                    format!("must be `off` or a time span from {least} to {most}")
                },
            )
        })
        .unwrap_or(default)
    }

    /// A whole number between `least` and `most`.
    pub fn number(&mut self, name: &'static str, default: u32, least: u32, most: u32) -> u32 {
        self.parsed(name, |text| {
            let number = text.parse().ok().filter(|n| (least..=most).contains(n));
            number.ok_or_else(|| format!("must be a whole number from {least} to {most}"))
        })
        .unwrap_or(default)
    }

    /// A switch: `on` or `off`.
    pub fn switch(&mut self, name: &'static str, default: bool) -> bool {
        self.parsed(name, |text| match text {
            "on" | "true" | "1" => Ok(true),
            "off" | "false" | "0" => Ok(false),
            _ => Err("must be `on` or `off`".to_owned()),
        })
        .unwrap_or(default)
    }

    /// Records a fault, once, even if the setting is read for two purposes.
    pub fn fault(&mut self, name: &'static str, message: impl Into<String>) {
        let fault = Fault { name, message: message.into() };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Declares that other programs read `name`, and this one each of `instead`: reported where
    /// only the former is set.
    pub fn read_elsewhere(&mut self, name: &'static str, instead: &[&'static str]) {
        let is_missing = instead.iter().any(|instead| self.value_of(instead).is_none());
        if is_missing && self.value_of(name).is_some() {
            let instead = instead.join(" and ");
            self.read_elsewhere.push(format!("{name} is set and not read here: set {instead}"));
        }
    }

    /// The names that were read.
    #[must_use]
    pub fn names_read(&self) -> BTreeSet<&'static str> {
        self.names_read.borrow().clone()
    }

    /// The variables that look like settings of this program but are not read: a sentence each,
    /// without a value. Complete once everything has been read.
    #[must_use]
    pub fn unread(&self) -> Vec<String> {
        let mut known = manual();
        known.extend(self.names_read());
        let mut set = self.vars.names();
        set.retain(|name| self.value_of(name).is_some());
        set.sort_unstable();
        [self.read_elsewhere.clone(), unread::unknown_settings(&set, &known)].concat()
    }

    /// Logs the [`unread`](Self::unread) variables.
    pub fn warn_about_unread(&self) {
        for sentence in self.unread() {
            tracing::warn!("{sentence}");
        }
    }

    /// `value`, or all faults.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Faults(self.faults)),
        }
    }
}

fn time_span(text: &str) -> Option<Duration> {
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
    fn every_fault_is_reported_at_once_and_no_value_is_quoted() {
        let vars = HashMap::from([
            ("TTL", "soon-s3cret".to_owned()),
            ("COUNT", "900".to_owned()),
            ("FLAG", "maybe".to_owned()),
        ]);
        let mut reader = Reader::new(&vars);
        reader.duration("TTL", Duration::ZERO);
        reader.number("COUNT", 1, 1, 8);
        reader.switch("FLAG", true);
        reader.switch("FLAG", false);
        let faults = reader.finish(Some(())).expect_err("three faults");
        assert_eq!(faults.0.len(), 3);
        assert_eq!(faults.to_string().lines().count(), 3);
        assert!(!faults.to_string().contains("s3cret"));
    }

    #[test]
    fn unread_settings_are_reported_without_their_value() {
        let vars = HashMap::from([
            ("DATABASE_URL", "postgres://u:s3cret@h/d".to_owned()),
            ("TRUSTED_ORIGIN", "s3cret".to_owned()),
            ("JWT_AUD", String::new()),
            ("TRASH_RETENTION", "30d".to_owned()),
            ("NOT_IN_THE_MANUAL", "1".to_owned()),
            ("HOME", "/root".to_owned()),
        ]);
        let mut reader = Reader::new(&vars);
        reader.number("NOT_IN_THE_MANUAL", 1, 1, 8);
        reader.read_elsewhere("DATABASE_URL", &["AUTH_DATABASE_URL", "TASK_DATABASE_URL"]);
        reader.read_elsewhere("TRASH_RETENTION", &["NOT_IN_THE_MANUAL"]);
        assert_eq!(
            reader.unread(),
            [
                "DATABASE_URL is set and not read here: set AUTH_DATABASE_URL and \
                 TASK_DATABASE_URL",
                "TRUSTED_ORIGIN is not a setting: did you mean TRUSTED_ORIGINS?",
            ]
        );
        assert!(reader.finish(Some(())).is_ok(), "a warning is no fault");
    }

    #[test]
    fn spans_are_seconds_or_carry_units_and_empty_means_default() {
        let vars =
            HashMap::from([("A", "900".to_owned()), ("B", "15m".to_owned()), ("C", String::new())]);
        let mut reader = Reader::new(&vars);
        let fallback = Duration::from_secs(7);
        assert_eq!(reader.duration("A", fallback), Duration::from_mins(15));
        assert_eq!(reader.duration("B", fallback), Duration::from_mins(15));
        assert_eq!(reader.duration("C", fallback), fallback);
        assert!(reader.finish(Some(())).is_ok());
    }

    #[test]
    fn what_can_be_off_is_off_or_a_span_in_its_range() {
        let read = |text: &str| {
            let vars = HashMap::from([("AGE", text.to_owned())]);
            let mut reader = Reader::new(&vars);
            let allowed = Duration::from_mins(1)..=Duration::from_hours(3650 * 24);
            let age = reader.duration_or_off("AGE", Some(Duration::from_secs(90)), allowed);
            reader.finish(Some(age)).map_err(|faults| faults.to_string())
        };
        assert_eq!(read(""), Ok(Some(Duration::from_secs(90))));
        assert_eq!(read("off"), Ok(None));
        for good in ["60", "1m", "3650d", "1h 30m"] {
            assert!(read(good).is_ok_and(|age| age.is_some()), "{good}");
        }
        let fault = "AGE must be `off` or a time span from 1m to 3650d".to_owned();
        for bad in ["on", "0", "59s", "3651d", "soon"] {
            assert_eq!(read(bad), Err(fault.clone()), "{bad}");
        }
    }
}
