//! Inserts into Better Auth's tables.

use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, EntityName, QueryResult,
    sea_query::{DynIden, Expr, ExprTrait, Iden, IntoIden, Query},
};

use super::{IdKind, largest_id};
use crate::random;

/// Inserts a row into a table with ids of this kind. `id` is the proposed id, and afterwards the
/// row's.
#[expect(clippy::disallowed_methods, reason = "the row says whose it is, or is the user")]
pub(super) async fn insert(
    on: &impl ConnectionTrait,
    kind: IdKind,
    table: impl EntityName + Iden,
    id: &mut String,
    row: Vec<(DynIden, Expr)>,
) -> Result<(), DbErr> {
    let id_column = || "id".into_iden();
    let given = new_id(on, kind, table.table_name(), id).await?;
    let (columns, values): (Vec<_>, Vec<_>) =
        std::iter::once((id_column(), given)).chain(row).unzip();
    let mut insert = Query::insert();
    insert
        .into_table(table)
        .columns(columns)
        .values_panic(values)
        .returning(Query::returning().expr(Expr::col(id_column()).cast_as("text")));
    let inserted: QueryResult = on.query_one(&insert).await?.ok_or(DbErr::RecordNotInserted)?;
    *id = inserted.try_get_by_index(0)?;
    Ok(())
}

async fn new_id(
    on: &impl ConnectionTrait,
    kind: IdKind,
    table: &str,
    ours: &str,
) -> Result<Expr, DbErr> {
    let uuid = || random::uuid().map_err(|error| DbErr::Custom(error.to_string()));
    Ok(match kind {
        IdKind::Text => Expr::val(ours),
        IdKind::UuidText => Expr::val(uuid()?.to_string()),
        IdKind::Uuid => Expr::val(uuid()?),
        IdKind::Serial if on.get_database_backend() == DbBackend::Postgres => Expr::cust("DEFAULT"),
        IdKind::Serial => Expr::val(largest_id::next(on, table).await?),
    })
}
