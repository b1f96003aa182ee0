//! The queries of counts.

use sea_orm::{
    ColumnTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, Order},
};
use shared::auth::Owner;

use super::{Tasks, dialect::Dialect, selection::View};
use crate::{
    domain::task::Priority,
    entity::task::{Column, Entity},
    error::Error,
    query::{
        count::{Counts, Spelling, tags_of},
        filter::Filter,
    },
};

/// The most spellings of tags that are read; the rarest of more are left out.
const SPELLINGS: u64 = 10_000;

impl Tasks {
    /// The counts of the tasks that match `filter`, in one snapshot.
    pub async fn count(&self, owner: &Owner, filter: &Filter) -> Result<Counts, Error> {
        let (tasks, whose, filter) = (self.clone(), owner.clone(), filter.clone());
        let work = async move { tasks.count_now(&whose, &filter).await };
        self.queues.count(owner.user().as_str(), work).await
    }

    async fn count_now(&self, owner: &Owner, filter: &Filter) -> Result<Counts, Error> {
        let view = self.view(owner, filter).await?;
        let transaction = self.database.begin_snapshot().await?;
        let mut counts = Counts::default();
        let groups: Vec<(i64, bool, i64, i64)> =
            groups(view, filter).into_tuple().all(&transaction).await?;
        for (priority, completed, count, overdue) in groups {
            let priority = Priority::from_number(priority)
                .ok_or_else(|| DbErr::Type("unknown priority".to_owned()))?;
            *(if completed { &mut counts.completed } else { &mut counts.open }) += count;
            counts.overdue += overdue;
            *counts.priorities.entry(priority).or_default() += count;
        }
        let spellings: Vec<(String, i64, i64)> =
            spellings(view, filter).into_tuple().all(&transaction).await?;
        transaction.commit().await?;
        let spelling = |(tag, count, revision)| Spelling { tag, count, revision };
        counts.tags = tags_of(spellings.into_iter().map(spelling));
        Ok(counts)
    }
}

/// The numbers of tasks and of overdue ones by priority and state.
fn groups(view: View<'_>, filter: &Filter) -> Select<Entity> {
    let overdue = Expr::case(view.overdue(filter), Expr::val(1));
    view.matching(filter)
        .select_only()
        .columns([Column::Priority, Column::Completed])
        .expr_as(Column::Id.count(), "tasks")
        .expr_as(Func::count(overdue), "overdue")
        .group_by(Column::Priority)
        .group_by(Column::Completed)
}

/// The spellings of tags, most tasks first: the number of tasks, and the greatest change number.
fn spellings(view: View<'_>, filter: &Filter) -> Select<Entity> {
    let (tags, tag) = view.backend.tags();
    let mut spellings = view
        .matching(filter)
        .filter(Column::Details.is_not_null())
        .select_only()
        .expr_as(tag.clone(), "spelling")
        .expr_as(Column::Id.count(), "tasks")
        .expr_as(Column::Revision.max(), "latest");
    QueryTrait::query(&mut spellings).from_function(tags, "tag").add_group_by([tag]);
    spellings
        .order_by(Expr::col("tasks"), Order::Desc)
        .order_by(Expr::col("spelling"), Order::Asc)
        .limit(SPELLINGS)
}
