//! Between a stored row and the domain.

use sea_orm::{ActiveValue::Set, DbErr};

use crate::{
    entity::task::{ActiveModel, Model},
    error::Error,
    moment::Moment,
    task::{Priority, Task},
};

impl TryFrom<Model> for Task {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let priority = Priority::from_number(row.priority)
            .ok_or_else(|| DbErr::Type("unknown priority".to_owned()))?;
        Ok(Self {
            id: row.id,
            user_id: row.user_id,
            title: row.title,
            description: row.description,
            completed_at: row.completed_at.map(Moment::from_micros),
            priority,
            created_at: Moment::from_micros(row.created_at),
            updated_at: Moment::from_micros(row.updated_at),
            revision: row.revision,
        })
    }
}

/// What a change of `task` writes: everything but what never changes.
pub fn changeable(task: &Task) -> ActiveModel {
    ActiveModel {
        title: Set(task.title.clone()),
        description: Set(task.description.clone()),
        completed: Set(task.completed()),
        completed_at: Set(task.completed_at.map(Moment::micros)),
        priority: Set(task.priority.number()),
        updated_at: Set(task.updated_at.micros()),
        revision: Set(task.revision),
        ..Default::default()
    }
}

/// The row of a new `task`, but for its owner.
pub fn whole(task: &Task) -> ActiveModel {
    ActiveModel { id: Set(task.id), created_at: Set(task.created_at.micros()), ..changeable(task) }
}
