//! Query plans: looking up an id of any kind walks an index.

use fixtures::{Foreign, FreshDatabase, Ids, on_both_databases};
use sea_orm::{
    ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QueryTrait, Statement, Value,
    sea_query::Expr,
};

use super::Scene;
use crate::entity::{account, session, user};

on_both_databases!(texts, uuids, numbers);

async fn texts(database: FreshDatabase) {
    indexes_are_used(database, Ids::Text).await;
}

async fn uuids(database: FreshDatabase) {
    indexes_are_used(database, Ids::Uuid).await;
}

async fn numbers(database: FreshDatabase) {
    indexes_are_used(database, Ids::Serial).await;
}

async fn indexes_are_used(database: FreshDatabase, ids: Ids) {
    let foreign = Foreign { ids, has_issuer: false };
    foreign.make(&database).await;
    let scene = Scene::new(database).await;
    let (layout, id) = (scene.store.layout, foreign.user_id());
    let other = scene.column("id", "session").await.remove(0);
    for plan in [
        plan::<user::Entity>(&scene, layout.user.is(user::Column::Id, id)).await,
        plan::<session::Entity>(&scene, layout.session.is(session::Column::Id, &other)).await,
        plan::<session::Entity>(&scene, layout.user.is(session::Column::UserId, id)).await,
        plan::<account::Entity>(&scene, layout.user.is(account::Column::UserId, id)).await,
    ] {
        assert!(is_indexed(&scene, &plan), "{plan}");
    }
}

/// Whether a plan uses indexes alone.
pub fn is_indexed(scene: &Scene, plan: &str) -> bool {
    match scene.store.database.backend() {
        DbBackend::Postgres => plan.contains("Index Cond") && !plan.contains("Filter"),
        _ => plan.contains("SEARCH") && !plan.contains("SCAN"),
    }
}

/// The query plan for the rows of `E` that meet `condition`.
#[expect(clippy::disallowed_methods, reason = "a plan reads no rows")]
pub async fn plan<E: EntityTrait>(scene: &Scene, condition: Expr) -> String {
    let database = &scene.store.database;
    let query = E::find().filter(condition).build(database.backend());
    let values: Vec<Value> = query.values.map_or_else(Vec::new, |values| values.0);
    let transaction = database.begin().await.expect("begins");
    let explain = match database.backend() {
        DbBackend::Postgres => {
            // A table of one row is read whole unless that is forbidden.
            let forbid = "SET LOCAL enable_seqscan = off";
            transaction.execute_unprepared(forbid).await.expect("sets");
            "EXPLAIN"
        }
        _ => "EXPLAIN QUERY PLAN",
    };
    let sql = format!("{explain} {}", query.sql);
    let statement = Statement::from_sql_and_values(database.backend(), sql, values);
    let rows = transaction.query_all_raw(statement).await.expect("a plan");
    let line = |row: &sea_orm::QueryResult| {
        row.try_get::<String>("", "QUERY PLAN").or_else(|_| row.try_get("", "detail"))
    };
    rows.iter().map(|row| line(row).expect("a line")).collect::<Vec<_>>().join("\n")
}
