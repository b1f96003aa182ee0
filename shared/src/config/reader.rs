//! The reader of settings: their values by their rows, every fault at once, and what is set but
//! not read.

use std::{cell::RefCell, collections::BTreeSet};

use super::{
    faults::{Fault, Faults},
    setting::{Row, Setting},
    unread,
    vars::Vars,
};

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

    /// The value; the default where it is not set, or faulty, which is recorded.
    pub fn get<T>(&mut self, setting: &Setting<T>) -> T {
        self.valid(setting).unwrap_or_else(|| setting.default())
    }

    /// The value, or the default where it is not set; `None` where it cannot be parsed, which is
    /// recorded.
    pub fn valid<T>(&mut self, setting: &Setting<T>) -> Option<T> {
        match self.text(setting) {
            Some(text) => self.value(setting, &text),
            None => Some(setting.default()),
        }
    }

    /// The value of a setting that other programs read, for a check that it fits what this one
    /// does: not counted among the names read.
    pub fn check_elsewhere<T>(&mut self, setting: &Setting<T>) -> T {
        let text = self.value_of(setting.name);
        let value = text.and_then(|text| self.value(setting, &text));
        value.unwrap_or_else(|| setting.default())
    }

    fn value<T>(&mut self, setting: &Setting<T>, text: &str) -> Option<T> {
        let value = self.parse(setting, text, setting.parse)?;
        if let Some(fault) = (setting.fault)(&value) {
            self.fault(setting, fault);
        }
        Some(value)
    }

    /// The parsed value of a row whose parser is not everywhere; `None` where it is not set, or
    /// faulty, which is recorded.
    #[cfg(feature = "jwks")]
    pub(crate) fn parsed<T>(
        &mut self,
        row: &Row,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(row)?;
        self.parse(row, &text, parse)
    }

    fn parse<T>(
        &mut self,
        row: &Row,
        text: &str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        parse(text).map_err(|message| self.fault(row, message)).ok()
    }

    /// The raw value; empty counts as not set.
    pub fn text(&self, row: &Row) -> Option<String> {
        self.names_read.borrow_mut().insert(row.name);
        self.value_of(row.name)
    }

    fn value_of(&self, name: &str) -> Option<String> {
        self.vars.var(name).filter(|value| !value.is_empty())
    }

    /// Whether the setting has a value.
    pub fn is_set(&self, row: &Row) -> bool {
        self.text(row).is_some()
    }

    /// Records a fault, once, even if the setting is read for two purposes.
    pub fn fault(&mut self, row: &Row, message: impl Into<String>) {
        let fault = Fault { name: row.name, message: message.into() };
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }

    /// Declares that other programs read `row`, and this one each of `instead`: reported where
    /// only the former is set.
    pub fn read_elsewhere(&mut self, row: &Row, instead: &[Row]) {
        let is_missing = instead.iter().any(|instead| self.value_of(instead.name).is_none());
        if is_missing && self.value_of(row.name).is_some() {
            let instead: Vec<_> = instead.iter().map(|instead| instead.name).collect();
            let instead = instead.join(" and ");
            let name = row.name;
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
        let mut known = unread::manual();
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

#[cfg(test)]
mod tests {
    use std::{collections::HashMap, time::Duration};

    use super::*;
    use crate::config::{number, switch, time_span};

    crate::settings! {
        const ROWS: "Samples";

        TTL: Duration = Setting::new("7s", time_span)
            .checked(|ttl| (ttl.as_secs() > 60).then_some("must be at most a minute")),
            "a time span";
        COUNT: u32 = Setting::new("1", |text| number(text, 1..=8)), "a number";
        FLAG: bool = Setting::new("on", switch), "a switch";
        NOT_IN_THE_MANUAL: Option<String> = Setting::text("none"), "a text";
        DATABASE_URL: Option<String> = Setting::text("none"), "of others";
        AUTH_DATABASE_URL: Option<String> = Setting::text("none"), "of this one";
        TASK_DATABASE_URL: Option<String> = Setting::text("none"), "of this one as well";
        TRASH_RETENTION: Option<String> = Setting::text("none"), "of others";
    }

    fn vars<const N: usize>(vars: [(&'static str, &str); N]) -> HashMap<&'static str, String> {
        vars.into_iter().map(|(name, value)| (name, value.to_owned())).collect()
    }

    #[test]
    fn every_fault_is_reported_at_once_and_no_value_is_quoted() {
        let vars = vars([("TTL", "soon-s3cret"), ("COUNT", "900"), ("FLAG", "maybe")]);
        let mut reader = Reader::new(&vars);
        reader.get(&TTL);
        reader.get(&COUNT);
        reader.get(&FLAG);
        reader.get(&FLAG);
        let faults = reader.finish(Some(())).expect_err("three faults");
        assert_eq!(faults.0.len(), 3);
        assert_eq!(faults.to_string().lines().count(), 3);
        assert!(!faults.to_string().contains("s3cret"));
    }

    #[test]
    fn unread_settings_are_reported_without_their_value() {
        let vars = vars([
            ("DATABASE_URL", "postgres://u:s3cret@h/d"),
            ("TRUSTED_ORIGIN", "s3cret"),
            ("JWT_AUD", ""),
            ("TRASH_RETENTION", "30d"),
            ("NOT_IN_THE_MANUAL", "1"),
            ("HOME", "/root"),
        ]);
        let mut reader = Reader::new(&vars);
        reader.get(&NOT_IN_THE_MANUAL);
        let instead = [AUTH_DATABASE_URL.row(), TASK_DATABASE_URL.row()];
        reader.read_elsewhere(&DATABASE_URL, &instead);
        reader.read_elsewhere(&TRASH_RETENTION, &[NOT_IN_THE_MANUAL.row()]);
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
    fn empty_means_default() {
        let vars = vars([("TTL", ""), ("COUNT", "8")]);
        let mut reader = Reader::new(&vars);
        assert_eq!(reader.get(&TTL), Duration::from_secs(7));
        assert_eq!(reader.get(&COUNT), 8);
        assert!(reader.get(&FLAG));
        assert_eq!(reader.names_read(), BTreeSet::from(["COUNT", "FLAG", "TTL"]));
        assert!(reader.finish(Some(())).is_ok());
    }

    #[test]
    fn what_fails_a_check_is_a_fault_and_returned() {
        let vars = vars([("TTL", "2m")]);
        let mut reader = Reader::new(&vars);
        assert_eq!(reader.get(&TTL), Duration::from_mins(2));
        let faults = reader.finish(Some(())).expect_err("a fault");
        assert_eq!(faults.to_string(), "TTL must be at most a minute");
    }

    #[test]
    fn a_setting_of_others_is_checked_and_not_counted_as_read() {
        let vars = vars([("FLAG", "off"), ("COUNT", "many")]);
        let mut reader = Reader::new(&vars);
        assert!(!reader.check_elsewhere(&FLAG));
        assert_eq!(reader.check_elsewhere(&COUNT), 1);
        assert_eq!(reader.names_read(), BTreeSet::new());
        assert!(reader.finish(Some(())).is_err(), "a fault is one all the same");
    }

    #[test]
    fn every_setting_is_in_the_list_under_its_name() {
        let names: Vec<_> = ROWS.iter().map(|row| row.name).collect();
        assert_eq!(names[..3], ["TTL", "COUNT", "FLAG"]);
        assert!(ROWS.iter().all(|row| row.section == "Samples" && !row.meaning.is_empty()));
        let moved = TTL.by_default("3s");
        assert_eq!((moved.name, moved.default()), ("TTL", Duration::from_secs(3)));
    }
}
