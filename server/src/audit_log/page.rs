//! How the table is read: newest first, page by page.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use shared::fields::{Fields, Violations};
use uuid::Uuid;

use super::{EventView, event::first_id};

/// What a caller gets who does not say.
const DEFAULT_SIZE: usize = 50;

/// What a caller gets who asks for more.
const MAX_SIZE: usize = 100;

/// The first byte of a token; another layout gets another one.
const VERSION: u8 = 2;

/// Which events of a user to tell next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    pub(super) size: usize,
    pub(super) before: Option<Uuid>,
    pub(super) first: Option<Uuid>,
}

/// The page size is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be negative")]
pub struct PageSizeFault;

/// The text is no token of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a next_page_token of this user as it came")]
pub struct InvalidPageToken;

impl PageRequest {
    /// At most `size` events (0: 50, at most 100) of this user after the page that told
    /// `token`. A token names a moment, so it is good in any state of the database.
    pub fn read(size: i32, token: &str, user_id: &str) -> Result<Self, Violations> {
        let mut fields = Fields::default();
        let size = fields.take("page_size", self::size(size));
        let before = fields.take("page_token", place(token, user_id));
        fields.finish(size.zip(before).map(|(size, before)| Self { size, before, first: None }))
    }

    /// The same, but for what happened before this moment.
    #[must_use]
    pub fn since(self, moment: DateTime<Utc>) -> Self {
        Self { first: Some(first_id(moment)), ..self }
    }
}

/// A run of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub events: Vec<EventView>,
    /// The token of the next page; `None` on the last one. It says where to go on, and
    /// opens nothing: whose events are told is asked anew.
    pub next: Option<String>,
}

impl Page {
    /// The answer to `request` from `events`, of which there is one more than was asked for
    /// if there are more, for the user they are of.
    pub(super) fn cut(mut events: Vec<EventView>, request: &PageRequest, user_id: &str) -> Self {
        let goes_on = events.len() > request.size;
        events.truncate(request.size);
        let last = events.last().and_then(|event| Uuid::try_parse(&event.id).ok());
        Self { events, next: last.filter(|_| goes_on).map(|last| token(last, user_id)) }
    }
}

fn size(asked: i32) -> Result<usize, PageSizeFault> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(PageSizeFault),
    }
}

fn token(last: Uuid, user_id: &str) -> String {
    URL_SAFE_NO_PAD.encode([&[VERSION][..], &mark(user_id), last.as_bytes()].concat())
}

/// Tells users apart.
fn mark(user_id: &str) -> [u8; 8] {
    Sha256::digest(user_id).first_chunk().copied().unwrap_or_default()
}

fn place(token: &str, user_id: &str) -> Result<Option<Uuid>, InvalidPageToken> {
    if token.is_empty() {
        return Ok(None);
    }
    let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidPageToken)?;
    let (user, id) = match bytes.split_first() {
        Some((&VERSION, rest)) => rest.split_first_chunk::<8>().ok_or(InvalidPageToken)?,
        _ => return Err(InvalidPageToken),
    };
    let id = Uuid::from_slice(id).map_err(|_| InvalidPageToken)?;
    if *user == mark(user_id) { Ok(Some(id)) } else { Err(InvalidPageToken) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let last = Uuid::from_u128(7);
        let good = token(last, "ada");
        assert_eq!(place(&good, "ada"), Ok(Some(last)));
        assert_eq!(place("", "ada"), Ok(None));
        let (his, other) = (token(last, "bob"), URL_SAFE_NO_PAD.encode([2; 17]));
        let [longer, padded] = ["A", "="].map(|end| format!("{good}{end}"));
        for bad in ["!", "AQ", &good[1..], &longer, &padded, &other, &his] {
            assert_eq!(place(bad, "ada"), Err(InvalidPageToken), "{bad:?}");
        }
    }

    #[test]
    fn both_faults_are_told_at_once() {
        let faults = PageRequest::read(-1, "!", "ada").expect_err("two faults").0;
        let names: Vec<_> = faults.iter().map(|fault| &*fault.field).collect();
        assert_eq!(names, ["page_size", "page_token"]);
        let sizes =
            [0, 1, 100, i32::MAX].map(|size| PageRequest::read(size, "", "ada").map(|r| r.size));
        assert_eq!(sizes, [Ok(50), Ok(1), Ok(100), Ok(100)]);
    }
}
