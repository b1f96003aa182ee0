//! The layout of the tables, where Better Auth leaves a choice: the kind of ids, and a column
//! that some of its releases require.
//!
//! Outside the store, ids are texts. Here a text becomes a value of its column, so that an index
//! on the column is used; a text that cannot be an id finds nothing.

mod id;
mod restrictions;
mod schema;
mod schema_check;

pub use self::{id::IdKind, schema::Schema, schema_check::Differences};
use self::{restrictions::RestrictionColumns, schema_check::check_schema};

/// The column that releases 1.7.0 to 1.7.2 require in `account`.
const ISSUER: &str = "issuer";

/// Its value for accounts with a password.
const LOCAL_ISSUER: &str = "local:credential";

/// The layout at start. It holds until the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Ids of users, in every table.
    pub user: IdKind,
    /// Ids of sessions.
    pub session: IdKind,
    /// Ids of accounts.
    pub account: IdKind,
    /// `account.issuer` exists and is required.
    has_issuer: bool,
    /// The restriction columns of `user`.
    pub restrictions: RestrictionColumns,
}

impl Layout {
    /// The layout of the existing tables, or every difference from a supported one.
    pub fn of(schema: &Schema) -> Result<Self, Differences> {
        check_schema(schema)
    }

    /// The column and value that an account with a password needs besides.
    pub(super) fn issuer(self) -> Option<(&'static str, &'static str)> {
        self.has_issuer.then_some((ISSUER, LOCAL_ISSUER))
    }
}
