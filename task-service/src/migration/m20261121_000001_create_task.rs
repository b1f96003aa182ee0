//! Tasks, change numbers and request ids. The user leads every key, so that the tables can
//! be divided by user.

use sea_orm_migration::{
    prelude::*,
    schema::{big_integer, big_integer_null, binary, boolean, text, uuid},
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let task = Table::create()
            .table("task")
            .col(text("user_id"))
            .col(uuid("id"))
            .col(text("title"))
            .col(text("description"))
            .col(boolean("completed"))
            .col(big_integer_null("completed_at"))
            .col(big_integer("priority"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer("revision"))
            .primary_key(Index::create().col("user_id").col("id"))
            .take();
        manager.create_table(task).await?;
        let by_age = Index::create()
            .name("task_by_age")
            .table("task")
            .col("user_id")
            .col("created_at")
            .col("id")
            .take();
        manager.create_index(by_age).await?;
        let by_state = Index::create()
            .name("task_by_state")
            .table("task")
            .col("user_id")
            .col("completed")
            .col("created_at")
            .col("id")
            .take();
        manager.create_index(by_state).await?;

        let revision = Table::create()
            .table("task_revision")
            .col(text("user_id").primary_key())
            .col(big_integer("revision"))
            .take();
        manager.create_table(revision).await?;

        let request = Table::create()
            .table("task_request")
            .col(text("user_id"))
            .col(text("request_id"))
            .col(binary("fingerprint"))
            .col(uuid("task_id"))
            .col(big_integer("created_at"))
            .primary_key(Index::create().col("user_id").col("request_id"))
            .take();
        manager.create_table(request).await?;
        let by_age = Index::create()
            .name("task_request_by_age")
            .table("task_request")
            .col("created_at")
            .take();
        manager.create_index(by_age).await
    }
}
