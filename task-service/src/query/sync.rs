//! The sync of a user's changes, and the sync cursor (`sync_token`).

use server::cursor::{Kind, Reader, Writer, is_of_version_1};
use uuid::Uuid;

use crate::{domain::task::Task, query::page};

/// The length of a cursor of version 1, which had no epoch.
const LENGTH_1: usize = 33;

/// An epoch that no database has.
pub const NO_EPOCH: i64 = -1;

/// The request of a sync.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// The page size.
    pub size: usize,
    /// The cursor of the client; `None` for a first sync.
    pub after: Option<SyncCursor>,
}

/// A page of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// The tasks, oldest change first; one in the trash is a deletion.
    pub tasks: Vec<Task>,
    /// The cursor after them.
    pub next: SyncCursor,
    /// Whether more changes are available.
    pub more: bool,
}

impl Changes {
    /// The first `size` of `tasks`, which come after `after` and have one more if there are more.
    pub fn cut(mut tasks: Vec<Task>, size: usize, cursor: SyncCursor) -> Self {
        let fitting = page::fitting(&tasks).min(size);
        let more = tasks.len() > fitting;
        tasks.truncate(fitting);
        let next = tasks.last().map_or(cursor, |last| cursor.behind(last));
        Self { tasks, next, more }
    }
}

/// A sync cursor: right after the last change of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncCursor {
    /// The change number.
    pub revision: i64,
    /// The task, among those of the change.
    pub id: Uuid,
    /// The user's last change number at the first sync. Earlier deletions and reminders are not
    /// sent to this client.
    pub begun: i64,
    /// The epoch of the database.
    pub epoch: i64,
}

/// The error of an invalid sync token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a sync token of this user as it came")]
pub struct InvalidSyncToken;

impl SyncCursor {
    /// The cursor of a first sync, when `latest` is the last change.
    pub fn start(latest: i64, epoch: i64) -> Self {
        Self { revision: 0, id: Uuid::nil(), begun: latest, epoch }
    }

    /// The cursor after the last change of `task`.
    pub fn behind(self, task: &Task) -> Self {
        Self { revision: task.revision, id: task.id, ..self }
    }

    /// The cursor after all of the change with this number.
    pub fn behind_all_of(self, revision: i64) -> Self {
        Self { revision, id: Uuid::max(), ..self }
    }

    /// The change number up to which purged deletions are known to the client.
    pub fn known(&self) -> i64 {
        self.revision.max(self.begun)
    }

    /// The order among the cursors of one user.
    pub fn order(&self) -> (i64, Uuid) {
        (self.revision, self.id)
    }

    /// The sync token of this user.
    pub fn token(&self, user_id: &str) -> String {
        let Self { revision, id, begun, epoch } = *self;
        let cursor = Writer::new(Kind::Changes, user_id.as_bytes());
        cursor.number(epoch).number(revision).number(begun).id(id).token()
    }

    /// Parses a sync token of the same user, of this version or 2. One of version 1 is of an
    /// unknown database.
    pub fn parse(token: &str, user_id: &str) -> Result<Self, InvalidSyncToken> {
        if is_of_version_1(token, LENGTH_1) {
            return Ok(Self::start(0, NO_EPOCH));
        }
        let user = Some(user_id.as_bytes());
        let cursor = Reader::open(token, Kind::Changes, user);
        let cursor = cursor.or_else(|| Reader::open_version_2(token, user));
        cursor.and_then(Self::read).ok_or(InvalidSyncToken)
    }

    fn read(mut cursor: Reader) -> Option<Self> {
        let (epoch, revision, begun) = (cursor.count()?, cursor.count()?, cursor.count()?);
        let id = cursor.id()?;
        cursor.finish(Self { revision, id, begun, epoch })
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn a_token_is_read_back_by_its_user_and_nothing_else_is_one() {
        let cursor = SyncCursor { revision: 42, id: Uuid::from_u128(7), begun: 40, epoch: 9 };
        let token = cursor.token("ada");
        assert_eq!(SyncCursor::parse(&token, "ada"), Ok(cursor));
        let other = format!("C{}", &token[1..]);
        let negative = SyncCursor { revision: -1, ..cursor }.token("ada");
        let before_all = SyncCursor { begun: -1, ..cursor }.token("ada");
        let of_none = SyncCursor { epoch: -1, ..cursor }.token("ada");
        let (his, longer) = (cursor.token("Ada"), format!("{token}A"));
        for text in ["", "!", &token[1..], &other, &longer, &negative, &before_all, &of_none, &his]
        {
            assert_eq!(SyncCursor::parse(text, "ada"), Err(InvalidSyncToken), "{text:?}");
        }
    }

    #[test]
    fn a_token_of_version_2_is_read_by_its_user() {
        let mut before = [[2].as_slice(), &Sha256::digest("ada")[..8]].concat();
        for number in [9_u64, 42, 40] {
            before.extend(number.to_be_bytes());
        }
        before.extend(Uuid::from_u128(7).as_bytes());
        let before = URL_SAFE_NO_PAD.encode(before);
        let cursor = SyncCursor { revision: 42, id: Uuid::from_u128(7), begun: 40, epoch: 9 };
        assert_eq!(SyncCursor::parse(&before, "ada"), Ok(cursor));
        assert_eq!(SyncCursor::parse(&before, "bob"), Err(InvalidSyncToken));
    }

    #[test]
    fn a_token_of_version_1_is_of_no_database() {
        let before = URL_SAFE_NO_PAD.encode([1; 33]);
        let cursor = SyncCursor::parse(&before, "ada").expect("a token");
        assert!(cursor.epoch < 0);
        for other in [[1; 32].as_slice(), &[1; 34], &[3; 33]] {
            let other = URL_SAFE_NO_PAD.encode(other);
            assert_eq!(SyncCursor::parse(&other, "ada"), Err(InvalidSyncToken));
        }
    }
}
