//! One handle for SQLite and PostgreSQL: readers, one way to write, migrations under a
//! lock.

mod checks;
mod connect;
mod error_code;
mod examination;
mod full;
mod migration;
mod notifications;
mod probe;
mod reach;
mod read_only;
mod scans;
#[cfg(test)]
pub(crate) mod temporary_file;
mod timestamp;
mod transaction;
mod url;
mod visit;
mod wal_checkpoint;

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, SqlxError};
use shared::error::{Kind, StorageFull};

use self::wal_checkpoint::WalFile;
pub use sea_orm_migration::MigratorTrait;

pub use self::{
    examination::Migrations,
    full::is_full,
    notifications::Notifications,
    probe::{Probe, Unfit},
    reach::{Unreachable, is_away},
    timestamp::timestamp_value,
    transaction::Transaction,
    url::DatabaseUrl,
    wal_checkpoint::WAL_TOO_LONG,
};
use crate::storage::SpaceFloor;

/// How long a call may wait for a connection, a lock or a statement before the database
/// counts as busy.
const PATIENCE: Duration = Duration::from_secs(4);

/// An open database.
///
/// SQLite gets one connection that writes and several that cannot; PostgreSQL one pool.
#[derive(Clone)]
pub struct Database {
    reader: DatabaseConnection,
    writer: DatabaseConnection,
    scans: DatabaseConnection,
    wal: WalFile,
    floor: SpaceFloor,
    /// The file of a SQLite database that serves, as it was when it was opened.
    file: Option<probe::OpenFile>,
}

impl Database {
    /// For single statements that only read.
    #[must_use]
    pub fn reader(&self) -> &DatabaseConnection {
        &self.reader
    }

    /// For single statements that only read, and may look at many rows: so few of them at a
    /// time that others still find a reader. On SQLite each ends after four seconds, as
    /// PostgreSQL ends every statement.
    #[must_use]
    pub fn scans(&self) -> &DatabaseConnection {
        &self.scans
    }

    /// For single statements that write.
    #[must_use]
    pub fn writer(&self) -> &DatabaseConnection {
        &self.writer
    }

    /// Which of the two it is.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// Refuses where so little room is left that nothing should be stored that takes more.
    /// On PostgreSQL, whose disk is elsewhere, never: there [`is_full`] tells.
    pub fn check_space(&self) -> Result<(), StorageFull> {
        self.floor.check()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop)
    }

    /// Closes all connections; SQLite folds its journal back into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.scans.close().await?;
        self.reader.close().await?;
        self.writer.close().await
    }
}

/// What a failure of the database means for a caller: it is away or busy and the call may
/// succeed later, unless it did answer and the code takes the answer for something else,
/// which no repetition mends.
#[must_use]
pub fn kind(error: &DbErr) -> Kind {
    use SqlxError::{
        ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, TypeNotFound,
    };
    if is_full(error) {
        return Kind::Full;
    }
    read_only::count(error);
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(cause)) | DbErr::Query(RuntimeErr::SqlxError(cause)) => {
            match **cause {
                ColumnDecode { .. }
                | ColumnIndexOutOfBounds { .. }
                | ColumnNotFound(_)
                | Decode(_)
                | Encode(_)
                | TypeNotFound { .. } => Kind::Internal,
                _ => Kind::Unavailable,
            }
        }
        DbErr::ConnectionAcquire(_) | DbErr::Conn(_) | DbErr::Exec(_) | DbErr::Query(_) => {
            Kind::Unavailable
        }
        _ => Kind::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_that_is_away_may_come_back_and_a_misread_answer_may_not() {
        let away = DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        let refuses = DbErr::Exec(RuntimeErr::SqlxError(SqlxError::PoolClosed.into()));
        let misread = SqlxError::Decode("priority is text".into());
        let misread = DbErr::Query(RuntimeErr::SqlxError(misread.into()));
        assert_eq!(kind(&away), Kind::Unavailable);
        assert_eq!(kind(&refuses), Kind::Unavailable);
        assert_eq!(kind(&misread), Kind::Internal);
        assert_eq!(kind(&DbErr::Type("priority".into())), Kind::Internal);
    }
}
