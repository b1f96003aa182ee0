//! The code of a database's error: PostgreSQL's SQLSTATE (its manual, appendix A), or SQLite's
//! result code (sqlite.org/rescode.html).

use std::borrow::Cow;

use sea_orm::{DbErr, RuntimeErr, SqlxError};

use super::read_only;

/// The code of a database error.
pub enum ErrorCode<'e> {
    /// Five characters; the first two are the class.
    SqlState(Cow<'e, str>),
    /// The primary code, which extended ones have in their lowest byte.
    Sqlite(u32),
}

impl<'e> ErrorCode<'e> {
    /// The code; `None` for errors of the driver or the network.
    pub fn of(error: &'e SqlxError) -> Option<Self> {
        let SqlxError::Database(error) = error else { return None };
        let code = error.code()?;
        // SQLite's are numbers of at most four digits.
        if code.len() == 5 {
            return Some(Self::SqlState(code));
        }
        code.parse::<u32>().ok().map(|code| Self::Sqlite(code & 0xff))
    }
}

/// Whether SQLite's primary code is that of a lock that another connection holds: "busy", "locked".
pub const fn is_locked(sqlite_code: u32) -> bool {
    matches!(sqlite_code, 5 | 6)
}

/// Whether a connection is lost after this error: the network or the server ended it (classes 08 and
/// 57P, and 25P03), its server is read-only, or its response was not understood.
pub fn is_lost(error: &SqlxError) -> bool {
    match ErrorCode::of(error) {
        Some(ErrorCode::SqlState(state)) => {
            state.starts_with("08")
                || state.starts_with("57P")
                || ["25P03", read_only::SQLSTATE].contains(&&*state)
        }
        Some(ErrorCode::Sqlite(_)) => false,
        None => matches!(
            error,
            SqlxError::Io(_)
                | SqlxError::Tls(_)
                | SqlxError::Protocol(_)
                | SqlxError::WorkerCrashed
        ),
    }
}

/// The driver's error in one of the ORM's, where a connection or a statement failed.
pub fn driver_error(error: &DbErr) -> Option<&SqlxError> {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => Some(error),
        _ => None,
    }
}
