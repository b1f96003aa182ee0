//! Which state of a database this is. What was given out by another database, or by this one
//! before a backup took its place, is told apart from its own.

use std::sync::PoisonError;

use sea_orm::{ConnectionTrait, DbErr};
use uuid::Uuid;

use super::{
    Tasks,
    revision::advance_histories,
    scope::EveryUser,
    system_queries::{EPOCH, FIRST, draw_number, numbers, set_number},
};
use crate::error::Error;

/// By how much change numbers move on at least when a database is restored: more than any
/// user's had been since the backup.
const LEAST: i64 = 1 << 32;

/// How many numbers chance chooses from beyond that. Positions have room for 48 bits.
const CHANCE: i64 = 1 << 38;

/// The state of a database, between one restore and the next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// Drawn by lot. Tokens of place carry it.
    pub id: i64,
    /// Change numbers of a user who has none yet begin behind it.
    pub base: i64,
}

impl Tasks {
    /// The epoch, as it was when it was last read.
    pub fn epoch(&self) -> Epoch {
        *self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the epoch, or draws the first one.
    pub async fn read_epoch(&self) -> Result<Epoch, Error> {
        let mut epoch = read(self.database.reader()).await?;
        if epoch.is_none() {
            draw_number(EPOCH, chance()).exec_without_returning(self.database.writer()).await?;
            epoch = read(self.database.writer()).await?;
        }
        let epoch = epoch.unwrap_or_default();
        *self.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
        Ok(epoch)
    }

    /// Begins another epoch: this database holds an earlier state than it did. No token of
    /// place from before is good any more, and no change number comes a second time, so no
    /// etag names two contents.
    pub async fn renew_epoch(&self, all: EveryUser) -> Result<Epoch, Error> {
        let transaction = self.database.begin().await?;
        let before = read(&transaction).await?.unwrap_or_default();
        let jump = LEAST + chance() % CHANCE;
        let epoch = Epoch { id: chance(), base: before.base + jump };
        for (name, number) in [(EPOCH, epoch.id), (FIRST, epoch.base)] {
            set_number(name, number).exec_without_returning(&transaction).await?;
        }
        advance_histories(all, jump).exec(&transaction).await?;
        transaction.commit().await?;
        Ok(epoch)
    }
}

async fn read(on: &impl ConnectionTrait) -> Result<Option<Epoch>, DbErr> {
    let rows = numbers(&[EPOCH, FIRST]).all(on).await?;
    let number = |name| rows.iter().find(|row| row.name == name).map(|row| row.value);
    Ok(number(EPOCH).map(|id| Epoch { id, base: number(FIRST).unwrap_or_default() }))
}

/// 62 bits that nobody foresees, and never less than nothing.
fn chance() -> i64 {
    let (_, low) = Uuid::now_v7().as_u64_pair();
    i64::try_from(low & (u64::MAX >> 2)).unwrap_or_default()
}
