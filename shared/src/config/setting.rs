//! The rows of settings: name, section, default and meaning in one place, from which come the
//! reader, `--help`, and the tests of the documents.

use std::ops::Deref;

/// The row of a setting, as documents show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name of the environment variable.
    pub name: &'static str,
    /// The heading under which documents list it.
    pub section: &'static str,
    /// The value where it is not set.
    pub default: Fallback,
    /// The meaning, a phrase without a full stop.
    pub meaning: &'static str,
}

/// The default of a setting, as documents show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// A value, which can be written down as well.
    Value(&'static str),
    /// A description of what is computed, or of why there is none.
    Described(&'static str),
}

/// A setting: its row, and how its value is read. Made by [`settings!`](crate::settings).
pub struct Setting<T> {
    row: Row,
    pub(super) parse: Parse<T>,
    pub(super) fault: fn(&T) -> Option<&'static str>,
    computed: Option<fn() -> T>,
}

/// A parser of values: a fault says what the value must be, and does not quote it.
pub type Parse<T> = fn(&str) -> Result<T, String>;

impl<T> Setting<T> {
    /// A setting whose default is a value, parsed as one that is set.
    #[must_use]
    pub const fn new(default: &'static str, parse: Parse<T>) -> Self {
        Self::of(Fallback::Value(default), None, parse)
    }

    /// A setting whose default is computed, as `description` says.
    #[must_use]
    pub const fn computed(description: &'static str, default: fn() -> T, parse: Parse<T>) -> Self {
        Self::of(Fallback::Described(description), Some(default), parse)
    }

    const fn of(default: Fallback, computed: Option<fn() -> T>, parse: Parse<T>) -> Self {
        let row = Row { name: "", section: "", default, meaning: "" };
        Self { row, parse, fault: |_| None, computed }
    }

    /// The setting, with a check of what was parsed: a fault is recorded, and the value returned
    /// all the same, so that others are compared with what was set.
    #[must_use]
    pub const fn checked(self, fault: fn(&T) -> Option<&'static str>) -> Self {
        Self { fault, ..self }
    }

    /// The setting under this name, with what documents say of it.
    #[must_use]
    pub const fn named(
        self,
        name: &'static str,
        section: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { row: Row { name, section, default: self.row.default, meaning }, ..self }
    }

    /// The setting, with another default, of one program.
    #[must_use]
    pub const fn by_default(self, default: &'static str) -> Self {
        Self { row: Row { default: Fallback::Value(default), ..self.row }, computed: None, ..self }
    }

    /// The row, for a list of settings.
    #[must_use]
    pub const fn row(&self) -> Row {
        self.row
    }

    /// The value where the setting is not set.
    #[expect(clippy::expect_used, reason = "standalone/src/settings_tests.rs parses every default")]
    pub fn default(&self) -> T {
        match (self.row.default, self.computed) {
            (_, Some(default)) => default(),
            (Fallback::Value(text) | Fallback::Described(text), None) => {
                (self.parse)(text).expect("a default that can be parsed")
            }
        }
    }
}

impl<T> Setting<Option<T>> {
    /// A setting that may have no value; `description` says what happens then.
    #[must_use]
    pub const fn optional(description: &'static str, parse: Parse<Option<T>>) -> Self {
        Self::computed(description, || None, parse)
    }
}

impl Setting<Option<String>> {
    /// A setting that is read as a text, and may have none.
    #[must_use]
    pub const fn text(description: &'static str) -> Self {
        Self::optional(description, |text| Ok(Some(text.to_owned())))
    }
}

/// A setting stands for its row where its value is of no interest.
impl<T> Deref for Setting<T> {
    type Target = Row;

    fn deref(&self) -> &Row {
        &self.row
    }
}

/// Settings under one heading of the documents, as constants, and the list of their rows: a
/// setting that can be read is in a list. Each row is the name, which is the variable's, the type
/// of the value, how it is read, and the meaning.
///
/// ```
/// use std::time::Duration;
///
/// use shared::config::{Reader, Setting, Unset, time_span};
///
/// shared::settings! {
///     /// The settings of kettles.
///     pub const KETTLES: "Kitchen";
///
///     /// One of them.
///     pub BOILING_TIME: Duration = Setting::new("3m", time_span),
///         "how long water boils";
/// }
///
/// let boiling_time = Reader::new(&Unset).get(&BOILING_TIME);
/// assert_eq!(boiling_time, Duration::from_secs(180));
/// assert_eq!(KETTLES[0].name, "BOILING_TIME");
/// ```
#[macro_export]
macro_rules! settings {
    (
        $(#[$attribute:meta])* $visible:vis const $list:ident: $section:literal;
        $($(#[$comment:meta])* $visibility:vis $name:ident: $type:ty = $setting:expr, $meaning:literal;)+
    ) => {
        $(
            $(#[$comment])*
            #[doc = concat!("`", stringify!($name), "`: ", $meaning, ".")]
            $visibility const $name: $crate::config::Setting<$type> =
                $setting.named(stringify!($name), $section, $meaning);
        )+

        $(#[$attribute])*
        $visible const $list: &[$crate::config::Row] = &[$($name.row()),+];
    };
}
