//! The selects of lists and counts: filter, order and cursor as statements.

use sea_orm::{
    ColumnTrait, Condition, DbBackend, QueryFilter, QueryOrder, Select,
    sea_query::{Expr, ExprTrait, Order},
};
use shared::auth::Owner;

use super::{
    owned::{owned, owned_by_words},
    search,
};
use crate::{
    domain::timestamp::Timestamp,
    entity::task::{Column, Entity},
    query::{
        filter::{Bound, Filter},
        page::{PageCursor, PageRequest},
        sort::{Sort, SortField, SortKey},
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
    /// Whether to read by the full-text index; see [`search::reads_index_first`].
    pub is_by_words: bool,
}

impl View<'_> {
    /// All tasks that match `filter`.
    pub fn matching(self, filter: &Filter) -> Select<Entity> {
        let (from, end) = self.range(filter);
        let range = Condition::all()
            .add_option(from.map(|from| Column::Due.gte(from)))
            .add_option(end.map(|end| Column::Due.lt(end)));
        let all = self.passing(filter);
        if range.is_empty() { all } else { all.filter(range) }
    }

    /// All tasks that match `filter`, without a range of the index by due.
    fn passing(self, filter: &Filter) -> Select<Entity> {
        let all = if self.is_by_words {
            owned_by_words(self.backend, self.owner)
        } else {
            owned(self.backend, self.owner)
        };
        let all = all.filter(if filter.deleted {
            Column::DeletedAt.is_not_null()
        } else {
            Column::DeletedAt.is_null()
        });
        let all = match filter.completed {
            Some(completed) => all.filter(Column::Completed.eq(completed)),
            None => all,
        };
        match self.more(filter) {
            Some(more) => all.filter(more),
            None => all,
        }
    }

    /// The selects of a page, one after the other, until the page is full. Each reads along an
    /// index.
    ///
    /// There are two if some tasks have no key: these come last in both directions, in which no
    /// index of both databases has them.
    pub fn walks(self, request: &PageRequest) -> impl Iterator<Item = Select<Entity>> {
        let PageRequest { filter, sort, after, .. } = request;
        let (keyed, keyless) = if sort.by == SortField::Due {
            let is_behind = after.as_ref().is_some_and(|cursor| cursor.key == SortKey::None);
            (!is_behind && filter.has_due != Some(false), !filter.needs_due())
        } else {
            (true, false)
        };
        let keyed = keyed.then(|| self.walk(request, true));
        let keyless = keyless.then(|| self.walk(request, false));
        keyed.into_iter().chain(keyless)
    }

    fn walk(self, request: &PageRequest, is_keyed: bool) -> Select<Entity> {
        let PageRequest { filter, sort, after, .. } = request;
        let Sort { by, descending } = *sort;
        let column = column(by);
        let mut walk = match (by, is_keyed) {
            (SortField::Due, true) => self.passing(filter).filter(self.within(request)),
            (SortField::Due, false) => self.passing(filter).filter(column.is_null()),
            _ => self.matching(filter),
        };
        if let Some(cursor) = after {
            let (columns, cursor) = match (&cursor.key, is_keyed) {
                (SortKey::Number(key), true) => (pair(column), pair_of(Expr::val(*key), cursor)),
                (SortKey::Text(key), true) => {
                    (pair(column), pair_of(Expr::val(key.as_str()), cursor))
                }
                (SortKey::None, false) => (Expr::col((Entity, Column::Id)), Expr::val(cursor.id)),
                // The select begins after the cursor.
                _ => return in_order(walk, by, descending),
            };
            // As a row value, for which both databases use the index.
            walk = walk.filter(if descending { columns.lt(cursor) } else { columns.gt(cursor) });
        }
        in_order(walk, by, descending)
    }

    /// The conditions of optional filters; `None` without any.
    fn more(self, filter: &Filter) -> Option<Condition> {
        // Whole, so that a new field is not forgotten: `passing` and the conditions below read those
        // that are not used by name.
        let Filter {
            completed: _,
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
        if !priorities.is_empty() {
            all = all.add(Column::Priority.is_in(priorities.iter().map(|p| p.number())));
        }
        all = match has_due {
            Some(true) => all.add(Column::Due.is_not_null()),
            Some(false) => all.add(Column::Due.is_null()),
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
        let user_id = self.owner.user().as_str();
        for condition in [
            search::with_terms(self.backend, user_id, filter),
            search::without_terms(self.backend, user_id, filter),
        ] {
            all = all.add_option(condition);
        }
        for phrase in search::phrases(self.backend, filter) {
            all = all.add(phrase);
        }
        (!all.is_empty()).then_some(all)
    }

    /// The range of dues that match `filter`: the first, and the first after them.
    fn range(self, filter: &Filter) -> (Option<i64>, Option<i64>) {
        let from = filter.from().map(|from| from.day.min(from.instant).micros());
        let overdue = filter.overdue == Some(true);
        let ends = [filter.end(), overdue.then(|| filter.not_yet_overdue(self.now))];
        let end = ends.into_iter().flatten().map(|end| end.day.max(end.instant).micros()).min();
        (from, end)
    }

    /// The range of the index by due. On the side of the cursor none is needed, as that is the
    /// tighter bound.
    fn within(self, request: &PageRequest) -> Condition {
        let (from, end) = self.range(&request.filter);
        let is_entered = request.after.is_some();
        let mut within = Condition::all();
        if !is_entered || request.sort.descending {
            // A number instead of IS NOT NULL, as a bound of the index.
            within = within.add(Column::Due.gte(from.unwrap_or(i64::MIN)));
        }
        if let Some(end) = end
            && (!is_entered || !request.sort.descending)
        {
            within = within.add(Column::Due.lt(end));
        }
        within
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
            .add(Column::Due.is_null())
            .add(due().gte(bound(filter.not_yet_overdue(self.now))))
    }
}

fn in_order(walk: Select<Entity>, by: SortField, descending: bool) -> Select<Entity> {
    let order = if descending { Order::Desc } else { Order::Asc };
    walk.order_by(column(by), order.clone()).order_by(Column::Id, order)
}

fn column(by: SortField) -> Column {
    match by {
        SortField::Created => Column::CreatedAt,
        SortField::Updated => Column::UpdatedAt,
        SortField::Due => Column::Due,
        SortField::Priority => Column::Priority,
        SortField::Title => Column::TitleKey,
        SortField::Position => Column::Position,
        SortField::Deleted => Column::DeletedAt,
    }
}

fn pair(column: Column) -> Expr {
    Expr::tuple([column, Column::Id].map(|column| Expr::col((Entity, column))))
}

fn pair_of(key: Expr, cursor: &PageCursor) -> Expr {
    Expr::tuple([key, Expr::val(cursor.id)])
}

fn due() -> Expr {
    Expr::col((Entity, Column::Due))
}

/// The bound of a due: dates compare with dates, instants with instants.
fn bound(Bound { day, instant }: Bound) -> Expr {
    let is_day = Column::DueZone.is_null();
    Expr::case(is_day, Expr::val(day.micros())).finally(Expr::val(instant.micros())).into()
}
