//! The kinds of ids.

use sea_orm::{ColumnTrait, DbErr, Value, prelude::Uuid, sea_query::Expr};

/// The kind of an id column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// Any text; new ones are letters and digits.
    Text,
    /// Any text; new ones are UUIDs, like the existing ones.
    UuidText,
    /// PostgreSQL's `uuid`.
    Uuid,
    /// A number that the database assigns.
    Serial,
}

impl IdKind {
    /// Whether `column`, which is of this kind, is `id`.
    pub fn is(self, column: impl ColumnTrait, id: &str) -> Expr {
        self.value(id).map_or_else(|| Expr::cust("1 = 0"), |id| column.eq(id))
    }

    /// Whether `column`, which is of this kind, is anything but `id`.
    pub fn is_not(self, column: impl ColumnTrait, id: &str) -> Expr {
        self.value(id).map_or_else(|| Expr::cust("1 = 1"), |id| column.ne(id))
    }

    /// Whether `column`, which is of this kind, is after `id`.
    pub fn is_after(self, column: impl ColumnTrait, id: &str) -> Expr {
        self.value(id).map_or_else(|| Expr::cust("1 = 0"), |id| column.gt(id))
    }

    /// `id` as a value of a column of this kind, to be written.
    pub fn reference(self, id: &str) -> Result<Expr, DbErr> {
        let value = self.value(id).map(Expr::val);
        value.ok_or_else(|| DbErr::Custom("a row refers to an id that cannot be".to_owned()))
    }

    /// `id` as a value of a column of this kind; `None` where it cannot be one.
    ///
    /// Only the spelling that the database returns counts, so that an id has one.
    fn value(self, id: &str) -> Option<Value> {
        match self {
            // PostgreSQL refuses the query itself.
            Self::Text | Self::UuidText => (!id.contains('\0')).then(|| id.into()),
            Self::Uuid => {
                let parsed = Uuid::try_parse(id).ok()?;
                (parsed.to_string() == id).then(|| parsed.into())
            }
            Self::Serial => {
                let parsed: i64 = id.parse().ok()?;
                (parsed.to_string() == id).then(|| parsed.into())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let uuid = "0d7c2a52-6f4e-4a1b-9d3e-5f60718293a4";
        for (kind, good, bad) in [
            (IdKind::Text, ["abc", "1", uuid].as_slice(), ["a\0b"].as_slice()),
            (
                IdKind::Serial,
                &["1", "42", "9223372036854775807"],
                &[
                    "",
                    "abc",
                    "01",
                    "+1",
                    " 1",
                    "1 ",
                    "1.0",
                    "1e3",
                    "9223372036854775808",
                    "1'",
                    uuid,
                ],
            ),
            (
                IdKind::Uuid,
                &[uuid],
                &[
                    "",
                    "1",
                    "0D7C2A52-6F4E-4A1B-9D3E-5F60718293A4",
                    "0d7c2a526f4e4a1b9d3e5f60718293a4",
                    "{0d7c2a52-6f4e-4a1b-9d3e-5f60718293a4}",
                    "urn:uuid:0d7c2a52-6f4e-4a1b-9d3e-5f60718293a4",
                ],
            ),
        ] {
            for id in good {
                assert!(kind.value(id).is_some(), "{kind:?} {id}");
            }
            for id in bad {
                assert!(kind.value(id).is_none(), "{kind:?} {id}");
            }
        }
    }
}
