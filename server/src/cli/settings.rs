//! The settings in `--help`, and those of every server.

use std::fmt::Write;

use shared::{
    config::{Fallback, Row},
    trusted_origin,
};

use crate::{
    admission::limits, allowed_headers, audit_log, db, proxies, settings, storage, telemetry, tls,
};

/// The settings that every server reads, at addresses with the defaults of its program.
#[must_use]
pub fn server_settings(addresses: &settings::Addresses) -> Vec<Row> {
    [
        db::SETTINGS,
        storage::SETTINGS,
        audit_log::SETTINGS,
        &[addresses.grpc.row(), addresses.http.row()],
        tls::SETTINGS,
        trusted_origin::SETTINGS,
        allowed_headers::SETTINGS,
        proxies::SETTINGS,
        settings::SETTINGS,
        limits::SETTINGS,
        telemetry::SETTINGS,
    ]
    .concat()
}

/// The end of `--help`: all settings, by their sections in the order of `rows`.
pub(super) fn help(rows: &[Row]) -> String {
    let mut sections: Vec<&str> = Vec::new();
    for row in rows {
        if !sections.contains(&row.section) {
            sections.push(row.section);
        }
    }
    let mut text = "Settings are environment variables; .env.example explains each of them at \
                    length."
        .to_owned();
    for section in sections {
        let _ = write!(text, "\n\n{section}:");
        for row in rows.iter().filter(|row| row.section == section) {
            let default = match row.default {
                Fallback::Value(value) => format!("default: {value}"),
                Fallback::Described(description) => description.to_owned(),
            };
            let _ = write!(text, "\n  {} [{default}]\n          {}", row.name, row.meaning);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_lists_settings_by_section_in_order() {
        let row = |name, section, default| Row { name, section, default, meaning: "what it is" };
        let rows = [
            row("ONE", "Data", Fallback::Value("8")),
            row("TWO", "Logs", Fallback::Described("required")),
            row("THREE", "Data", Fallback::Value("off")),
        ];
        let help = help(&rows);
        let (_, listed) = help.split_once("\n\n").expect("a list");
        let expected = "Data:\n  ONE [default: 8]\n          what it is\n  \
                        THREE [default: off]\n          what it is\n\n\
                        Logs:\n  TWO [required]\n          what it is";
        assert_eq!(listed, expected);
    }
}
