//! How the tables at hand keep what Better Auth leaves open: the form of ids, and a column
//! that some of its releases demand.
//!
//! Ids are texts to everybody else. Here a text becomes what its column holds, so that an
//! index on the column is used; a text that cannot be such an id finds nothing.

mod id;
mod judgement;
mod restrictions;
mod schema;

pub use self::{id::IdKind, judgement::Differences, schema::Schema};
use self::{judgement::judge, restrictions::RestrictionColumns};

/// The column that releases 1.7.0 to 1.7.2 demand of `account`.
const ISSUER: &str = "issuer";

/// What it says of accounts that sign in with a password.
const LOCAL_ISSUER: &str = "local:credential";

/// What was found at start. It holds until the next start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Ids of users, wherever they stand.
    pub user: IdKind,
    /// Ids of sessions.
    pub session: IdKind,
    /// Ids of accounts.
    pub account: IdKind,
    /// `account.issuer` is there and must be filled.
    has_issuer: bool,
    /// What takes access away.
    pub restrictions: RestrictionColumns,
}

impl Layout {
    /// The layout of these tables, as far as they are there. An error names everything that
    /// this service cannot work with.
    pub fn of(schema: &Schema) -> Result<Self, Differences> {
        judge(schema)
    }

    /// The column and value that an account with a password must have beside ours.
    pub(super) fn issuer(self) -> Option<(&'static str, &'static str)> {
        self.has_issuer.then_some((ISSUER, LOCAL_ISSUER))
    }
}
