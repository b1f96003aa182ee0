//! The choice of the index by which a list or a count is read.
//!
//! Neither database knows how many tasks of one user match a condition. So those of each condition
//! with an index are counted, up to a limit: few are read by that index and sorted; if there are many
//! of each, the order is read, in which a page is soon full.

use sea_orm::{
    ConnectionTrait, DbErr, EntityName, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Func, Order, Query},
};

use super::{owned::with_unfinished, search, selection::View};
use crate::{
    entity::task::{Column, Entity},
    query::{filter::Filter, sort::SortField},
};

/// How many tasks lists and counts read.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The tasks that are looked at to find out which words are common: one in ten has them.
    pub sample: u64,
    /// The most tasks that are sorted after an index, rather than read in order.
    pub few: u64,
    /// The most tasks that a page reads of an order, however few of them match.
    pub page: u64,
    /// The most tasks that a count reads.
    pub count: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { sample: 200, few: 1_000, page: 2_000, count: 10_000 }
    }
}

/// An index that a selection is read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The index of the order.
    Order,
    /// The full-text index.
    Words,
    /// The index by due.
    Due,
    /// The index by state.
    Completed,
    /// The index by priority.
    Priority,
}

impl Access {
    /// The indexes of conditions of `filter` that a list in this order may be read by. Those by
    /// order have no tasks in the trash.
    pub fn of(filter: &Filter, order: SortField) -> impl Iterator<Item = Self> {
        let is_live = !filter.deleted;
        let has_due = filter.needs_due() || filter.has_due == Some(false);
        let choices = [
            (Self::Words, filter.has_terms()),
            (Self::Due, is_live && has_due && order != SortField::Due),
            (Self::Completed, is_live && filter.completed.is_some() && order != SortField::Created),
            (Self::Priority, is_live && !filter.priorities.is_empty()),
        ];
        choices.into_iter().filter_map(|(access, is_possible)| is_possible.then_some(access))
    }
}

impl View<'_> {
    /// This view with the index that fewer than `most` tasks are read by, or the order.
    pub async fn choose(
        self,
        on: &impl ConnectionTrait,
        filter: &Filter,
        most: u64,
    ) -> Result<Self, DbErr> {
        let choices: Vec<_> = Access::of(filter, self.order).collect();
        let Some(first) = choices.first().copied() else { return Ok(self) };
        // Boxed, as the lists without a choice are the most frequent.
        let (sampled, common) = Box::pin(self.sample(on, filter)).await?;
        if sampled < self.bounds.sample {
            return Ok(Self { access: first, ..self });
        }
        Box::pin(self.fewest(on, choices, common, filter, most)).await
    }

    /// This view with that of `choices` that the fewest tasks are read by.
    #[expect(clippy::disallowed_methods, reason = "counts tasks of the owner")]
    async fn fewest(
        self,
        on: &impl ConnectionTrait,
        choices: Vec<Access>,
        common: u64,
        filter: &Filter,
        most: u64,
    ) -> Result<Self, DbErr> {
        let view = Self { common, ..self };
        let counts = choices.iter().map(|access| view.count_by(*access, filter, most));
        let counts = on.query_one(Query::select().exprs(counts)).await?;
        let (mut fewest, mut access) = (most, Access::Order);
        for (column, choice) in choices.into_iter().enumerate() {
            let found = counts.as_ref().map_or(Ok(0), |row| row.try_get_by_index::<i64>(column))?;
            if found.unsigned_abs() < fewest {
                (fewest, access) = (found.unsigned_abs(), choice);
            }
        }
        Ok(Self { access, ..view })
    }

    /// The number of tasks in a sample, the latest, and which words and tags of `filter`, by their
    /// [`search::bit`], are common among them: the full-text index reads all tasks with a word before
    /// it returns the first.
    #[expect(clippy::disallowed_methods, reason = "reads words of the owner's tasks")]
    async fn sample(self, on: &impl ConnectionTrait, filter: &Filter) -> Result<(u64, u64), DbErr> {
        let trash = Filter { deleted: filter.deleted, ..Filter::default() };
        let latest = if filter.deleted { Column::DeletedAt } else { Column::CreatedAt };
        let sample = with_unfinished::<Entity>(self.owner)
            .filter(Self { access: Access::Order, ..self }.indexed(&trash))
            .select_only()
            .column(Column::Words)
            .order_by(latest, Order::Desc)
            .order_by(Column::Id, Order::Desc)
            .limit(self.bounds.sample);
        let terms = search::terms(self.backend, self.owner, filter);
        let counts = terms.iter().map(|has| Func::count(Expr::case(has.clone(), 1)).into());
        let select = Query::select()
            .expr(Expr::cust("count(*)"))
            .exprs(counts.collect::<Vec<Expr>>())
            .from_subquery(sample.into_query(), Entity.table_name())
            .take();
        let Some(row) = on.query_one(&select).await? else { return Ok((0, 0)) };
        let count = |column| row.try_get_by_index::<i64>(column).map(i64::unsigned_abs);
        let (sampled, mut common) = (count(0)?, 0);
        for number in 0..terms.len() {
            if count(number + 1)? * 10 >= sampled {
                common |= search::bit(number);
            }
        }
        Ok((sampled, common))
    }

    /// The number of tasks that are read by this index, up to `most`.
    #[expect(clippy::disallowed_methods, reason = "counts tasks of the owner")]
    fn count_by(self, access: Access, filter: &Filter, most: u64) -> Expr {
        if access == Access::Words {
            return search::count(self, filter, most);
        }
        let some = with_unfinished::<Entity>(self.owner)
            .filter(Self { access, ..self }.indexed(filter))
            .select_only()
            .expr_as(Expr::val(1), "one")
            .limit(most);
        let count = Query::select()
            .expr(Expr::cust("count(*)"))
            .from_subquery(some.into_query(), "some")
            .take();
        Expr::SubQuery(None, Box::new(count.into()))
    }
}
