//! The description of a task.

use crate::domain::text;

/// The most characters a description may have.
const CHARS: usize = 10_000;

/// A valid description.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description(String);

/// The error of an invalid description.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {CHARS} characters, without NUL")]
pub struct InvalidDescription;

impl Description {
    /// Parses at most 10 000 characters, unchanged. NUL is refused because PostgreSQL cannot store
    /// it.
    pub fn parse(text: String) -> Result<Self, InvalidDescription> {
        if !text::fits(&text, CHARS) || text.contains('\0') {
            return Err(InvalidDescription);
        }
        Ok(Self(text))
    }

    /// The description of a stored task.
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The description as text.
    pub fn into_string(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_are_kept_as_they_come() {
        for text in ["", "  two\r\nlines\t ", &"🦀".repeat(10_000), &"x".repeat(10_000)] {
            assert_eq!(Description::parse(text.to_owned()).expect("a description").as_str(), text);
        }
        for text in ["\0", "a\0b", &"🦀".repeat(10_001), &"x".repeat(10_001)] {
            assert_eq!(Description::parse(text.to_owned()), Err(InvalidDescription));
        }
    }
}
