//! Changes since a place in one user's history.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{page, task::Task};

/// The first byte of a token; another layout gets another one.
const VERSION: u8 = 1;

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
}

/// The text is no such token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a sync token as it came")]
pub struct InvalidSyncToken;

impl SyncPlace {
    /// Before everything, for who has nothing when `latest` is the last change.
    pub fn start(latest: i64) -> Self {
        Self { revision: 0, id: Uuid::nil(), begun: latest }
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

    /// The place as a caller carries it. It tells nothing that the caller has not seen, and
    /// opens nothing: the owner is asked for again.
    pub fn token(&self) -> String {
        let mut bytes = [VERSION; 33];
        bytes[1..9].copy_from_slice(&self.revision.to_be_bytes());
        bytes[9..17].copy_from_slice(&self.begun.to_be_bytes());
        bytes[17..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`SyncPlace::token`] wrote.
    pub fn parse(token: &str) -> Result<Self, InvalidSyncToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidSyncToken)?;
        let Some((&[VERSION], rest)) = bytes.split_first_chunk::<1>() else {
            return Err(InvalidSyncToken);
        };
        let (revision, rest) = rest.split_first_chunk::<8>().ok_or(InvalidSyncToken)?;
        let (begun, id) = rest.split_first_chunk::<8>().ok_or(InvalidSyncToken)?;
        let id = Uuid::from_slice(id).map_err(|_| InvalidSyncToken)?;
        let [revision, begun] = [*revision, *begun].map(i64::from_be_bytes);
        if revision < 0 || begun < 0 {
            return Err(InvalidSyncToken);
        }
        Ok(Self { revision, id, begun })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let place = SyncPlace { revision: 42, id: Uuid::from_u128(7), begun: 40 };
        let token = place.token();
        assert_eq!(SyncPlace::parse(&token), Ok(place));
        let other = format!("B{}", &token[1..]);
        let negative = SyncPlace { revision: -1, ..place }.token();
        let before_all = SyncPlace { begun: -1, ..place }.token();
        for text in ["", "!", &token[1..], &other, &format!("{token}A"), &negative, &before_all] {
            assert_eq!(SyncPlace::parse(text), Err(InvalidSyncToken), "{text:?}");
        }
    }
}
