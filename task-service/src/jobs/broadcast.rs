//! Several processes on one PostgreSQL: a change at one wakes those who watch at another.
//!
//! What is told are hints. If one is lost, whoever missed it looks at the next heartbeat.

use std::time::Duration;

use server::db::Database;
use uuid::Uuid;

use crate::{
    jobs::backoff::Trouble,
    notifications::{notification::Notice, pubsub::Hub},
};

/// Where the hints are told.
const CHANNEL: &str = "task_change";

/// What changes within this is told together.
const BATCH: Duration = Duration::from_millis(3);

/// Tells others what changes here and wakes watchers here for what changes there, for as
/// long as it is polled. On SQLite there is nobody to tell.
pub async fn run(hub: Hub, database: Database) {
    let replica = Uuid::now_v7().simple().to_string();
    tokio::join!(tell(&hub, &database, &replica), listen(&hub, &database, &replica));
}

async fn tell(hub: &Hub, database: &Database, replica: &str) {
    let mut trouble = Trouble::default();
    loop {
        hub.something_unsaid().await;
        tokio::time::sleep(BATCH).await;
        let notice = hub.unsaid();
        let mut told = Ok(());
        for text in notice.texts(replica, Database::MAX_NOTIFICATION_BYTES) {
            told = database.notify(CHANNEL, text).await;
            if told.is_err() {
                break;
            }
        }
        match told {
            Ok(()) => trouble.is_over("replicas are told of changes again"),
            Err(error) => {
                hub.keep(notice);
                trouble.happened(&error, "cannot tell other replicas of changes").await;
            }
        }
    }
}

async fn listen(hub: &Hub, database: &Database, replica: &str) {
    let mut trouble = Trouble::default();
    loop {
        let error = match database.listen(CHANNEL).await {
            Ok(None) => return,
            Ok(Some(mut notices)) => {
                trouble.is_over("changes at other replicas are heard again");
                // Whatever was told in between is lost.
                hub.heard(&Notice::everything());
                loop {
                    match notices.next().await {
                        Ok(text) => match Notice::parse(&text) {
                            (from, _) if from == replica => {}
                            (_, notice) => hub.heard(&notice),
                        },
                        Err(error) => break error,
                    }
                }
            }
            Err(error) => error,
        };
        trouble.happened(&error, "cannot hear of changes at other replicas").await;
    }
}
