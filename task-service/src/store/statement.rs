//! Statements of which the text is built once: for many columns the builder takes longer than all
//! the rest of a call.

use std::sync::OnceLock;

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, StatementBuilder, Value, Values,
};

/// The text of one statement on each database, built at its first use.
pub struct Text([OnceLock<String>; 3]);

/// A statement with its values.
pub struct Bound {
    text: &'static str,
    values: Vec<Value>,
}

impl Text {
    /// A text that is not built yet.
    pub const fn new() -> Self {
        Self([const { OnceLock::new() }; 3])
    }

    /// The statement that `build` makes, with the same `values` in the same order. Only the values may
    /// depend on the call: a debug build compares every statement with what is built.
    pub fn bind<S: StatementBuilder>(
        &'static self,
        backend: DbBackend,
        values: Vec<Value>,
        build: impl Fn() -> S,
    ) -> Bound {
        let text = self.0[backend as usize].get_or_init(|| backend.build(&build()).sql);
        let bound = Bound { text, values };
        debug_assert_eq!(backend.build(&bound), backend.build(&build()), "text and values");
        bound
    }
}

impl Bound {
    /// Executes the statement, and returns the number of rows it reached.
    #[expect(clippy::disallowed_methods, reason = "the text is that of a statement with an owner")]
    pub async fn execute(&self, on: &impl ConnectionTrait) -> Result<u64, DbErr> {
        Ok(on.execute(self).await?.rows_affected())
    }

    /// The first row of the result.
    #[expect(clippy::disallowed_methods, reason = "the text is that of a statement with an owner")]
    pub async fn first(&self, on: &impl ConnectionTrait) -> Result<Option<QueryResult>, DbErr> {
        on.query_one(self).await
    }
}

impl StatementBuilder for Bound {
    fn build(&self, backend: &DbBackend) -> Statement {
        let (sql, values) = (self.text.to_owned(), Some(Values(self.values.clone())));
        Statement { sql, values, db_backend: *backend }
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::{Expr, SelectStatement};

    use super::*;

    fn sum(left: i64, right: i64) -> SelectStatement {
        SelectStatement::new().expr(Expr::val(left)).expr(Expr::val(right)).take()
    }

    #[test]
    fn a_text_is_built_once_for_each_database_and_takes_other_values() {
        static TEXT: Text = Text::new();
        for backend in [DbBackend::Sqlite, DbBackend::Postgres] {
            let first = TEXT.bind(backend, vec![1_i64.into(), 2_i64.into()], || sum(1, 2));
            let next = TEXT.bind(backend, vec![3_i64.into(), 4_i64.into()], || sum(3, 4));
            assert!(std::ptr::eq(first.text, next.text));
            assert_eq!(backend.build(&next), backend.build(&sum(3, 4)));
        }
    }

    #[test]
    #[should_panic(expected = "text and values")]
    fn values_in_another_order_than_the_builders_are_noticed() {
        static TEXT: Text = Text::new();
        TEXT.bind(DbBackend::Sqlite, vec![2_i64.into(), 1_i64.into()], || sum(1, 2));
    }
}
