//! A task and its rules.

use uuid::Uuid;

use crate::{moment::Moment, request_id::RequestId};

/// The most characters a title may have.
const TITLE_CHARS: usize = 200;

/// The most characters a description may have.
const DESCRIPTION_CHARS: usize = 10_000;

/// One thing one user wants done, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Task {
    /// Chosen at creation, never changed.
    pub id: Uuid,
    /// The owner.
    pub user_id: String,
    /// What [`Title::parse`] let through.
    pub title: String,
    /// What [`Description::parse`] let through.
    pub description: String,
    /// When it was completed; `None` while it is open. There is no second flag that could
    /// disagree.
    pub completed_at: Option<Moment>,
    /// How urgent it is.
    pub priority: Priority,
    /// When it was made.
    pub created_at: Moment,
    /// When a field last changed; never before an earlier value of its own.
    pub updated_at: Moment,
    /// The owner's change number of the last change.
    pub revision: i64,
}

impl Task {
    /// A new, open task of `user_id`.
    pub fn new(user_id: &str, new: NewTask, now: Moment, revision: i64) -> Self {
        Self {
            id: now.new_id(),
            user_id: user_id.to_owned(),
            title: new.title.0,
            description: new.description.0,
            completed_at: None,
            priority: new.priority,
            created_at: now,
            updated_at: now,
            revision,
        }
    }

    /// Whether it is done.
    pub fn completed(&self) -> bool {
        self.completed_at.is_some()
    }

    /// Changes what `patch` names and tells whether anything is different now. Only then
    /// does `updated_at` move, and never back, whatever the clock does.
    pub fn apply(&mut self, patch: TaskPatch, now: Moment) -> bool {
        let now = now.max(self.updated_at);
        let completed_at = match (patch.completed, self.completed_at) {
            (Some(true), None) => Some(now),
            (Some(false), _) => None,
            (_, as_it_was) => as_it_was,
        };
        let replaced = [
            replace(&mut self.title, patch.title.map(|title| title.0)),
            replace(&mut self.description, patch.description.map(|description| description.0)),
            replace(&mut self.completed_at, Some(completed_at)),
            replace(&mut self.priority, patch.priority),
        ];
        let changed = replaced.contains(&true);
        if changed {
            self.updated_at = now;
        }
        changed
    }
}

fn replace<T: PartialEq>(field: &mut T, value: Option<T>) -> bool {
    match value {
        Some(value) if *field != value => {
            *field = value;
            true
        }
        _ => false,
    }
}

/// What a task is made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTask {
    /// The title.
    pub title: Title,
    /// The description.
    pub description: Description,
    /// The priority.
    pub priority: Priority,
    /// Makes the creation safe to repeat.
    pub request_id: Option<RequestId>,
}

/// Which fields of a task to write; `None` leaves one alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskPatch {
    /// The new title.
    pub title: Option<Title>,
    /// The new description.
    pub description: Option<Description>,
    /// The new state.
    pub completed: Option<bool>,
    /// The new priority.
    pub priority: Option<Priority>,
}

impl TaskPatch {
    /// Writes the state and nothing else.
    pub fn completed(completed: bool) -> Self {
        Self { completed: Some(completed), ..Self::default() }
    }
}

/// How urgent a task is. The numbers are stored: never change one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Priority {
    /// Can wait.
    Low = 1,
    /// What a task has if nobody says otherwise.
    #[default]
    Medium = 2,
    /// Soon.
    High = 3,
    /// Now.
    Urgent = 4,
}

impl Priority {
    /// The priority with this number.
    pub fn from_number(number: i64) -> Option<Self> {
        [Self::Low, Self::Medium, Self::High, Self::Urgent]
            .into_iter()
            .find(|p| p.number() == number)
    }

    /// The number it is stored as.
    pub fn number(self) -> i64 {
        self as i64
    }
}

/// A title that keeps its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Title(String);

/// The text breaks the rule for titles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to {TITLE_CHARS} characters after trimming, without control characters")]
pub struct InvalidTitle;

impl Title {
    /// Trims white space off both ends, then takes 1 to 200 characters without control
    /// characters. A character is a Unicode scalar value.
    pub fn parse(text: &str) -> Result<Self, InvalidTitle> {
        let text = text.trim();
        if text.is_empty() || !fits(text, TITLE_CHARS) || text.contains(char::is_control) {
            return Err(InvalidTitle);
        }
        Ok(Self(text.to_owned()))
    }

