//! Pages of a list, and the page cursor (`page_token`).

use server::cursor::{Kind, Reader, Writer};
use uuid::Uuid;

use crate::{
    domain::task::Task,
    query::{
        filter::Filter,
        sort::{Sort, SortField, SortKey},
    },
};

/// The default page size.
const DEFAULT_SIZE: usize = 50;

/// The greatest page size.
const MAX_SIZE: usize = 200;

/// The most bytes of a page: responses are held in memory until they are read, and gRPC clients
/// take 4 MiB by default.
const MAX_BYTES: usize = 512 * 1024;

/// An upper bound of the encoded fields that are not text.
const FRAME_BYTES: usize = 2048;

/// The most bytes of an encoded byte of text: JSON escapes control characters.
const MAX_ESCAPED: usize = 6;

/// The longest key in a cursor: no title or position has a longer one.
const MAX_KEY_BYTES: usize = 1024;

/// The request of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// The page size.
    pub size: usize,
    /// The cursor after which the page begins.
    pub after: Option<PageCursor>,
    /// The filter.
    pub filter: Filter,
    /// The order.
    pub sort: Sort,
    /// Whether to count all matching tasks.
    pub with_total: bool,
}

impl PageRequest {
    /// The first page, as large as pages get.
    pub fn of_all(filter: Filter, sort: Sort) -> Self {
        Self { size: MAX_SIZE, after: None, filter, sort, with_total: false }
    }
}

/// A page of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The tasks, in order.
    pub tasks: Vec<Task>,
    /// The page token of the next page; `None` on the last one.
    pub next: Option<String>,
    /// The number of tasks on all pages, if requested and known.
    pub total: Option<u64>,
}

impl Page {
    /// The page of this user's `request` from `tasks`, which has one more than requested if the list
    /// goes on, unless the page ends at the cursor `end`.
    pub fn cut(
        mut tasks: Vec<Task>,
        end: Option<PageCursor>,
        request: &PageRequest,
        user_id: &str,
        epoch: i64,
    ) -> Self {
        let PageRequest { size, filter, sort, .. } = request;
        let fitting = fitting(&tasks).min(*size);
        let next = if tasks.len() > fitting {
            tasks.truncate(fitting);
            tasks.last().map(|last| PageCursor::of(last, sort.by, epoch))
        } else {
            end
        };
        let next = next.map(|next| next.token(*sort, filter, user_id));
        Self { tasks, next, total: None }
    }
}

/// The number of `tasks` within [`MAX_BYTES`], at least one if there are any.
pub fn fitting(tasks: &[Task]) -> usize {
    // Most pages are far below the limit, so that no text need be read.
    let most = |task| FRAME_BYTES + texts(task).map(|text| MAX_ESCAPED * text.len()).sum::<usize>();
    if tasks.iter().map(most).sum::<usize>() <= MAX_BYTES {
        return tasks.len();
    }
    let mut bytes = 0;
    let within = tasks.iter().take_while(|task| {
        bytes += self::bytes(task);
        bytes <= MAX_BYTES
    });
    within.count().max(1)
}

/// An upper bound of the encoded task on either wire.
pub fn bytes(task: &Task) -> usize {
    FRAME_BYTES + texts(task).map(encoded_len).sum::<usize>()
}

/// The texts of variable length in an encoded task.
fn texts(task: &Task) -> impl Iterator<Item = &str> {
    task.content.texts().chain([task.user_id.as_str()])
}

/// An upper bound of the encoded text: JSON escapes control characters with six bytes, quotes and
/// backslashes with two.
fn encoded_len(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        ..b' ' => MAX_ESCAPED,
        b'"' | b'\\' => 2,
        _ => 1,
    });
    bytes.sum()
}

/// The error of a negative page size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be negative")]
pub struct NegativeSize;

/// The page size for the requested one.
pub fn size(asked: i32) -> Result<usize, NegativeSize> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(NegativeSize),
    }
}

/// A page cursor: right after a task, which may be gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageCursor {
    /// The sort key of the task.
    pub key: SortKey,
    /// The id of the task, which breaks ties.
    pub id: Uuid,
    /// The epoch of the database.
    pub epoch: i64,
}

/// The error of an invalid page token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a next_page_token as it came, with the same filters and sort")]
pub struct InvalidToken;

impl PageCursor {
    fn of(task: &Task, by: SortField, epoch: i64) -> Self {
        Self { key: SortKey::of(task, by), id: task.id, epoch }
    }

    /// The page token for a list of this user with this order and filter alone.
    pub fn token(&self, sort: Sort, filter: &Filter, user_id: &str) -> String {
        let cursor = Writer::new(Kind::Tasks, &filter.cursor_context(user_id))
            .byte(sort.by.number())
            .byte(sort.descending.into())
            .number(self.epoch)
            .id(self.id);
        let cursor = match &self.key {
            SortKey::None => cursor.byte(0),
            SortKey::Number(number) => cursor.byte(1).number(*number),
            SortKey::Text(text) => cursor.byte(2).bytes(text.as_bytes()),
        };
        cursor.token()
    }

    /// Parses a page token of the same list. With an invalid filter, any list will do.
    pub fn parse(
        token: &str,
        sort: Sort,
        filter: Option<&Filter>,
        user_id: &str,
    ) -> Result<Self, InvalidToken> {
        let list = filter.map(|filter| filter.cursor_context(user_id));
        Self::read(token, sort, list.as_deref()).ok_or(InvalidToken)
    }

    fn read(token: &str, sort: Sort, list: Option<&[u8]>) -> Option<Self> {
        let mut cursor = Reader::open(token, Kind::Tasks, list)?;
        let order = [cursor.byte()?, cursor.byte()?];
        let (epoch, id) = (cursor.number()?, cursor.id()?);
        let key = match cursor.byte()? {
            0 => SortKey::None,
            1 => SortKey::Number(cursor.number()?),
            2 => text_key(cursor.rest())?,
            _ => return None,
        };
        let is_of_list = order == [sort.by.number(), sort.descending.into()] && key.suits(sort.by);
        cursor.finish(Self { key, id, epoch }).filter(|_| is_of_list)
    }
}

/// A sort key that a database accepts as text.
fn text_key(bytes: &[u8]) -> Option<SortKey> {
    let text = str::from_utf8(bytes).ok()?;
    let is_one = bytes.len() <= MAX_KEY_BYTES && !text.contains('\0');
    is_one.then(|| SortKey::Text(text.to_owned()))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
