//! Changes: one transaction and one number each.

use sea_orm::{
    ActiveValue::Set,
    sea_query::{Expr, ExprTrait, OnConflict},
};
use shared::{auth::Owner, db::Transaction};

use super::{Tasks, news::News, owned::owned_insert, turns::Turn};
use crate::{
    entity::revision::{ActiveModel, Column, Entity},
    error::Error,
};

/// A change of one owner's tasks in progress. Until it ends, every other change of the
/// same owner waits, so what was read stays true.
pub struct Change {
    /// Where it happens.
    pub transaction: Transaction,
    /// Its number: greater than every earlier one of this owner.
    pub revision: i64,
    news: News,
    #[expect(dead_code, reason = "over when the change is")]
    turn: Turn,
}

/// How a change went, and what to tell the caller.
pub enum Outcome<T> {
    /// Something is different now.
    Changed(T),
    /// Everything is as it was, so the number is given back.
    Unchanged(T),
}

impl Change {
    /// Begins a change. Its first statement takes the owner's next number, and with it the
    /// row lock that PostgreSQL's writers queue at; on SQLite they queue for the file.
    pub async fn begin(tasks: &Tasks, owner: &Owner) -> Result<Self, Error> {
        let turn = tasks.turns.changes.take(owner.user().as_str()).await?;
        let transaction = tasks.database.begin().await?;
        let base = tasks.epoch().base;
        let first =
            ActiveModel { revision: Set(base + 1), purged: Set(base), ..Default::default() };
        let next = Expr::col((Entity, Column::Revision)).add(1);
        let on_conflict =
            OnConflict::column(Column::UserId).value(Column::Revision, next).to_owned();
        let row = owned_insert(owner, first)
            .on_conflict(on_conflict)
            .exec_with_returning(&transaction)
            .await?;
        let news = News::of(&tasks.hub, owner.user().as_str());
        Ok(Self { transaction, revision: row.revision, news, turn })
    }

    /// Commits what changed something and rolls back everything else, before anybody is
    /// told. Whoever watches the owner is woken after a commit.
    pub async fn end<T>(self, outcome: Result<Outcome<T>, Error>) -> Result<T, Error> {
        match outcome {
            Ok(Outcome::Changed(told)) => {
                self.news.after(self.transaction.commit()).await?;
                Ok(told)
            }
            Ok(Outcome::Unchanged(told)) => {
                self.transaction.rollback().await;
                Ok(told)
            }
            Err(error) => {
                self.transaction.rollback().await;
                Err(error)
            }
        }
    }
}
