//! The selects of lists and counts: the conditions of a filter as statements.

use sea_orm::{
    ColumnTrait, Condition, DbBackend, QueryFilter, Select,
    sea_query::{BinOper, Expr, ExprTrait},
};
use shared::auth::Owner;

use super::{
    access::{Access, Bounds},
    owned::{owned, owned_by_words},
    search,
};
use crate::{
    domain::timestamp::Timestamp,
    entity::task::{Column, Entity},
    query::{
        filter::{Bound, Filter},
        sort::SortField,
    },
};

/// The context of a selection beside the request.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The dialect.
    pub backend: DbBackend,
    /// The owner.
    pub owner: &'a Owner,
    /// The current time.
    pub now: Timestamp,
    /// The order in which the index of the order is read.
    pub order: SortField,
    /// The index that is read.
    pub access: Access,
    /// The words and tags that are too common to be read by; see [`search::in_index`].
    pub common: u64,
    /// How much is read.
    pub bounds: Bounds,
    /// Whether the tables are distributed by user.
    pub is_distributed: bool,
}

impl View<'_> {
    /// All tasks that match `filter`, read by the index of [`View::access`]: all other conditions
    /// are written so that no index has them, because databases guess badly which is the better.
    pub fn matching(self, filter: &Filter) -> Select<Entity> {
        let all = if self.access == Access::Words {
            owned_by_words(self.backend, self.owner, self.is_distributed)
        } else {
            owned(self.backend, self.owner)
        };
        let all = all.filter(self.indexed(filter));
        match self.more(filter) {
            Some(more) => all.filter(more),
            None => all,
        }
    }

    /// The conditions that the index has.
    pub fn indexed(self, filter: &Filter) -> Condition {
        let all = Condition::all().add(if filter.deleted {
            Column::DeletedAt.is_not_null()
        } else {
            Column::DeletedAt.is_null()
        });
        match self.access {
            Access::Order if self.order != SortField::Created => all,
            // The index by creation has the state as well.
            Access::Order | Access::Completed => {
                all.add_option(filter.completed.map(|completed| Column::Completed.eq(completed)))
            }
            Access::Priority => {
                all.add(Column::Priority.is_in(filter.priorities.iter().map(|p| p.number())))
            }
            Access::Due if filter.has_due == Some(false) => all.add(Column::Due.is_null()),
            Access::Due => {
                let (from, end) = self.range(filter);
                // A number instead of IS NOT NULL, as a bound of the index.
                all.add(Column::Due.gte(from.unwrap_or(i64::MIN)))
                    .add_option(end.map(|end| Column::Due.lt(end)))
            }
            Access::Words => {
                all.add_option(search::in_index(self.backend, self.owner, filter, self.common))
            }
        }
    }

    /// All conditions but those on the trash; `None` without any.
    fn more(self, filter: &Filter) -> Option<Condition> {
        // Whole, so that a new field is not forgotten: the conditions below read those that are not
        // used by name.
        let Filter {
            completed,
            deleted: _,
            priorities,
            has_due,
            overdue,
            due_from: _,
            due_until: _,
            zone: _,
            words: _,
            tags_any: _,
            tags_all: _,
            tags_none: _,
        } = filter;
        let mut all = Condition::all();
        all = match completed {
            Some(true) => all.add(Column::CompletedAt.is_not_null()),
            Some(false) => all.add(Column::CompletedAt.is_null()),
            None => all,
        };
        if !priorities.is_empty() {
            let numbers = priorities.iter().map(|priority| priority.number());
            all = all.add(unindexed(Column::Priority).is_in(numbers));
        }
        all = match has_due {
            Some(true) => all.add(unindexed(Column::Due).is_not_null()),
            Some(false) => all.add(unindexed(Column::Due).is_null()),
            None => all,
        };
        if let Some(from) = filter.from() {
            all = all.add(due().gte(bound(from)));
        }
        if let Some(end) = filter.end() {
            all = all.add(due().lt(bound(end)));
        }
        all = match overdue {
            Some(true) => all.add(self.overdue(filter)),
            Some(false) => all.add(self.on_time(filter)),
            None => all,
        };
        for has_term in search::terms(self.backend, self.owner, filter) {
            all = all.add(has_term);
        }
        all = all.add_option(search::without_terms(self.backend, self.owner, filter));
        for phrase in search::phrases(self.backend, filter) {
            all = all.add(phrase);
        }
        (!all.is_empty()).then_some(all)
    }

    /// The range of dues that match `filter`: the first, and the first after them.
    pub fn range(self, filter: &Filter) -> (Option<i64>, Option<i64>) {
        let from = filter.from().map(|from| from.day.min(from.instant).micros());
        let overdue = filter.overdue == Some(true);
        let ends = [filter.end(), overdue.then(|| filter.not_yet_overdue(self.now))];
        let end = ends.into_iter().flatten().map(|end| end.day.max(end.instant).micros()).min();
        (from, end)
    }

    /// The condition that a task is open and overdue.
    pub fn overdue(self, filter: &Filter) -> Condition {
        let end = filter.not_yet_overdue(self.now);
        Condition::all().add(Column::CompletedAt.is_null()).add(due().lt(bound(end)))
    }

    /// The condition that a task is not overdue.
    fn on_time(self, filter: &Filter) -> Condition {
        Condition::any()
            .add(Column::CompletedAt.is_not_null())
            .add(unindexed(Column::Due).is_null())
            .add(due().gte(bound(filter.not_yet_overdue(self.now))))
    }
}

/// The value of `column`, which no index has in this form.
pub fn unindexed(column: Column) -> Expr {
    let value = Expr::col((Entity, column));
    match column {
        Column::TitleKey | Column::Position => {
            value.binary(BinOper::Custom("||"), Expr::cust("''"))
        }
        _ => value.add(Expr::cust("0")),
    }
}

fn due() -> Expr {
    unindexed(Column::Due)
}

/// The bound of a due: dates compare with dates, instants with instants.
fn bound(Bound { day, instant }: Bound) -> Expr {
    let is_day = Column::DueZone.is_null();
    Expr::case(is_day, Expr::val(day.micros())).finally(Expr::val(instant.micros())).into()
}
