//! The epoch of a database: it changes when a backup is restored, so that cursors and etags from
//! before are recognised.

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

/// The least jump of change numbers at a restore: more than any user's changes since the backup.
const LEAST: i64 = 1 << 32;

/// The range of the random part of the jump. Positions have 48 bits for change numbers.
const CHANCE: i64 = 1 << 38;

/// The epoch of a database, between two restores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Epoch {
    /// A random number, which cursors carry.
    pub id: i64,
    /// The number after which the first change number of a user comes.
    pub base: i64,
}

impl Tasks {
    /// The epoch as last read.
    pub fn epoch(&self) -> Epoch {
        *self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads the epoch, or creates the first one.
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

    /// Begins a new epoch after a restore. Cursors from before are refused, and no change number
    /// repeats, so no etag names two contents.
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

/// 62 random bits, never negative.
fn chance() -> i64 {
    let (_, low) = Uuid::now_v7().as_u64_pair();
    i64::try_from(low & (u64::MAX >> 2)).unwrap_or_default()
}
