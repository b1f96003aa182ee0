//! The selects of a page: order, cursor and bound.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, QueryFilter, QueryOrder, QuerySelect, Select,
    sea_query::{Expr, ExprTrait, Order},
};
use uuid::Uuid;

use super::{
    access::Access,
    owned::with_unfinished,
    read,
    selection::{View, unindexed},
    statement::{Bound, Text},
};
use crate::{
    domain::task::Priority,
    entity::task::{Column, Entity},
    query::{
        filter::Filter,
        page::{PageCursor, PageRequest},
        sort::{Sort, SortField, SortKey},
    },
};

/// The texts of lists without a filter, by sort and direction: from the start and from a cursor.
static UNFILTERED: [[[Text; 2]; 2]; 7] = [const { [const { [const { Text::new() }; 2] }; 2] }; 7];

/// A part of a list in order.
#[derive(Clone, Copy)]
pub struct Walk<'a> {
    view: View<'a>,
    request: &'a PageRequest,
    is_keyed: bool,
}

impl<'a> View<'a> {
    /// The walks of a page, one after the other, until the page is full.
    ///
    /// There are two if some tasks have no key: these come last in both directions, in which no
    /// index of both databases has them.
    pub fn walks(self, request: &'a PageRequest) -> impl Iterator<Item = Walk<'a>> {
        let PageRequest { filter, sort, after, .. } = request;
        let (keyed, keyless) = if sort.by == SortField::Due {
            let is_behind = after.as_ref().is_some_and(|cursor| cursor.key == SortKey::None);
            (!is_behind && filter.has_due != Some(false), !filter.needs_due())
        } else {
            (true, false)
        };
        let keyless = keyless.then_some(Walk { is_keyed: false, ..self.walk(request) });
        keyed.then(|| self.walk(request)).into_iter().chain(keyless)
    }

    /// The walk of the tasks with a key.
    pub fn walk(self, request: &'a PageRequest) -> Walk<'a> {
        Walk { view: self, request, is_keyed: true }
    }
}

impl Walk<'_> {
    /// The tasks of the walk in order, to the cursor `until`.
    pub fn select(self, until: Option<&PageCursor>) -> Select<Entity> {
        self.in_order(self.tasks(until))
    }

    /// The tasks of the walk in no order, to the cursor `until`.
    pub fn tasks(self, until: Option<&PageCursor>) -> Select<Entity> {
        let matching = self.view.matching(&self.request.filter).filter(self.keys());
        let Sort { descending, .. } = self.request.sort;
        let bounded = match until {
            // As a row value, for which both databases use the index.
            Some(until) if descending => matching.filter(self.place().gte(place_of(until))),
            Some(until) => matching.filter(self.place().lte(place_of(until))),
            None => matching,
        };
        self.entered(bounded)
    }

    /// The statement of a list without a filter, whose text is made once; `None` of others.
    pub fn unfiltered(self, limit: u64) -> Option<Bound> {
        let PageRequest { filter, sort, after, .. } = self.request;
        if *filter != Filter::default() || sort.by == SortField::Due {
            return None;
        }
        let mut values = vec![self.view.owner.user().as_str().into()];
        if let Some(PageCursor { key, id, .. }) = after {
            match key {
                SortKey::Number(key) => values.push((*key).into()),
                SortKey::Text(key) => values.push(key.as_str().into()),
                SortKey::None => return None,
            }
            values.push((*id).into());
        }
        values.push(limit.into());
        let [all, rest] = &UNFILTERED[sort.by as usize][usize::from(sort.descending)];
        let text = if after.is_some() { rest } else { all };
        let build = || read::whole(self.select(None).limit(limit));
        Some(text.bind(self.view.backend, values, build))
    }

    /// The cursor at which the page ends even if it is not full; `None` if the walk reads no more
    /// tasks than [`Bounds::page`](super::access::Bounds::page), or only such as match.
    pub async fn end(
        self,
        on: &impl ConnectionTrait,
        epoch: i64,
    ) -> Result<Option<PageCursor>, DbErr> {
        let PageRequest { filter, sort, .. } = self.request;
        let is_by_state = sort.by == SortField::Created;
        let all_match = !filter.is_search() && (is_by_state || filter.completed.is_none());
        if all_match {
            return Ok(None);
        }
        // Boxed, as the lists without a bound are the most frequent.
        Box::pin(self.behind(on, self.view.bounds.page, epoch)).await
    }

    /// The cursor behind `count` tasks and one more of the order, whether they match or not; `None` if
    /// the walk reads no more, or no index of the order, which the trash has for that of deletion
    /// alone.
    pub async fn behind(
        self,
        on: &impl ConnectionTrait,
        count: u64,
        epoch: i64,
    ) -> Result<Option<PageCursor>, DbErr> {
        let PageRequest { filter, sort, .. } = self.request;
        let has_index = filter.deleted == (sort.by == SortField::Deleted);
        if self.view.access != Access::Order || !has_index {
            return Ok(None);
        }
        // Tasks of an unfinished import count: they are read as well.
        let all = with_unfinished::<Entity>(self.view.owner).filter(self.view.indexed(filter));
        let last = self.in_order(self.entered(all.filter(self.keys())));
        let last = last.select_only().columns([column(sort.by), Column::Id]).offset(count).limit(1);
        let place = match sort.by {
            SortField::Title | SortField::Position => {
                let last = last.into_tuple::<(Option<String>, Uuid)>().one(on).await?;
                last.map(|(key, id)| (key.map(SortKey::Text), id))
            }
            _ => {
                let last = last.into_tuple::<(Option<i64>, Uuid)>().one(on).await?;
                last.map(|(key, id)| (key.map(SortKey::Number), id))
            }
        };
        Ok(place.map(|(key, id)| PageCursor { key: key.unwrap_or(SortKey::None), id, epoch }))
    }

    /// The keys that the walk has.
    fn keys(self) -> Condition {
        let PageRequest { filter, sort, .. } = self.request;
        let keys = Condition::all();
        match (sort.by, self.view.access) {
            (SortField::Due, Access::Order) if self.is_keyed => self.dues(),
            (SortField::Due, Access::Order) => keys.add(Column::Due.is_null()),
            (SortField::Due, _) if self.is_keyed => keys.add(unindexed(Column::Due).is_not_null()),
            (SortField::Due, _) => keys.add(unindexed(Column::Due).is_null()),
            (SortField::Priority, Access::Order) => {
                let numbers = || filter.priorities.iter().copied().map(Priority::number);
                keys.add_option(numbers().min().map(|least| Column::Priority.gte(least)))
                    .add_option(numbers().max().map(|most| Column::Priority.lte(most)))
            }
            _ => keys,
        }
    }

    /// The range of the index by due. On the side of the cursor none is needed, as that is the
    /// tighter bound.
    fn dues(self) -> Condition {
        let PageRequest { filter, sort, after, .. } = self.request;
        let (from, end) = self.view.range(filter);
        let is_entered = after.is_some();
        let mut within = Condition::all();
        if !is_entered || sort.descending {
            // A number instead of IS NOT NULL, as a bound of the index.
            within = within.add(Column::Due.gte(from.unwrap_or(i64::MIN)));
        }
        if let Some(end) = end
            && (!is_entered || !sort.descending)
        {
            within = within.add(Column::Due.lt(end));
        }
        within
    }

    /// The part of `walk` after the cursor.
    fn entered(self, walk: Select<Entity>) -> Select<Entity> {
        match &self.request.after {
            // Otherwise the walk begins after the cursor.
            Some(cursor) if (cursor.key != SortKey::None) == self.is_keyed => {
                let (place, cursor) = (self.place(), place_of(cursor));
                let descending = self.request.sort.descending;
                walk.filter(if descending { place.lt(cursor) } else { place.gt(cursor) })
            }
            _ => walk,
        }
    }

    fn in_order(self, walk: Select<Entity>) -> Select<Entity> {
        let order = if self.request.sort.descending { Order::Desc } else { Order::Asc };
        walk.order_by(self.key(), order.clone()).order_by(Column::Id, order)
    }

    /// The sort key of a task, as the index has it if that is read.
    fn key(self) -> Expr {
        let column = column(self.request.sort.by);
        match self.view.access {
            Access::Order => Expr::col((Entity, column)),
            _ => unindexed(column),
        }
    }

    /// The place of a task among those of the walk.
    fn place(self) -> Expr {
        let id = Expr::col((Entity, Column::Id));
        if self.is_keyed { Expr::tuple([self.key(), id]) } else { id }
    }
}

/// The place of a cursor.
fn place_of(cursor: &PageCursor) -> Expr {
    let id = Expr::val(cursor.id);
    match &cursor.key {
        SortKey::Number(key) => Expr::tuple([Expr::val(*key), id]),
        SortKey::Text(key) => Expr::tuple([Expr::val(key.as_str()), id]),
        SortKey::None => id,
    }
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
