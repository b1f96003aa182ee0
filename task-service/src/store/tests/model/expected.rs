//! The model: the expected tasks.

use uuid::Uuid;

use crate::domain::task::{Position, Priority, Task};

/// The compared fields of a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: Uuid,
    pub title: String,
    pub completed: bool,
    pub priority: Priority,
    pub tags: Vec<String>,
    pub due: Option<String>,
    /// The day it repeats after, counted in days, and whether the next one was made.
    pub repeats: Option<bool>,
    /// The position; the model has its own order.
    pub stands: Option<(Position, Uuid)>,
}

impl Seen {
    pub fn of(task: &Task) -> Self {
        Self {
            id: task.id,
            title: task.content.title.as_str().to_owned(),
            completed: task.completed(),
            priority: task.content.priority,
            tags: task.content.tags.as_slice().to_vec(),
            due: task.content.due.as_ref().map(|due| due.local().date().to_string()),
            repeats: task
                .content
                .recurrence
                .as_ref()
                .and(task.series)
                .map(|series| series.continued),
            stands: Some((task.position.clone(), task.id)),
        }
    }

    pub fn without_place(self) -> Self {
        Self { stands: None, ..self }
    }
}

/// One user's tasks, in the order the user gave.
#[derive(Default)]
pub struct Expected {
    tasks: Vec<(Seen, bool)>,
}

impl Expected {
    /// All ids there ever were.
    pub fn ids(&self) -> Vec<Uuid> {
        self.tasks.iter().map(|(task, _)| task.id).collect()
    }

    /// The tasks outside the trash.
    pub fn live(&self) -> Vec<Seen> {
        self.tasks.iter().filter(|(_, gone)| !gone).map(|(task, _)| task.clone()).collect()
    }

    /// A task outside the trash.
    pub fn get(&mut self, id: Uuid) -> Option<&mut Seen> {
        let found = self.tasks.iter_mut().find(|(task, gone)| task.id == id && !gone);
        found.map(|(task, _)| task)
    }

    /// Adds `task` at the end.
    pub fn push(&mut self, task: Seen) {
        self.tasks.push((task.without_place(), false));
    }

    /// Moves a task to the trash or restores it; `None` if it is not there.
    pub fn set_gone(&mut self, id: Uuid, gone: bool) -> Option<()> {
        let found = self.tasks.iter_mut().find(|(task, was)| task.id == id && *was != gone);
        found.map(|(_, is)| *is = gone)
    }

    /// Whether it is in the trash, if it is anywhere.
    pub fn is_gone(&self, id: Uuid) -> Option<bool> {
        self.tasks.iter().find(|(task, _)| task.id == id).map(|(_, gone)| *gone)
    }

    /// Moves a task right before or after another one, or to the end. Those in the trash do
    /// not count: the task lands next to the live one that was named.
    pub fn move_to(&mut self, id: Uuid, before: Option<Uuid>, after: Option<Uuid>) {
        let from = self.tasks.iter().position(|(task, _)| task.id == id).expect("there");
        let moved = self.tasks.remove(from);
        let at = |other: Uuid, tasks: &[(Seen, bool)]| {
            tasks.iter().position(|(task, _)| task.id == other).expect("there")
        };
        let to = match (before, after) {
            (Some(other), _) => at(other, &self.tasks),
            (_, Some(other)) => at(other, &self.tasks) + 1,
            _ => self.tasks.len(),
        };
        self.tasks.insert(to, moved);
    }

    /// Moves `next` to the position of `id`, and `id` to the end.
    pub fn succeed(&mut self, id: Uuid, next: Seen) {
        let at = self.tasks.iter().position(|(task, _)| task.id == id).expect("there");
        let done = std::mem::replace(&mut self.tasks[at], (next.without_place(), false));
        self.tasks.push(done);
    }
}
