//! The conversion between rows and tasks.

use std::sync::LazyLock;

use sea_orm::{
    ActiveModelTrait,
    ActiveValue::{NotSet, Set},
    DbErr, EntityName, IdenStatic, Iterable, Value,
};
use server::db::RowValues;
use uuid::Uuid;

use super::{
    details::{Details, StoredRepeat},
    scope::Scope,
};
use crate::{
    domain::{
        due::Due,
        quota::Usage,
        recurrence::Recurrence,
        task::{
            Content, Description, Position, Priority, Repeat, Series, Tags, Task, Title, sort_key,
        },
        timestamp::Timestamp,
    },
    entity::task::{ActiveModel, Column, Entity},
    error::Error,
    query::full_text::{IndexEntry, Lexicon},
};

/// Declares the columns that are read of a task, once for the select and the reader.
macro_rules! columns {
    ($($field:ident: $kind:ty = $column:ident,)*) => {
        /// The columns that are read of a task: all but its owner and the columns of indexes.
        #[derive(Debug)]
        pub struct Row<'r> {
            $($field: $kind,)*
        }

        impl<'r> Row<'r> {
            /// The values of a row of a select of [`columns`].
            pub fn read(mut values: RowValues<'r>) -> Result<Self, DbErr> {
                Ok(Self { $($field: values.take()?,)* })
            }
        }

        /// The columns of a [`Row`], as a select has them.
        pub fn columns() -> &'static str {
            static TEXT: LazyLock<String> = LazyLock::new(|| {
                let names = [$(Column::$column),*].map(|column| {
                    format!("\"{}\".\"{}\"", Entity.table_name(), column.as_str())
                });
                names.join(", ")
            });
            &TEXT
        }
    };
}

columns! {
    id: Uuid = Id,
    title: String = Title,
    description: String = Description,
    completed_at: Option<i64> = CompletedAt,
    priority: i64 = Priority,
    created_at: i64 = CreatedAt,
    updated_at: i64 = UpdatedAt,
    revision: i64 = Revision,
    due: Option<i64> = Due,
    due_zone: Option<&'r str> = DueZone,
    details: Option<&'r str> = Details,
    series_id: Option<Uuid> = SeriesId,
    occurrence: Option<i64> = Occurrence,
    position: String = Position,
    deleted_at: Option<i64> = DeletedAt,
}

impl Row<'_> {
    /// The task of `user` in this row.
    pub fn of(self, user: &impl Scope) -> Result<Task, Error> {
        let Self {
            id,
            title,
            description,
            completed_at,
            priority,
            created_at,
            updated_at,
            revision,
            due,
            due_zone,
            details,
            series_id,
            occurrence,
            position,
            deleted_at,
        } = self;
        let unknown = |what: &str| DbErr::Type(format!("unknown {what}"));
        let details = Details::read(details).map_err(|_| unknown("details"))?;
        let Details { tags, reminders, repeat, continued } = details;
        let due = match due {
            Some(due) => Some(Due::from_stored(due, due_zone).ok_or_else(|| unknown("due"))?),
            None => None,
        };
        let (recurrence, anchor) = repeat.map(read_repeat).unzip();
        let content = Content {
            title: Title::stored(title),
            description: Description::stored(description),
            priority: Priority::from_number(priority).ok_or_else(|| unknown("priority"))?,
            tags: Tags::stored(tags),
            due,
            reminders,
            recurrence,
        };
        let series = series_id.zip(occurrence);
        Ok(Task {
            id,
            user_id: user.user_id().to_owned(),
            content,
            completed_at: completed_at.map(Timestamp::from_micros),
            anchor,
            series: series.map(|(id, occurrence)| Series { id, occurrence, continued }),
            position: Position::stored(position),
            created_at: Timestamp::from_micros(created_at),
            updated_at: Timestamp::from_micros(updated_at),
            deleted_at: deleted_at.map(Timestamp::from_micros),
            revision,
        })
    }
}

/// The recurrence in a column, and its anchor.
fn read_repeat(stored: StoredRepeat) -> (Repeat, chrono::NaiveDateTime) {
    let StoredRepeat { recurrence: Recurrence { rule, from, anchor }, zone } = stored;
    (Repeat { rule, from, zone }, anchor)
}

/// The column of optional fields.
fn details(task: &Task) -> Details {
    let Content { title: _, description: _, priority: _, tags, due: _, reminders, recurrence } =
        &task.content;
    let stored = |Repeat { rule, from, zone }, anchor| StoredRepeat {
        recurrence: Recurrence { rule, from, anchor },
        zone,
    };
    Details {
        tags: tags.as_slice().to_vec(),
        reminders: reminders.clone(),
        repeat: recurrence.clone().zip(task.anchor).map(|(repeat, anchor)| stored(repeat, anchor)),
        continued: task.series.is_some_and(|series| series.continued),
    }
}

/// The columns that a change of `task` writes.
pub fn changeable(task: &Task) -> ActiveModel {
    let Task {
        id: _,
        user_id,
        content,
        completed_at,
        anchor: _,
        series,
        position,
        created_at: _,
        updated_at,
        deleted_at,
        revision,
    } = task;
    let Content { title, description, priority, tags, due, reminders: _, recurrence: _ } = content;
    let (title, description) = (title.as_str(), description.as_str());
    let IndexEntry { words, phrases } =
        Lexicon::of(user_id).index(title, description, tags.as_slice());
    let (due, due_zone) = due.as_ref().map(Due::to_stored).unzip();
    ActiveModel {
        user_id: NotSet,
        id: NotSet,
        title: Set(title.to_owned()),
        description: Set(description.to_owned()),
        completed: Set(task.completed()),
        completed_at: Set(completed_at.map(Timestamp::micros)),
        priority: Set(priority.number()),
        created_at: NotSet,
        updated_at: Set(updated_at.micros()),
        revision: Set(*revision),
        due: Set(due),
        due_zone: Set(due_zone.flatten().map(str::to_owned)),
        details: Set(details(task).write()),
        series_id: Set(series.map(|series| series.id)),
        occurrence: Set(series.map(|series| series.occurrence)),
        position: Set(position.as_str().to_owned()),
        deleted_at: Set(deleted_at.map(Timestamp::micros)),
        title_key: Set(Some(sort_key(title))),
        words: Set(Some(words)),
        phrases: Set(phrases),
    }
}

/// The row of a new `task`, without its owner.
pub fn whole(task: &Task) -> ActiveModel {
    let mut row = changeable(task);
    row.id = Set(task.id);
    row.created_at = Set(task.created_at.micros());
    row
}

/// The columns that `row` sets, with their values, in the order in which statements have them.
pub fn set_columns(mut row: ActiveModel) -> impl Iterator<Item = (Column, Value)> {
    Column::iter().filter_map(move |column| Some((column, row.take(column).into_value()?)))
}

/// The usage of `task`.
pub fn usage(task: &Task) -> Usage {
    let (title, description) = (&task.content.title, &task.content.description);
    usage_of(title.as_str(), description.as_str(), details(task).write().as_deref())
}

/// The usage of a task with these columns.
pub fn usage_of(title: &str, description: &str, details: Option<&str>) -> Usage {
    let bytes = title.len() + description.len() + details.map_or(0, str::len);
    Usage { tasks: 1, bytes: i64::try_from(bytes).unwrap_or(i64::MAX) }
}

/// The expected usage of a new task, without its details.
pub fn likely_usage(content: &Content) -> Usage {
    usage_of(content.title.as_str(), content.description.as_str(), None)
}
