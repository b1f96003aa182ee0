//! The opening of connections, also while the database is away: then one caller at a time looks
//! for it, often, so that the rest find it soon and its servers are not flooded meanwhile.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use sea_orm::SqlxError;
use tokio::sync::Mutex;

use crate::db::{
    connection::Connection,
    connector::{Connector, is_worth_a_retry},
};

/// The pauses between two attempts to connect: the first, which doubles, and the longest. A call
/// waits no longer than that after the database is back.
const FIRST_PAUSE: Duration = Duration::from_millis(10);
const MAX_PAUSE: Duration = Duration::from_millis(100);

/// The search of a pool for its database.
#[derive(Default)]
pub struct Search {
    /// Whether the last attempt failed.
    is_away: AtomicBool,
    turn: Mutex<()>,
}

impl Search {
    /// Opens a connection. Repeats what may succeed later, until the caller has waited enough.
    pub async fn open(&self, connector: &Connector) -> Result<Connection, SqlxError> {
        let mut pause = FIRST_PAUSE;
        let mut turn = None;
        loop {
            if turn.is_none() && self.is_away() {
                // All of those who waited connect at once after it was found.
                turn = Some(self.turn.lock().await).filter(|_| self.is_away());
            }
            let opened = connector.open().await;
            let is_passing = opened.as_ref().err().map(is_worth_a_retry);
            self.is_away.store(is_passing == Some(true), Ordering::Relaxed);
            if is_passing != Some(true) {
                return opened;
            }
            if turn.is_some() {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(MAX_PAUSE);
            }
        }
    }

    fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }
}
