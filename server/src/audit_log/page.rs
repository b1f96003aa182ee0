//! Pages of security events, newest first, with a cursor.

use chrono::{DateTime, Utc};
use shared::fields::{Fields, Violations};
use uuid::Uuid;

use super::{EventView, event::first_id};
use crate::cursor::{Kind, Reader, Writer};

/// The page size if none is given.
const DEFAULT_SIZE: usize = 50;

/// The largest page size.
const MAX_SIZE: usize = 100;

/// A request for a page of a user's events.
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

/// The text is no page token of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a next_page_token of this user as it came")]
pub struct InvalidPageToken;

impl PageRequest {
    /// A page of at most `size` events (0: 50, at most 100) after the page that had `token`. A
    /// cursor names a time, so it stays valid in any state of the database.
    pub fn read(size: i32, token: &str, user_id: &str) -> Result<Self, Violations> {
        let mut fields = Fields::default();
        let size = fields.take("page_size", self::size(size));
        let before = fields.take("page_token", position(token, user_id));
        fields.finish(size.zip(before).map(|(size, before)| Self { size, before, first: None }))
    }

    /// The request, without events before this time.
    #[must_use]
    pub fn since(self, time: DateTime<Utc>) -> Self {
        Self { first: Some(first_id(time)), ..self }
    }
}

/// A page of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub events: Vec<EventView>,
    /// The token of the next page; `None` on the last one. It grants nothing: the user is checked
    /// anew.
    pub next: Option<String>,
}

impl Page {
    /// The page for `request` from the user's `events`, one of which is beyond the page if there
    /// are more.
    pub(super) fn cut(mut events: Vec<EventView>, request: &PageRequest, user_id: &str) -> Self {
        let has_more = events.len() > request.size;
        events.truncate(request.size);
        let last = events.last().and_then(|event| Uuid::try_parse(&event.id).ok());
        Self { events, next: last.filter(|_| has_more).map(|last| encode_cursor(last, user_id)) }
    }
}

fn size(requested: i32) -> Result<usize, PageSizeFault> {
    match usize::try_from(requested) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(PageSizeFault),
    }
}

fn encode_cursor(last: Uuid, user_id: &str) -> String {
    Writer::new(Kind::SecurityEvents, user_id.as_bytes()).id(last).token()
}

/// The event after which a page begins; `None` for the first page.
fn position(token: &str, user_id: &str) -> Result<Option<Uuid>, InvalidPageToken> {
    let decoded = || {
        let mut cursor = Reader::open(token, Kind::SecurityEvents, Some(user_id.as_bytes()))?;
        let last = cursor.id()?;
        cursor.finish(last)
    };
    match token {
        "" => Ok(None),
        _ => decoded().map(Some).ok_or(InvalidPageToken),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let last = Uuid::from_u128(7);
        let good = encode_cursor(last, "ada");
        assert_eq!(position(&good, "ada"), Ok(Some(last)));
        assert_eq!(position("", "ada"), Ok(None));
        let his = encode_cursor(last, "bob");
        let other = Writer::new(Kind::Changes, b"ada").id(last).token();
        let [longer, padded] = ["A", "="].map(|end| format!("{good}{end}"));
        for bad in ["!", "AQ", &good[1..], &longer, &padded, &other, &his] {
            assert_eq!(position(bad, "ada"), Err(InvalidPageToken), "{bad:?}");
        }
    }

    #[test]
    fn both_faults_are_reported_at_once() {
        let faults = PageRequest::read(-1, "!", "ada").expect_err("two faults").0;
        let names: Vec<_> = faults.iter().map(|fault| &*fault.field).collect();
        assert_eq!(names, ["page_size", "page_token"]);
        let sizes =
            [0, 1, 100, i32::MAX].map(|size| PageRequest::read(size, "", "ada").map(|r| r.size));
        assert_eq!(sizes, [Ok(50), Ok(1), Ok(100), Ok(100)]);
    }
}
