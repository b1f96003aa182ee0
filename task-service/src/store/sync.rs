//! The sync: changes of a user after a cursor.

use sea_orm::{
    ColumnTrait, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, ExprTrait},
};
use shared::{auth::Owner, error::Refusal};

use super::{Tasks, owned::owned, read};
use crate::{
    entity::{
        revision,
        task::{Column, Entity},
    },
    error::Error,
    query::sync::{Changes, SyncCursor, SyncRequest},
};

/// The range of a user's history.
#[derive(Clone, Copy)]
pub struct History {
    /// Deletions up to this number are purged.
    purged: i64,
    /// The number of the last change.
    pub latest: i64,
    /// The epoch of the database.
    epoch: i64,
}

impl Tasks {
    /// The changes after `request.after`, oldest first; without it, all tasks. Each task is listed
    /// once, as it is now.
    pub async fn sync(&self, owner: &Owner, request: &SyncRequest) -> Result<Changes, Error> {
        let after = match request.after {
            Some(cursor) => cursor,
            None => self.beginning(owner).await?,
        };
        let changes = self.changes(owner, after, i64::MAX, request.size).await?;
        // Checked after the read: a purge records its number before it deletes.
        self.history(owner).await?.check(after)?;
        Ok(changes)
    }

    /// The cursor of a first sync.
    pub async fn beginning(&self, owner: &Owner) -> Result<SyncCursor, Error> {
        let history = self.history(owner).await?;
        Ok(SyncCursor::start(history.latest, history.epoch))
    }

    /// At most `size` tasks whose last change is after `after` and not later than `latest`.
    pub(super) async fn changes(
        &self,
        owner: &Owner,
        after: SyncCursor,
        latest: i64,
        size: usize,
    ) -> Result<Changes, Error> {
        let columns = [Column::Revision, Column::Id].map(|column| Expr::col((Entity, column)));
        let values = [Expr::val(after.revision), Expr::val(after.id)];
        let was_there = Column::DeletedAt.is_null().or(Column::Revision.gt(after.begun));
        let selection = owned::<Entity>(self.database.backend(), owner)
            .filter(Expr::tuple(columns).gt(Expr::tuple(values)))
            .filter(Column::Revision.lte(latest))
            .filter(was_there)
            .order_by_asc(Column::Revision)
            .order_by_asc(Column::Id)
            .limit(size as u64 + 1);
        let tasks = read::all(self.database.reader(), owner, selection).await?;
        Ok(Changes::cut(tasks, size, after))
    }

    pub(super) async fn history(&self, owner: &Owner) -> Result<History, Error> {
        let row = owned::<revision::Entity>(self.database.backend(), owner)
            .one(self.database.reader())
            .await?;
        let epoch = self.epoch();
        let (purged, latest) =
            row.map_or((epoch.base, epoch.base), |row| (row.purged, row.revision));
        Ok(History { purged, latest, epoch: epoch.id })
    }
}

impl History {
    /// Checks that the history after `cursor` is complete.
    pub fn check(self, cursor: SyncCursor) -> Result<(), Error> {
        let is_known = (self.purged..=self.latest).contains(&cursor.known());
        if cursor.epoch != self.epoch || !is_known {
            return Err(Refusal::SyncTokenTooOld.into());
        }
        Ok(())
    }
}
