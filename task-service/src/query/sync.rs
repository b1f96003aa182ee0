//! Changes since a place in one user's history.

use uuid::Uuid;

use crate::{
    domain::task::Task,
    query::{
        cursor::{Kind, Reader, Writer, is_of_version_1},
        page,
    },
};

/// The length of a token of version 1, which did not say of which database it was.
const LENGTH_1: usize = 33;

/// No database has this epoch.
const NO_EPOCH: i64 = -1;

/// What a caller has, and how much more it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncRequest {
    /// At most so many changes.
    pub size: usize,
    /// What the caller has; `None`: nothing yet.
    pub after: Option<SyncPlace>,
}

/// What has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changes {
    /// Oldest change first; one in the trash is a deletion.
    pub tasks: Vec<Task>,
    /// Behind them.
    pub next: SyncPlace,
    /// Whether there is more already.
    pub more: bool,
}

impl Changes {
    /// At most `size` of `tasks`, which come after `place`; there is one more of them if
    /// there are more.
    pub fn cut(mut tasks: Vec<Task>, size: usize, place: SyncPlace) -> Self {
        let fitting = page::fitting(&tasks).min(size);
        let more = tasks.len() > fitting;
        tasks.truncate(fitting);
        let next = tasks.last().map_or(place, |last| place.behind(last));
        Self { tasks, next, more }
    }
}

/// A place in a user's history: behind a task's last change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyncPlace {
    /// The number of the change.
    pub revision: i64,
    /// The task, of those the change wrote.
    pub id: Uuid,
    /// The number of the user's last change when the caller began with nothing. What was
    /// deleted and what was reminded of before then is nothing to the caller, even while
    /// the place is still before it.
    pub begun: i64,
    /// The epoch of the database whose numbers these are.
    pub epoch: i64,
}

/// The text is no such token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a sync token of this user as it came")]
pub struct InvalidSyncToken;

impl SyncPlace {
    /// Before everything, for who has nothing when `latest` is the last change.
    pub fn start(latest: i64, epoch: i64) -> Self {
        Self { revision: 0, id: Uuid::nil(), begun: latest, epoch }
    }

    /// The place behind the last change of `task`.
    pub fn behind(self, task: &Task) -> Self {
        Self { revision: task.revision, id: task.id, ..self }
    }

    /// The place behind all of the change with this number.
    pub fn behind_all_of(self, revision: i64) -> Self {
        Self { revision, id: Uuid::max(), ..self }
    }

    /// What is deleted and forgotten up to here, the caller has been told of or never had.
    pub fn known(&self) -> i64 {
        self.revision.max(self.begun)
    }

    /// Where it stands among the places of one user.
    pub fn order(&self) -> (i64, Uuid) {
        (self.revision, self.id)
    }

    /// The place as this user carries it.
    pub fn token(&self, user_id: &str) -> String {
        let Self { revision, id, begun, epoch } = *self;
        let cursor = Writer::new(Kind::Changes, user_id.as_bytes());
        cursor.number(epoch).number(revision).number(begun).id(id).token()
    }

    /// Reads what [`SyncPlace::token`] wrote for the same user, in this version or in 2. A token
    /// of version 1 is one of no database that there is.
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
        let place = SyncPlace { revision: 42, id: Uuid::from_u128(7), begun: 40, epoch: 9 };
        let token = place.token("ada");
        assert_eq!(SyncPlace::parse(&token, "ada"), Ok(place));
        let other = format!("C{}", &token[1..]);
        let negative = SyncPlace { revision: -1, ..place }.token("ada");
        let before_all = SyncPlace { begun: -1, ..place }.token("ada");
        let of_none = SyncPlace { epoch: -1, ..place }.token("ada");
        let (his, longer) = (place.token("Ada"), format!("{token}A"));
        for text in ["", "!", &token[1..], &other, &longer, &negative, &before_all, &of_none, &his]
        {
            assert_eq!(SyncPlace::parse(text, "ada"), Err(InvalidSyncToken), "{text:?}");
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
        let place = SyncPlace { revision: 42, id: Uuid::from_u128(7), begun: 40, epoch: 9 };
        assert_eq!(SyncPlace::parse(&before, "ada"), Ok(place));
        assert_eq!(SyncPlace::parse(&before, "bob"), Err(InvalidSyncToken));
    }

    #[test]
    fn a_token_of_version_1_is_of_no_database() {
        let before = URL_SAFE_NO_PAD.encode([1; 33]);
        let place = SyncPlace::parse(&before, "ada").expect("a token");
        assert!(place.epoch < 0);
        for other in [[1; 32].as_slice(), &[1; 34], &[3; 33]] {
            let other = URL_SAFE_NO_PAD.encode(other);
            assert_eq!(SyncPlace::parse(&other, "ada"), Err(InvalidSyncToken));
        }
    }
}
