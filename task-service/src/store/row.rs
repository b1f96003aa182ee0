//! Between a stored row and the domain.

use sea_orm::{ActiveValue::Set, DbErr, DerivePartialModel};
use shared::auth::Owner;
use uuid::Uuid;

use super::details::Details;
use crate::{
    due::Due,
    entity::task::{ActiveModel, Entity},
    error::Error,
    moment::Moment,
    quota::Usage,
    task::{NewTask, Position, Priority, Series, Tags, Task, sort_key},
    words::{Indexed, Lexicon},
};

/// What is read of a task: all but its owner, who asked, and what only the indexes need.
#[derive(Clone, Debug, DerivePartialModel)]
#[sea_orm(entity = "Entity")]
pub struct Row {
    pub id: Uuid,
    pub title: String,
    pub description: String,
    pub completed_at: Option<i64>,
    pub priority: i64,
    pub created_at: i64,
    pub updated_at: i64,
    pub revision: i64,
    pub due: Option<i64>,
    pub due_zone: Option<String>,
    pub details: Option<String>,
    pub series_id: Option<Uuid>,
    pub occurrence: Option<i64>,
    pub position: String,
    pub deleted_at: Option<i64>,
}

impl Row {
    /// The task of `owner` in this row.
    pub fn of(self, owner: &Owner) -> Result<Task, Error> {
        self.of_user(owner.user().as_str())
    }

    /// The task of the user with this id in this row.
    pub fn of_user(self, user_id: &str) -> Result<Task, Error> {
        let unknown = |what: &str| DbErr::Type(format!("unknown {what}"));
        let priority = Priority::from_number(self.priority).ok_or_else(|| unknown("priority"))?;
        let details = Details::read(self.details.as_deref()).map_err(|_| unknown("details"))?;
        let due = match self.due {
            Some(due) => Some(
                Due::from_stored(due, self.due_zone.as_deref()).ok_or_else(|| unknown("due"))?,
            ),
            None => None,
        };
        let series = self.series_id.zip(self.occurrence).map(|(id, occurrence)| Series {
            id,
            occurrence,
            continued: details.continued,
        });
        Ok(Task {
            id: self.id,
            user_id: user_id.to_owned(),
            title: self.title,
            description: self.description,
            completed_at: self.completed_at.map(Moment::from_micros),
            priority,
            tags: Tags::stored(details.tags),
            due,
            reminders: details.reminders,
            repeat: details.repeat,
            series,
            position: Position::stored(self.position),
            created_at: Moment::from_micros(self.created_at),
            updated_at: Moment::from_micros(self.updated_at),
            deleted_at: self.deleted_at.map(Moment::from_micros),
            revision: self.revision,
        })
    }
}

/// What a change of `task` writes: everything but what never changes.
pub fn changeable(task: &Task) -> ActiveModel {
    let Indexed { words, phrases } =
        Lexicon::of(&task.user_id).index(&task.title, &task.description, task.tags.as_slice());
    let (due, due_zone) = task.due.as_ref().map(Due::to_stored).unzip();
    ActiveModel {
        title: Set(task.title.clone()),
        description: Set(task.description.clone()),
        completed: Set(task.completed()),
        completed_at: Set(task.completed_at.map(Moment::micros)),
        priority: Set(task.priority.number()),
        updated_at: Set(task.updated_at.micros()),
        revision: Set(task.revision),
        due: Set(due),
        due_zone: Set(due_zone.flatten().map(str::to_owned)),
        details: Set(Details::of(task).write()),
        series_id: Set(task.series.map(|series| series.id)),
        occurrence: Set(task.series.map(|series| series.occurrence)),
        position: Set(task.position.to_string()),
        deleted_at: Set(task.deleted_at.map(Moment::micros)),
        title_key: Set(Some(sort_key(&task.title))),
        words: Set(Some(words)),
        phrases: Set(phrases),
        ..Default::default()
    }
}

/// What a stored `task` takes of its owner's quota.
pub fn usage(task: &Task) -> Usage {
    let details = Details::of(task).write();
    usage_of(&task.title, &task.description, details.as_deref())
}

/// The same of what is stored.
pub fn usage_of(title: &str, description: &str, details: Option<&str>) -> Usage {
    let bytes = title.len() + description.len() + details.map_or(0, str::len);
    Usage { tasks: 1, bytes: i64::try_from(bytes).unwrap_or(i64::MAX) }
}

/// What a new task most likely takes: it may have more than its words.
pub fn likely_usage(new: &NewTask) -> Usage {
    usage_of(new.title.as_str(), new.description.as_str(), None)
}

/// The row of a new `task`, but for its owner.
pub fn whole(task: &Task) -> ActiveModel {
    ActiveModel { id: Set(task.id), created_at: Set(task.created_at.micros()), ..changeable(task) }
}
