//! The etag (entity tag) of a task: the name of one version, and the precondition of a change.
//! The headers `If-Match` and `If-None-Match` are read in `api/http/preconditions.rs` and
//! `server::http::preconditions`.

/// The precondition of a change: an etag, or several in quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// The precondition of a request; none for an empty text. A text that is no etag of this
    /// service matches no version.
    pub fn given(text: String) -> Option<Self> {
        Some(text).filter(|text| !text.is_empty()).map(Self)
    }

    /// The etag of the version with this change number. Numbers of a task never repeat, so etags do
    /// not either.
    pub fn of(revision: i64) -> Self {
        Self(format!("{revision:x}"))
    }

    /// Whether the precondition matches the version with this change number.
    pub fn is_of(&self, revision: i64) -> bool {
        let Self(name) = Self::of(revision);
        match self.0.strip_prefix('"') {
            // Every other piece is quoted.
            Some(list) => list.split('"').step_by(2).any(|one| one == name),
            None => self.0 == name,
        }
    }

    /// The etag as text.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_named_apart_and_other_spellings_name_none() {
        assert_eq!(Etag::given(String::new()), None);
        for (text, is_named) in [
            ("2a", true),
            ("\"2a\"", true),
            ("\"1\", \"2a\"", true),
            ("\"2a\",\"1\"", true),
            ("42", false),
            ("2A", false),
            ("02a", false),
            (" 2a", false),
            ("\"1\", \"2\"", false),
            ("\"1\"2a\"2\"", false),
            ("\"", false),
            ("W/\"2a\"", false),
            ("*", false),
        ] {
            let etag = Etag::given(text.into()).expect("a condition");
            assert_eq!(etag.is_of(42), is_named, "{text:?}");
        }
    }
}
