//! One handle for SQLite and PostgreSQL: readers, one writer, migrations under a lock,
//! notifications.

mod command_connection;
mod connect;
mod connection;
mod connector;
mod disk_full;
mod error_code;
mod in_place;
mod migration;
mod notifications;
mod pool;
mod pooler;
mod probe;
mod reachability;
mod read_only;
mod row;
mod schema_status;
mod server_address;
mod servers;
#[cfg(test)]
pub(crate) mod temporary_file;
mod timestamp;
mod transaction;
mod url;
mod wal_checkpoint;

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, RuntimeErr, SqlxError};
use shared::error::{Class, Kind, Refusal};

use self::{disk_full::is_disk_full, transaction::WriterQueue, wal_checkpoint::WalFile};
pub use sea_orm_migration::MigratorTrait;

pub use self::{
    migration::SqlMigration,
    notifications::{ListenAddress, Notifications},
    pool::Pool,
    pooler::Pooler,
    probe::{Probe, ProbeFailure},
    reachability::{Unreachable, is_unavailable},
    row::{ColumnValue, ReadRows, RowValues},
    schema_status::Migrations,
    server_address::set_application_name,
    timestamp::timestamp_value,
    transaction::Transaction,
    url::{DatabaseUrl, SETTINGS, database_url},
    wal_checkpoint::WAL_TOO_LONG,
};
use crate::storage::FreeSpaceLimit;

/// The time limit for a connection, a lock or a statement, after which the database counts as
/// busy.
const TIMEOUT: Duration = Duration::from_secs(4);

/// An open database.
///
/// SQLite gets one connection that writes and several that cannot; PostgreSQL one pool.
#[derive(Clone)]
pub struct Database {
    reader: Pool,
    writer: Pool,
    scans: Pool,
    writers: WriterQueue,
    wal: WalFile,
    free_space: FreeSpaceLimit,
    /// The identity of an open SQLite file.
    file: Option<probe::OpenFile>,
    /// The servers to listen at for notifications.
    listens_at: Option<servers::Servers>,
}

impl Database {
    /// The pool for single read statements.
    #[must_use]
    pub fn reader(&self) -> &Pool {
        &self.reader
    }

    /// The pool for single read statements over many rows: limited, so that other reads still get a
    /// connection. On SQLite each ends after four seconds, as PostgreSQL ends every statement.
    #[must_use]
    pub fn scans(&self) -> &Pool {
        &self.scans
    }

    /// The pool for single write statements.
    #[must_use]
    pub fn writer(&self) -> &Pool {
        &self.writer
    }

    /// The kind of database.
    #[must_use]
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// Refuses when the free space is below the limit for new data. On PostgreSQL, whose disk is
    /// remote, never: there the error of a statement reports it.
    pub fn check_space(&self) -> Result<(), Refusal> {
        self.free_space.check()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), DbErr> {
        self.reader.execute_unprepared("SELECT 1").await.map(drop)
    }

    /// Closes all connections; SQLite merges its write-ahead log into the file.
    pub async fn close(self) -> Result<(), DbErr> {
        self.scans.close().await?;
        self.reader.close().await?;
        self.writer.close().await
    }
}

/// The class of a database error: a full disk; unavailable or busy, and the call may be retried; or
/// internal, where the database responded and the code failed to read it.
#[must_use]
pub fn class(error: &DbErr) -> Class {
    use SqlxError::{
        ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, TypeNotFound,
    };
    if is_disk_full(error) {
        return Refusal::StorageFull.into();
    }
    read_only::count(error);
    let kind = match error {
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
    };
    kind.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unavailable_database_may_recover_and_a_misread_response_may_not() {
        let away = DbErr::ConnectionAcquire(sea_orm::ConnAcquireErr::Timeout);
        let refuses = DbErr::Exec(RuntimeErr::SqlxError(SqlxError::PoolClosed.into()));
        let misread = SqlxError::Decode("priority is text".into());
        let misread = DbErr::Query(RuntimeErr::SqlxError(misread.into()));
        assert_eq!(class(&away), Kind::Unavailable.into());
        assert_eq!(class(&refuses), Kind::Unavailable.into());
        assert_eq!(class(&misread), Kind::Internal.into());
        assert_eq!(class(&DbErr::Type("priority".into())), Kind::Internal.into());
    }
}
