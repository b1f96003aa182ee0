//! Poolers, such as PgBouncer, between this process and a PostgreSQL server. In transaction mode
//! any transaction may be in another session of the server, so nothing outlives one: settings are
//! those of a transaction, statements have no name, and a single one is a transaction of its own.

use std::{
    fmt::Write,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use sea_orm::SqlxError;

/// The pooler in front of a server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooler {
    /// None, unless a connection shows that there is one: its mode is then not known, and the rules
    /// of transaction mode hold in every mode.
    #[default]
    Detect,
    /// One with a server's session for each connection.
    Session,
    /// One with a server's session for each transaction.
    Transaction,
}

impl Pooler {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Detect),
            "session" => Ok(Self::Session),
            "transaction" => Ok(Self::Transaction),
            _ => Err("must be `auto`, `session` or `transaction`".to_owned()),
        }
    }
}

/// What is known of the pooler in front of a server, shared by all of its connections.
#[derive(Clone)]
pub struct Detection {
    configured: Pooler,
    is_found: Arc<AtomicBool>,
}

impl Detection {
    pub fn new(configured: Pooler) -> Self {
        Self { configured, is_found: Arc::default() }
    }

    /// The pooler; `None` as long as none has shown.
    pub fn pooler(&self) -> Option<Pooler> {
        match self.configured {
            Pooler::Detect => self.is_found.load(Ordering::Relaxed).then_some(Pooler::Transaction),
            configured => Some(configured),
        }
    }

    /// Remembers that there is a pooler, and logs that once.
    pub fn found(&self, location: &str) {
        if !self.is_found.swap(true, Ordering::Relaxed) {
            tracing::info!(location, "a pooler is in front: its transaction mode is assumed");
        }
    }
}

/// Whether an attempt to connect failed because a pooler accepts no settings of sessions.
pub fn refuses_settings(error: &SqlxError) -> bool {
    matches!(error, SqlxError::Database(error)
        if error.message().starts_with("unsupported startup parameter"))
}

/// A list of settings of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionSettings(Vec<(String, String)>);

impl SessionSettings {
    /// The settings in a text of options, as libpq takes it: `-c name=value`.
    pub fn parse(options: &str) -> Result<Self, SqlxError> {
        let mut settings = Vec::new();
        let mut words = words(options).into_iter();
        while let Some(word) = words.next() {
            let setting = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
                (Some(setting), _) => Some(setting.to_owned()),
                (_, Some("")) => words.next(),
                (_, setting) => setting.map(str::to_owned),
            };
            let setting = setting.as_deref().and_then(|setting| setting.split_once('='));
            let Some((name, value)) = setting else {
                let fault = "behind a pooler, `options` can hold `-c name=value` and nothing else";
                return Err(SqlxError::Configuration(fault.into()));
            };
            settings.push((name.replace('-', "_"), value.to_owned()));
        }
        Ok(Self(settings))
    }

    /// The statement that sets them for the transaction that is open.
    pub fn for_transaction(&self) -> String {
        self.statement(true)
    }

    /// The statement that sets them for a session.
    pub fn for_session(&self) -> String {
        self.statement(false)
    }

    fn statement(&self, is_local: bool) -> String {
        let mut statement = "SELECT true".to_owned();
        for (name, value) in &self.0 {
            let name = match name.as_str() {
                // The default would count for the next one.
                "default_transaction_read_only" if is_local => "transaction_read_only",
                name => name,
            };
            let (name, value) = (literal(name), literal(value));
            let _ = write!(statement, ", set_config({name}, {value}, {is_local})");
        }
        statement
    }
}

/// The words of a text, in which a backslash keeps the next character as it is.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut chars) = (String::new(), text.chars());
    while let Some(next) = chars.next() {
        match next {
            '\\' => word.extend(chars.next()),
            next if next.is_whitespace() => words.push(std::mem::take(&mut word)),
            next => word.push(next),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// A text as SQL, whatever `standard_conforming_strings` says.
fn literal(text: &str) -> String {
    format!("E'{}'", text.replace('\\', r"\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_become_settings_of_a_transaction_or_of_a_session() {
        let options =
            r"-c search_path=a,\ b\\ --lock-timeout=1s  -cdefault_transaction_read_only=on";
        let settings = SessionSettings::parse(options).expect("options");
        assert_eq!(
            settings.for_transaction(),
            r"SELECT true, set_config(E'search_path', E'a, b\\', true), set_config(E'lock_timeout', E'1s', true), set_config(E'transaction_read_only', E'on', true)"
        );
        let of_session = settings.for_session();
        assert!(of_session.contains("E'default_transaction_read_only', E'on', false"));
        let quote = SessionSettings::parse("-c a=');DROP").expect("options").for_session();
        assert_eq!(quote, "SELECT true, set_config(E'a', E''');DROP', false)");
        assert_eq!(SessionSettings::parse(" ").map(|none| none.0).expect("none"), []);
        for other in ["-B 5", "-c", "-c a", "a=b"] {
            assert!(SessionSettings::parse(other).is_err(), "{other}");
        }
    }
}
