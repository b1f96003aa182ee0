//! Pages of a list: how long they are and where the next one starts.

use uuid::Uuid;

use crate::{
    domain::task::Task,
    query::{
        cursor::{Kind, Reader, Writer},
        filter::Filter,
        sort::{By, Key, Sort},
    },
};

/// What a caller gets who does not say.
const DEFAULT_SIZE: usize = 50;

/// What a caller gets who asks for more.
const MAX_SIZE: usize = 200;

/// A page ends early before it grows beyond this: answers are held in memory until they
/// are read, and gRPC clients take 4 MiB at most by default.
const MAX_BYTES: usize = 512 * 1024;

/// More than the fields of a task take on the wire that are not text.
const FRAME_BYTES: usize = 2048;

/// How long the key in a token is at most: no title or position gives a longer one.
const MAX_KEY_BYTES: usize = 1024;

/// Which tasks a caller wants to see next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many.
    pub size: usize,
    /// Only what comes after this place.
    pub after: Option<Place>,
    /// Only tasks that pass.
    pub filter: Filter,
    /// In this order.
    pub sort: Sort,
    /// Whether to count all tasks that pass.
    pub counted: bool,
}

/// A run of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// As sorted.
    pub tasks: Vec<Task>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
    /// How many there are on all pages, if that was asked.
    pub total: Option<u64>,
}

impl Page {
    /// The answer to `request` from `tasks`, of which there is one more than was asked for
    /// if the list goes on. `epoch` is that of the database.
    pub fn cut(mut tasks: Vec<Task>, request: &PageRequest, epoch: i64) -> Self {
        let fitting = fitting(&tasks).min(request.size);
        let next = if tasks.len() > fitting {
            tasks.truncate(fitting);
            let (sort, filter) = (request.sort, &request.filter);
            let token =
                |last: &Task| Place::of(last, sort.by, epoch).token(sort, filter, &last.user_id);
            tasks.last().map(token)
        } else {
            None
        };
        Self { tasks, next, total: None }
    }
}

/// How many of `tasks` stay within [`MAX_BYTES`], but one at least.
pub fn fitting(tasks: &[Task]) -> usize {
    let mut bytes = 0;
    let within = tasks.iter().take_while(|task| {
        bytes += self::bytes(task);
        bytes <= MAX_BYTES
    });
    within.count().max(1)
}

/// More than a task takes on either wire.
pub fn bytes(task: &Task) -> usize {
    let texts = task.content.texts().map(spelled).sum::<usize>();
    FRAME_BYTES + spelled(&task.user_id) + texts
}

/// How long a text is at most on either wire: JSON spells a control character with six
/// bytes, and what has a meaning of its own with two.
fn spelled(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        ..b' ' => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    });
    bytes.sum()
}

/// The page size is negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must not be negative")]
pub struct NegativeSize;

/// How many tasks a page has for whom `asked` so many.
pub fn size(asked: i32) -> Result<usize, NegativeSize> {
    match usize::try_from(asked) {
        Ok(0) => Ok(DEFAULT_SIZE),
        Ok(size) => Ok(size.min(MAX_SIZE)),
        Err(_) => Err(NegativeSize),
    }
}

/// A place in a list: right after a task, which need not exist any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where the task stood in the order of the list.
    pub key: Key,
    /// Its id, which breaks ties.
    pub id: Uuid,
    /// The epoch of the database the list is of.
    pub epoch: i64,
}

/// The text is not a token of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a next_page_token as it came, with the same filters and sort")]
pub struct InvalidToken;

impl Place {
    fn of(task: &Task, by: By, epoch: i64) -> Self {
        Self { key: Key::of(task, by), id: task.id, epoch }
    }

    /// The place as this user carries it, for a list with this order and filter alone.
    pub fn token(&self, sort: Sort, filter: &Filter, user_id: &str) -> String {
        let cursor = Writer::new(Kind::Tasks, &filter.spelled(user_id))
            .byte(sort.by.number())
            .byte(sort.descending.into())
            .number(self.epoch)
            .id(self.id);
        let cursor = match &self.key {
            Key::None => cursor.byte(0),
            Key::Number(number) => cursor.byte(1).number(*number),
            Key::Text(text) => cursor.byte(2).bytes(text.as_bytes()),
        };
        cursor.token()
    }

    /// Reads what [`Place::token`] wrote for the same list, and nothing else. Where the
    /// caller's filter is faulty there is no list, and any filter will do.
    pub fn parse(
        token: &str,
        sort: Sort,
        filter: Option<&Filter>,
        user_id: &str,
    ) -> Result<Self, InvalidToken> {
        let list = filter.map(|filter| filter.spelled(user_id));
        Self::read(token, sort, list.as_deref()).ok_or(InvalidToken)
    }

    fn read(token: &str, sort: Sort, list: Option<&[u8]>) -> Option<Self> {
        let mut cursor = Reader::open(token, Kind::Tasks, list)?;
        let order = [cursor.byte()?, cursor.byte()?];
        let (epoch, id) = (cursor.number()?, cursor.id()?);
        let key = match cursor.byte()? {
            0 => Key::None,
            1 => Key::Number(cursor.number()?),
            2 => text_key(cursor.rest())?,
            _ => return None,
        };
        let is_of_list = order == [sort.by.number(), sort.descending.into()] && key.suits(sort.by);
        cursor.finish(Self { key, id, epoch }).filter(|_| is_of_list)
    }
}

/// A text that a database takes as one.
fn text_key(bytes: &[u8]) -> Option<Key> {
    let text = str::from_utf8(bytes).ok()?;
    let is_one = bytes.len() <= MAX_KEY_BYTES && !text.contains('\0');
    is_one.then(|| Key::Text(text.to_owned()))
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
