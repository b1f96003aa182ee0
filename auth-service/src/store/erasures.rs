//! What is still to be erased elsewhere. A row is made with the deletion of its account,
//! in one transaction, and goes when the last erasure was acknowledged: it is the truth,
//! whoever is killed in between.

use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect,
    sea_query::{Expr, ExprTrait, LockBehavior, LockType, OnConflict, Order, Query},
};

use super::{Store, timestamp_value};
use crate::entity::{
    erasure::{self, Column, Entity},
    finished_erasure,
};

/// An erasure to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewErasure {
    /// When the account is deleted.
    pub requested_at: DateTime<Utc>,
    /// From when on nobody can write in the user's name any more.
    pub last_at: DateTime<Utc>,
}

/// Stores an erasure. One of an earlier user of the same id is over with it.
#[expect(clippy::disallowed_methods, reason = "the account is the one that is deleted")]
pub(super) async fn insert(
    database: &impl ConnectionTrait,
    user_id: &str,
    new: NewErasure,
) -> Result<(), DbErr> {
    let moment = |moment| timestamp_value(database.get_database_backend(), moment);
    let columns = [
        Column::UserId,
        Column::RequestedAt,
        Column::LastAt,
        Column::NextAt,
        Column::Attempts,
        Column::FirstDoneAt,
    ];
    let mut insert = Query::insert();
    insert
        .into_table(Entity)
        .columns(columns)
        .values_panic([
            user_id.into(),
            moment(new.requested_at).into(),
            moment(new.last_at).into(),
            moment(new.requested_at).into(),
            0.into(),
            None::<DateTime<Utc>>.into(),
        ])
        .on_conflict(
            OnConflict::column(Column::UserId)
                .update_columns(columns.into_iter().skip(1))
                .to_owned(),
        );
    database.execute(&insert).await.map(drop)
}

impl Store {
    /// Takes at most `limit` of the erasures that are due at `now`, and moves them on to
    /// `until`: nobody else takes them before, and somebody does then if this process is
    /// gone.
    #[expect(clippy::disallowed_methods, reason = "the accounts are gone: nobody asks")]
    pub async fn claim_erasures(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
        limit: u64,
    ) -> Result<Vec<erasure::Model>, DbErr> {
        let due = Query::select()
            .column(Column::UserId)
            .from(Entity)
            .and_where(Expr::col(Column::NextAt).lte(Expr::val(self.moment(now))))
            .order_by(Column::NextAt, Order::Asc)
            .limit(limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .take();
        Entity::update_many()
            .col_expr(Column::NextAt, Expr::value(self.moment(until)))
            .col_expr(Column::Attempts, Expr::col(Column::Attempts).add(1))
            .filter(Column::UserId.in_subquery(due))
            .exec_with_returning(self.database.writer())
            .await
    }

    /// When the next erasure is due, if there is one.
    #[expect(clippy::disallowed_methods, reason = "a moment that is nobody's")]
    pub async fn next_erasure(&self) -> Result<Option<DateTime<Utc>>, DbErr> {
        Entity::find()
            .select_only()
            .column(Column::NextAt)
            .order_by_asc(Column::NextAt)
            .limit(1)
            .into_tuple()
            .one(self.database.reader())
            .await
    }

    /// Moves an erasure on to `next_at`: it did not come to its end.
    #[expect(clippy::disallowed_methods, reason = "the account is gone: nobody asks")]
    pub async fn put_off_erasure(
        &self,
        row: &erasure::Model,
        next_at: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        Entity::update_many()
            .col_expr(Column::NextAt, Expr::value(self.moment(next_at)))
            .filter(self.is(row))
            .exec(self.database.writer())
            .await
            .map(drop)
    }

    /// Notes that everything there was is erased, at `now`; it is done again at `last_at`.
    #[expect(clippy::disallowed_methods, reason = "the account is gone: nobody asks")]
    pub async fn note_erasure(
        &self,
        row: &erasure::Model,
        now: DateTime<Utc>,
    ) -> Result<(), DbErr> {
        Entity::update_many()
            .col_expr(Column::NextAt, Expr::value(self.moment(row.last_at)))
            .col_expr(Column::FirstDoneAt, Expr::value(self.moment(now)))
            .col_expr(Column::Attempts, Expr::value(0))
            .filter(self.is(row))
            .exec(self.database.writer())
            .await
            .map(drop)
    }

    /// Forgets an erasure, also where it was done before: nothing is to be erased of the
    /// user, who may be another one by now.
    #[expect(clippy::disallowed_methods, reason = "the account is gone: nobody asks")]
    pub async fn forget_erasure(&self, row: &erasure::Model) -> Result<(), DbErr> {
        let transaction = self.begin().await?;
        Entity::delete_many().filter(self.is(row)).exec(&transaction).await?;
        let done = finished_erasure::Column::UserId.eq(row.user_id.as_str());
        finished_erasure::Entity::delete_many().filter(done).exec(&transaction).await?;
        transaction.commit().await
    }

    /// This erasure, and no later one of another user with the same id.
    pub(super) fn is(&self, row: &erasure::Model) -> Condition {
        let requested_at = Expr::val(self.moment(row.requested_at));
        Condition::all()
            .add(Column::UserId.eq(row.user_id.as_str()))
            .add(Expr::col(Column::RequestedAt).eq(requested_at))
    }
}
