//! The broadcast of notifications between replicas by PostgreSQL's LISTEN and NOTIFY.
//!
//! Notifications are hints: after a lost one, the next heartbeat finds the change.

use std::time::Duration;

use server::db::Database;
use uuid::Uuid;

use crate::{
    jobs::backoff::Backoff,
    notifications::{notification::Notification, pubsub::PubSub},
};

/// The channel.
const CHANNEL: &str = "task_change";

/// The time in which changes are collected into one notification.
const BATCH: Duration = Duration::from_millis(3);

/// Sends the outbox to other replicas and delivers their notifications. On SQLite there are no
/// replicas.
pub async fn run(pubsub: PubSub, database: Database) {
    let replica = Uuid::now_v7().simple().to_string();
    tokio::join!(send(&pubsub, &database, &replica), listen(&pubsub, &database, &replica));
}

async fn send(pubsub: &PubSub, database: &Database, replica: &str) {
    let mut backoff = Backoff::default();
    loop {
        pubsub.outbox_ready().await;
        tokio::time::sleep(BATCH).await;
        let notification = pubsub.take_outbox();
        let mut sent = Ok(());
        for text in notification.payloads(replica, Database::MAX_NOTIFICATION_BYTES) {
            sent = database.notify(CHANNEL, text).await;
            if sent.is_err() {
                break;
            }
        }
        match sent {
            Ok(()) => backoff.succeeded("replicas are notified of changes again"),
            Err(error) => {
                pubsub.requeue(notification);
                backoff.failed(&error, "cannot notify other replicas of changes").await;
            }
        }
    }
}

async fn listen(pubsub: &PubSub, database: &Database, replica: &str) {
    let mut backoff = Backoff::default();
    loop {
        let error = match database.listen(CHANNEL).await {
            Ok(None) => return,
            Ok(Some(mut notifications)) => {
                backoff.succeeded("notifications of other replicas are received again");
                // Earlier notifications may be lost.
                pubsub.deliver(&Notification::for_all());
                loop {
                    match notifications.next().await {
                        Ok(text) => match Notification::parse(&text) {
                            (from, _) if from == replica => {}
                            (_, notification) => pubsub.deliver(&notification),
                        },
                        Err(error) => break error,
                    }
                }
            }
            Err(error) => error,
        };
        backoff.failed(&error, "cannot receive notifications of other replicas").await;
    }
}
