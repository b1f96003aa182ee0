//! The queries of counts.

use sea_orm::{
    ColumnTrait, DbErr, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, Func, Order},
};
use shared::auth::Owner;

use super::{Tasks, dialect::Dialect, owned::owned, selection::View};
use crate::{
    domain::task::Priority,
    entity::{
        revision,
        task::{Column, Entity},
    },
    error::Error,
    query::{
        count::{Counts, Spelling, tags_of},
        filter::Filter,
        page::PageRequest,
        sort::Sort,
    },
};

/// The most spellings of tags that are read; the rarest of more are left out.
const SPELLINGS: u64 = 10_000;

/// The tasks that a count reads.
struct Counted<'a> {
    view: View<'a>,
    tasks: Select<Entity>,
    /// Whether there are more in the order of the count, which may match as well.
    is_partial: bool,
}

impl Tasks {
    /// The number of tasks that match `filter`; `None` if a count does not read them all. That of all
    /// tasks outside the trash is known without.
    pub(super) async fn total(&self, owner: &Owner, filter: &Filter) -> Result<Option<u64>, Error> {
        let (tasks, whose, filter) = (self.clone(), owner.clone(), filter.clone());
        let work = Box::pin(async move {
            let Counted { tasks: counted, is_partial, .. } = tasks.counted(&whose, &filter).await?;
            if !is_partial {
                return Ok(Some(counted.count(tasks.database.scans()).await?));
            }
            if filter.is_search() || filter.deleted || filter.completed.is_some() {
                return Ok(None);
            }
            tasks.total_outside_trash(&whose).await
        });
        self.queues.count(owner.user().as_str(), work).await
    }

    /// The number of all tasks but those in the trash, by the usage of the owner; `None` if the trash
    /// has more than a count reads.
    async fn total_outside_trash(&self, owner: &Owner) -> Result<Option<u64>, Error> {
        let snapshot = self.database.begin_snapshot().await?;
        let row = owned::<revision::Entity>(snapshot.backend(), owner).one(&snapshot).await?;
        let all = row.map_or(0, |row| row.tasks.unsigned_abs());
        let trash =
            owned::<Entity>(snapshot.backend(), owner).filter(Column::DeletedAt.is_not_null());
        let trash = trash.limit(self.bounds.count).count(&snapshot).await?;
        snapshot.commit().await?;
        Ok((trash < self.bounds.count).then(|| all.saturating_sub(trash)))
    }

    /// The counts of the tasks that match `filter`, in one snapshot.
    pub async fn count(&self, owner: &Owner, filter: &Filter) -> Result<Counts, Error> {
        let (tasks, whose, filter) = (self.clone(), owner.clone(), filter.clone());
        let work = Box::pin(async move { tasks.count_now(&whose, &filter).await });
        self.queues.count(owner.user().as_str(), work).await
    }

    async fn count_now(&self, owner: &Owner, filter: &Filter) -> Result<Counts, Error> {
        let Counted { view, tasks, is_partial } = self.counted(owner, filter).await?;
        let transaction = self.database.begin_snapshot().await?;
        let mut counts = Counts { is_partial, ..Counts::default() };
        let groups: Vec<(i64, bool, i64, i64)> =
            groups(view, tasks.clone(), filter).into_tuple().all(&transaction).await?;
        for (priority, completed, count, overdue) in groups {
            let priority = Priority::from_number(priority)
                .ok_or_else(|| DbErr::Type("unknown priority".to_owned()))?;
            *(if completed { &mut counts.completed } else { &mut counts.open }) += count;
            counts.overdue += overdue;
            *counts.priorities.entry(priority).or_default() += count;
        }
        let spellings: Vec<(String, i64, i64)> =
            spellings(view, tasks).into_tuple().all(&transaction).await?;
        transaction.commit().await?;
        let spelling = |(tag, count, revision)| Spelling { tag, count, revision };
        counts.tags = tags_of(spellings.into_iter().map(spelling));
        Ok(counts)
    }

    /// The tasks that match `filter`: all of them if an index has few, or else those among the latest.
    async fn counted<'a>(&self, owner: &'a Owner, filter: &Filter) -> Result<Counted<'a>, Error> {
        let most = self.bounds.count;
        let sort = Sort::asked(None, None, filter.deleted);
        let view = self.view(self.database.scans(), owner, filter, sort.by, most).await?;
        let request = PageRequest::of_all(filter.clone(), sort);
        let walk = view.walk(&request);
        let end = walk.behind(self.database.scans(), most - 1, self.epoch().id).await?;
        Ok(Counted { view, tasks: walk.tasks(end.as_ref()), is_partial: end.is_some() })
    }
}

/// The numbers of tasks and of overdue ones by priority and state.
fn groups(view: View<'_>, tasks: Select<Entity>, filter: &Filter) -> Select<Entity> {
    let overdue = Expr::case(view.overdue(filter), Expr::val(1));
    tasks
        .select_only()
        .columns([Column::Priority, Column::Completed])
        .expr_as(Column::Id.count(), "tasks")
        .expr_as(Func::count(overdue), "overdue")
        .group_by(Column::Priority)
        .group_by(Column::Completed)
}

/// The spellings of tags, most tasks first: the number of tasks, and the greatest change number.
fn spellings(view: View<'_>, tasks: Select<Entity>) -> Select<Entity> {
    let (tags, tag) = view.backend.tags();
    let mut spellings = tasks
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
