//! The documents of settings against the rows of the three programs.

use std::collections::BTreeSet;

use shared::config::{Fallback, Row, manual};

use crate::settings;

const OVERVIEW: &str = include_str!("../../docs/configuration.md");
const MANUAL: &str = include_str!("../../.env.example");

/// A setting with the default of each program that reads it.
struct Setting {
    row: Row,
    defaults: Vec<(&'static str, Fallback)>,
}

impl Setting {
    /// The settings of all programs, each once.
    fn all() -> Vec<Self> {
        let programs = [
            ("auth-service", auth_service::Config::rows()),
            ("task-service", task_service::Config::rows()),
            ("standalone", settings::rows()),
        ];
        let mut all: Vec<Self> = Vec::new();
        for (program, rows) in programs {
            for row in rows {
                let default = (program, row.default);
                match all.iter_mut().find(|setting| setting.row.name == row.name) {
                    Some(setting) => {
                        assert_eq!(setting.row.meaning, row.meaning);
                        assert_eq!(setting.row.section, row.section);
                        setting.defaults.push(default);
                    }
                    None => all.push(Self { row, defaults: vec![default] }),
                }
            }
        }
        all
    }

    /// The default, if it is a value and that of every program.
    fn value(&self) -> Option<&'static str> {
        let (_, first) = self.defaults[0];
        let is_common = self.defaults.iter().all(|(_, default)| *default == first);
        match first {
            Fallback::Value(value) if is_common => Some(value),
            _ => None,
        }
    }

    /// The line of the overview.
    fn line(&self) -> String {
        let (default, readers) = (self.default(), self.readers());
        format!("| `{}` | {default} | {readers} | {} |", self.row.name, self.row.meaning)
    }

    /// The defaults that differ, each with its programs.
    fn default(&self) -> String {
        let mut by_default: Vec<(Fallback, Vec<&str>)> = Vec::new();
        for (program, default) in &self.defaults {
            match by_default.iter_mut().find(|(other, _)| other == default) {
                Some((_, programs)) => programs.push(program),
                None => by_default.push((*default, vec![program])),
            }
        }
        let is_common = by_default.len() == 1;
        let shown = by_default.iter().map(|(default, programs)| {
            let default = match default {
                Fallback::Value(value) => format!("`{value}`"),
                Fallback::Described(description) => (*description).to_owned(),
            };
            if is_common { default } else { format!("{default} ({})", programs.join(", ")) }
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    /// The services that read it; standalone does so as well, unless stated.
    fn readers(&self) -> String {
        let programs: Vec<&str> = self.defaults.iter().map(|(program, _)| *program).collect();
        match programs[..] {
            ["auth-service", "task-service", "standalone"] => "both".to_owned(),
            ["auth-service", "task-service"] => "both, not standalone".to_owned(),
            [service, "standalone"] => service.to_owned(),
            ["standalone"] => "standalone".to_owned(),
            [service] => format!("{service}, not standalone"),
            _ => unreachable!("three programs"),
        }
    }
}

/// The lines of the tables, each under its heading, without the addresses of links.
fn overview() -> BTreeSet<String> {
    let mut section = "";
    let mut lines = BTreeSet::new();
    for line in OVERVIEW.lines() {
        section = line.strip_prefix("## ").unwrap_or(section);
        if line.starts_with("| `") {
            let is_new = lines.insert(format!("{section}: {}", without_links(line)));
            assert!(is_new, "twice: {line}");
        }
    }
    lines
}

/// The text with `[words](address)` as words.
fn without_links(line: &str) -> String {
    let mut text = line.to_owned();
    while let Some((before, after)) = text.split_once("](") {
        let (_, after) = after.split_once(')').expect("the end of a link");
        let at = before.rfind('[').expect("the start of a link");
        text = format!("{}{}{after}", &before[..at], &before[at + 1..]);
    }
    text
}

#[test]
fn the_overview_has_the_row_of_every_setting() {
    let settings = Setting::all();
    let expected: BTreeSet<String> = settings
        .iter()
        .map(|setting| format!("{}: {}", setting.row.section, setting.line()))
        .collect();
    let overview = overview();
    let missing: Vec<_> = expected.difference(&overview).collect();
    let others: Vec<_> = overview.difference(&expected).collect();
    assert!(
        missing.is_empty() && others.is_empty(),
        "docs/configuration.md lacks {missing:#?} and has {others:#?}"
    );
}

#[test]
fn the_manual_has_every_setting_once_with_its_default() {
    let settings = Setting::all();
    let names: BTreeSet<&str> = settings.iter().map(|setting| setting.row.name).collect();
    let differing: Vec<_> = names.symmetric_difference(&manual()).copied().collect();
    assert_eq!(differing, [""; 0], "in .env.example or in the lists alone");
    for setting in settings {
        let name = setting.row.name;
        let value_in = |line: &'static str| {
            let (of, value) = line.strip_prefix('#').unwrap_or(line).split_once('=')?;
            (of == name).then_some(value)
        };
        let values: Vec<_> = MANUAL.lines().filter_map(value_in).collect();
        assert_eq!(values.len(), 1, "{name}");
        if let Some(default) = setting.value() {
            assert_eq!(values, [default], "{name}");
        }
    }
}

#[test]
fn links_of_the_overview_are_read_as_their_words() {
    let line = "for [rotation](rotation.md): a [list](a.md#b) [of] `x`";
    assert_eq!(without_links(line), "for rotation: a list [of] `x`");
}