    /// The title as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A description that keeps its rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Description(String);

/// The text breaks the rule for descriptions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be at most {DESCRIPTION_CHARS} characters, without NUL")]
pub struct InvalidDescription;

impl Description {
    /// Takes at most 10 000 characters as they are. NUL is refused because PostgreSQL
    /// cannot store it.
    pub fn parse(text: String) -> Result<Self, InvalidDescription> {
        if !fits(&text, DESCRIPTION_CHARS) || text.contains('\0') {
            return Err(InvalidDescription);
        }
        Ok(Self(text))
    }

    /// The description as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether `text` has at most `most` characters; most texts are short enough in bytes.
fn fits(text: &str, most: usize) -> bool {
    text.len() <= most || text.chars().nth(most).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task() -> Task {
        let new = NewTask {
            title: Title::parse("Water the plants").expect("a title"),
            description: Description::default(),
            priority: Priority::Medium,
            request_id: None,
        };
        Task::new("alice", new, Moment::from_micros(1_000), 1)
    }

    #[test]
    fn titles_are_trimmed_counted_in_characters_and_printable() {
        let longest = "🦀".repeat(200);
        for (text, kept) in [
            ("a", "a"),
            ("  a b\t\n", "a b"),
            ("\u{3000}задача\u{a0}", "задача"),
            (longest.as_str(), longest.as_str()),
        ] {
            assert_eq!(Title::parse(text).expect("a title").as_str(), kept);
        }
        for text in
            ["", " ", "\t\n", "\u{3000}", "a\nb", "a\0", "a\u{7f}b", "a\u{85}b", &"🦀".repeat(201)]
        {
            assert_eq!(Title::parse(text), Err(InvalidTitle), "{text:?}");
        }
    }

    #[test]
    fn descriptions_are_kept_as_they_come() {
        for text in ["", "  two\r\nlines\t ", &"🦀".repeat(10_000), &"x".repeat(10_000)] {
            assert_eq!(Description::parse(text.to_owned()).expect("a description").as_str(), text);
        }
        for text in ["\0", "a\0b", &"🦀".repeat(10_001), &"x".repeat(10_001)] {
            assert_eq!(Description::parse(text.to_owned()), Err(InvalidDescription));
        }
    }

    #[test]
    fn every_priority_is_found_by_its_number_and_no_other_number_is_one() {
        for priority in [Priority::Low, Priority::Medium, Priority::High, Priority::Urgent] {
            assert_eq!(Priority::from_number(priority.number()), Some(priority));
        }
        assert_eq!([0, 5, -1].map(Priority::from_number), [None, None, None]);
    }

    #[test]
    fn a_patch_that_says_what_is_there_changes_nothing() {
        let before = task();
        for patch in [
            TaskPatch::default(),
            TaskPatch::completed(false),
            TaskPatch { title: Title::parse(" Water the plants").ok(), ..TaskPatch::default() },
            TaskPatch { priority: Some(Priority::Medium), ..TaskPatch::default() },
        ] {
            let mut after = before.clone();
            assert!(!after.apply(patch, Moment::from_micros(2_000)));
            assert_eq!(after, before);
        }
    }

    #[test]
    fn the_first_completion_counts_until_the_task_is_reopened() {
        let mut task = task();
        assert!(task.apply(TaskPatch::completed(true), Moment::from_micros(2_000)));
        assert!(!task.apply(TaskPatch::completed(true), Moment::from_micros(3_000)));
        assert_eq!(task.completed_at, Some(Moment::from_micros(2_000)));
        assert!(task.apply(TaskPatch::completed(false), Moment::from_micros(4_000)));
        assert!(task.apply(TaskPatch::completed(true), Moment::from_micros(5_000)));
        assert_eq!(task.completed_at, Some(Moment::from_micros(5_000)));
    }

    #[test]
    fn a_clock_that_was_set_back_does_not_take_the_task_along() {
        let mut task = task();
        assert!(task.apply(TaskPatch::completed(true), Moment::from_micros(10)));
        assert_eq!(task.updated_at, Moment::from_micros(1_000));
        assert_eq!(task.completed_at, Some(Moment::from_micros(1_000)));
    }
}
