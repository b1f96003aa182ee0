//! Which tasks a caller asked for, as a database is asked.

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
    domain::timestamp::Moment,
    entity::task::{Column, Entity},
    query::{
        filter::{Bound, Filter},
        page::{PageRequest, Place},
        sort::{By, Key, Sort},
    },
};

/// What a selection depends on beside the request.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// The database that is asked.
    pub backend: DbBackend,
    /// Whose tasks.
    pub owner: &'a Owner,
    /// When.
    pub now: Moment,
    /// Whether to begin with what has the words and tags; see [`search::comes_first`].
    pub is_by_words: bool,
}

impl View<'_> {
    /// All tasks that pass `filter`.
    pub fn matching(self, filter: &Filter) -> Select<Entity> {
        let (from, end) = self.range(filter);
        let range = Condition::all()
            .add_option(from.map(|from| Column::Due.gte(from)))
            .add_option(end.map(|end| Column::Due.lt(end)));
        let all = self.passing(filter);
        if range.is_empty() { all } else { all.filter(range) }
    }

    /// The same, without a hint where in the index of dues they are.
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

    /// What a page of `request` is read by: one after the other, each in order, until the
    /// page is full. Each is a walk along an index.
    ///
    /// There are two where some tasks have no key: those come last, whichever way round,
    /// and no index of both databases has them there in both directions.
    pub fn walks(self, request: &PageRequest) -> impl Iterator<Item = Select<Entity>> {
        let PageRequest { filter, sort, after, .. } = request;
        let (keyed, keyless) = if sort.by == By::Due {
            let is_behind = after.as_ref().is_some_and(|place| place.key == Key::None);
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
            (By::Due, true) => self.passing(filter).filter(self.within(request)),
            (By::Due, false) => self.passing(filter).filter(column.is_null()),
            _ => self.matching(filter),
        };
        if let Some(place) = after {
            let (columns, place) = match (&place.key, is_keyed) {
                (Key::Number(key), true) => (pair(column), pair_of(Expr::val(*key), place)),
                (Key::Text(key), true) => (pair(column), pair_of(Expr::val(key.as_str()), place)),
                (Key::None, false) => (Expr::col((Entity, Column::Id)), Expr::val(place.id)),
                // The walk begins behind the place.
                _ => return in_order(walk, by, descending),
            };
            // As a row value, which both databases look up in the index.
            walk = walk.filter(if descending { columns.lt(place) } else { columns.gt(place) });
        }
        in_order(walk, by, descending)
    }

    /// What only some filters ask for; `None` where this one does not.
    fn more(self, filter: &Filter) -> Option<Condition> {
        let mut all = Condition::all();
        if !filter.priorities.is_empty() {
            all = all.add(Column::Priority.is_in(filter.priorities.iter().map(|p| p.number())));
        }
        all = match filter.has_due {
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
        all = match filter.overdue {
            Some(true) => all.add(self.overdue(filter)),
            Some(false) => all.add(self.on_time(filter)),
            None => all,
        };
        let user_id = self.owner.user().as_str();
        for condition in [
            search::having(self.backend, user_id, filter),
            search::lacking(self.backend, user_id, filter),
        ] {
            all = all.add_option(condition);
        }
        for phrase in search::phrases(self.backend, filter) {
            all = all.add(phrase);
        }
        (!all.is_empty()).then_some(all)
    }

    /// Every due that passes `filter` is one of these: the first, and the first after them.
    fn range(self, filter: &Filter) -> (Option<i64>, Option<i64>) {
        let from = filter.from().map(|from| from.day.min(from.instant).micros());
        let overdue = filter.overdue == Some(true);
        let ends = [filter.end(), overdue.then(|| filter.not_yet_overdue(self.now))];
        let end = ends.into_iter().flatten().map(|end| end.day.max(end.instant).micros()).min();
        (from, end)
    }

    /// Where a walk along the dues begins and ends. The side that the place is on needs no
    /// more: an index is entered at one place, and that is the better one.
    fn within(self, request: &PageRequest) -> Condition {
        let (from, end) = self.range(&request.filter);
        let is_entered = request.after.is_some();
        let mut within = Condition::all();
        if !is_entered || request.sort.descending {
            // Any due at all is said as a number, since that is where to leave the index.
            within = within.add(Column::Due.gte(from.unwrap_or(i64::MIN)));
        }
        if let Some(end) = end
            && (!is_entered || !request.sort.descending)
        {
            within = within.add(Column::Due.lt(end));
        }
        within
    }

    /// That a task is open and overdue.
    pub fn overdue(self, filter: &Filter) -> Condition {
        let end = filter.not_yet_overdue(self.now);
        Condition::all().add(Column::CompletedAt.is_null()).add(due().lt(bound(end)))
    }

    /// That a task is anything else.
    fn on_time(self, filter: &Filter) -> Condition {
        Condition::any()
            .add(Column::CompletedAt.is_not_null())
            .add(Column::Due.is_null())
            .add(due().gte(bound(filter.not_yet_overdue(self.now))))
    }
}

fn in_order(walk: Select<Entity>, by: By, descending: bool) -> Select<Entity> {
    let order = if descending { Order::Desc } else { Order::Asc };
    walk.order_by(column(by), order.clone()).order_by(Column::Id, order)
}

fn column(by: By) -> Column {
    match by {
        By::Created => Column::CreatedAt,
        By::Updated => Column::UpdatedAt,
        By::Due => Column::Due,
        By::Priority => Column::Priority,
        By::Title => Column::TitleKey,
        By::Position => Column::Position,
        By::Deleted => Column::DeletedAt,
    }
}

fn pair(column: Column) -> Expr {
    Expr::tuple([column, Column::Id].map(|column| Expr::col((Entity, column))))
}

fn pair_of(key: Expr, place: &Place) -> Expr {
    Expr::tuple([key, Expr::val(place.id)])
}

fn due() -> Expr {
    Expr::col((Entity, Column::Due))
}

/// The due that a task's own is compared with: days with days, instants with instants.
fn bound(Bound { day, instant }: Bound) -> Expr {
    let is_day = Column::DueZone.is_null();
    Expr::case(is_day, Expr::val(day.micros())).finally(Expr::val(instant.micros())).into()
}
