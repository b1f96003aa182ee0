//! Pages of a list: how long they are and where the next one starts.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

use crate::{moment::Moment, task::Task};

/// What a caller gets who does not say.
const DEFAULT_SIZE: usize = 50;

/// What a caller gets who asks for more.
const MAX_SIZE: usize = 200;

/// A page ends early before it grows beyond this: answers are held in memory until they
/// are read, and gRPC clients take 4 MiB at most by default.
const MAX_BYTES: usize = 512 * 1024;

/// More than the fields of a task take on the wire that are not text.
const FRAME_BYTES: usize = 512;

/// The first byte of a token; another layout gets another one.
const VERSION: u8 = 1;

/// Which tasks a caller wants to see next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// At most so many.
    pub size: usize,
    /// Only what comes after this place.
    pub after: Option<Place>,
    /// Only tasks in this state.
    pub completed: Option<bool>,
    /// Whether to count all tasks in this state.
    pub counted: bool,
}

/// A run of tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub tasks: Vec<Task>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
    /// How many there are on all pages, if that was asked.
    pub total: Option<u64>,
}

impl Page {
    /// The answer to `request` from `tasks`, of which there is one more than was asked for
    /// if the list goes on.
    pub fn cut(mut tasks: Vec<Task>, request: &PageRequest) -> Self {
        let fitting = fitting(&tasks).min(request.size);
        let next = if tasks.len() > fitting {
            tasks.truncate(fitting);
            tasks.last().map(|last| Place::of(last).token(request.completed))
        } else {
            None
        };
        Self { tasks, next, total: None }
    }
}

/// How many of `tasks` stay within [`MAX_BYTES`], but one at least.
fn fitting(tasks: &[Task]) -> usize {
    let mut bytes = 0;
    let within = tasks.iter().take_while(|task| {
        bytes += FRAME_BYTES + task.user_id.len() + task.title.len() + spelled(&task.description);
        bytes <= MAX_BYTES
    });
    within.count().max(1)
}

/// How long a text is at most on either wire: JSON spells a control character with six.
fn spelled(text: &str) -> usize {
    text.bytes().map(|byte| if byte < b' ' { 6 } else { 1 }).sum()
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// When the task was made.
    pub created_at: Moment,
    /// Its id, which breaks ties.
    pub id: Uuid,
}

/// The text is not a token of this list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a next_page_token as it came, with the same filter")]
pub struct InvalidToken;

impl Place {
    fn of(task: &Task) -> Self {
        Self { created_at: task.created_at, id: task.id }
    }

    /// The place as a caller carries it, for a list with this filter alone. It holds
    /// nothing that the caller has not seen.
    pub fn token(&self, completed: Option<bool>) -> String {
        let mut bytes = [0; 26];
        bytes[0] = VERSION;
        bytes[1] = filter(completed);
        bytes[2..10].copy_from_slice(&self.created_at.micros().to_be_bytes());
        bytes[10..].copy_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`Place::token`] wrote for the same filter, and nothing else.
    pub fn parse(token: &str, completed: Option<bool>) -> Result<Self, InvalidToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidToken)?;
        let bytes: [u8; 26] = bytes.try_into().map_err(|_| InvalidToken)?;
        let [VERSION, made_for, rest @ ..] = bytes else { return Err(InvalidToken) };
        let (Some((created_at, id)), true) =
            (rest.split_first_chunk::<8>(), made_for == filter(completed))
        else {
            return Err(InvalidToken);
        };
        let created_at = Moment::from_micros(i64::from_be_bytes(*created_at));
        let id = Uuid::from_slice(id).map_err(|_| InvalidToken)?;
        Ok(Self { created_at, id })
    }
}

fn filter(completed: Option<bool>) -> u8 {
    match completed {
        None => 0,
        Some(false) => 1,
        Some(true) => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::task::{Description, NewTask, Priority, Title};

    const FILTERS: [Option<bool>; 3] = [None, Some(false), Some(true)];

    fn place() -> Place {
        Place { created_at: Moment::from_micros(1_700_000_000_123_456), id: Uuid::from_u128(7) }
    }

    #[test]
    fn a_token_is_read_back_with_its_own_filter_alone() {
        for made_for in FILTERS {
            let token = place().token(made_for);
            for used_with in FILTERS {
                let expected = if used_with == made_for { Ok(place()) } else { Err(InvalidToken) };
                assert_eq!(Place::parse(&token, used_with), expected);
            }
        }
    }

    #[test]
    fn whatever_was_not_written_by_us_is_refused() {
        let token = place().token(None);
        let version_2 = format!("Ag{}", &token[2..]);
        let spare_bits = format!("{}d", &token[..34]);
        let cut = &token[..34];
        for text in [
            "",
            "!",
            "AQ",
            cut,
            &version_2,
            &spare_bits,
            &format!("{token}="),
            &format!("{token}A"),
            &format!(" {token}"),
        ] {
            assert_eq!(Place::parse(text, None), Err(InvalidToken), "{text:?}");
        }
    }

    #[test]
    fn sizes_have_a_default_and_a_ceiling() {
        for (asked, given) in [
            (0, Ok(50)),
            (1, Ok(1)),
            (200, Ok(200)),
            (201, Ok(200)),
            (i32::MAX, Ok(200)),
            (-1, Err(NegativeSize)),
            (i32::MIN, Err(NegativeSize)),
        ] {
            assert_eq!(size(asked), given, "{asked}");
        }
    }

    #[test]
    fn a_page_of_huge_tasks_ends_early_and_goes_on() {
        let new = NewTask {
            title: Title::parse("huge").expect("a title"),
            description: Description::parse("🦀".repeat(10_000)).expect("a description"),
            priority: Priority::Low,
            request_id: None,
        };
        let tasks: Vec<_> =
            (0..200).map(|n| Task::new("alice", new.clone(), Moment::from_micros(n), n)).collect();
        let request = PageRequest { size: 200, after: None, completed: None, counted: false };
        let page = Page::cut(tasks.clone(), &request);
        assert!((10..15).contains(&page.tasks.len()), "{}", page.tasks.len());
        let last = &tasks[page.tasks.len() - 1];
        assert_eq!(page.next, Some(Place::of(last).token(None)));
    }
}
