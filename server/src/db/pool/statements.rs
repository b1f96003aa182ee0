//! Single statements on a pool's connections.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, SqlxError, Statement,
    prelude::async_trait::async_trait,
};

use super::Pool;
use crate::db::{
    error_code::is_lost,
    row::{ReadRows, RowValues, read_all},
};

impl Pool {
    /// The statement for a second attempt, where there may be one.
    fn to_repeat(&self, statement: &Statement) -> Option<Statement> {
        self.repeats_queries.then(|| statement.clone())
    }
}

#[async_trait]
impl ConnectionTrait for Pool {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.connector.backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.acquire().await?.execute(statement).await.map_err(execution_error)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.acquire().await?.execute_unprepared(sql).await.map_err(execution_error)
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        let again = self.to_repeat(&statement);
        let found = self.acquire().await?.query_one(statement).await;
        match (found, again) {
            (Err(error), Some(again)) if is_lost(&error) => {
                self.acquire_new().await?.query_one(again).await
            }
            (found, _) => found,
        }
        .map_err(query_error)
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let again = self.to_repeat(&statement);
        let found = self.acquire().await?.query_all(statement).await;
        match (found, again) {
            (Err(error), Some(again)) if is_lost(&error) => {
                self.acquire_new().await?.query_all(again).await
            }
            (found, _) => found,
        }
        .map_err(query_error)
    }
}

impl ReadRows for Pool {
    async fn read_rows<T, E, F>(&self, statement: Statement, mut read: F) -> Result<Vec<T>, E>
    where
        T: Send,
        E: From<DbErr> + Send,
        F: FnMut(RowValues<'_>) -> Result<T, E> + Send,
    {
        if let Some(in_place) = &self.in_place
            && let Some(found) = in_place.read(&statement, &mut read)
        {
            return found;
        }
        read_all(&self.query_all_raw(statement).await?, read)
    }
}

pub fn execution_error(error: SqlxError) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(error.into()))
}

pub fn query_error(error: SqlxError) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(error.into()))
}
