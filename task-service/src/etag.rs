//! The name of one version of a task.

/// The version a caller's change is based on, as the caller sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// The caller's condition; an empty text sets none. Any text is taken: one that this
    /// service never gave out names no version, and so is stale.
    pub fn given(text: String) -> Option<Self> {
        Some(text).filter(|text| !text.is_empty()).map(Self)
    }

    /// The name of the version with this change number. A task's numbers never repeat, so
    /// neither do its names.
    pub fn of(revision: i64) -> Self {
        Self(format!("{revision:x}"))
    }

    /// The name as text.
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
        assert_eq!(Etag::given("2a".into()), Some(Etag::of(42)));
        for other in ["42", "2A", "02a", " 2a", "\"2a\"", "*"] {
            assert_ne!(Etag::given(other.into()), Some(Etag::of(42)), "{other:?}");
        }
    }
}
