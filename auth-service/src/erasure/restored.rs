//! task-service's database can be restored to a state from before an erasure. Then every
//! erasure there ever was is ordered again.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::Erasures;
use crate::{error::Error, peer::TaskService};

/// How often to look.
const PERIOD: Duration = Duration::from_secs(10);

impl Erasures {
    /// Looks now and again whether task-service's database was restored, for as long as it
    /// is polled. Every replica looks: to order twice is harmless.
    pub async fn follow_restores(self, tasks: TaskService) {
        let mut rounds = tokio::time::interval(PERIOD);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            match self.follow_restore(&tasks).await {
                Ok(0) => {}
                Ok(orders) => {
                    tracing::info!(
                        orders,
                        "task-service's database is another one: deleted \
                        users are removed from it again"
                    );
                    self.wake();
                }
                // It is asked again soon. One that is older has no such rpc.
                Err(error) => {
                    let cause = shared::error::causes(&error);
                    tracing::debug!(cause, "cannot ask for task-service's database");
                }
            }
        }
    }

    /// Orders every erasure again if the database is another one than it was, and tells how
    /// many that were.
    pub(super) async fn follow_restore(&self, tasks: &TaskService) -> Result<u64, Error> {
        let epoch = tasks.epoch().await?;
        if self.store.erased_from().await?.as_deref() == Some(epoch.as_str()) {
            return Ok(0);
        }
        Ok(self.store.order_erasures_again(&epoch, self.now()).await?)
    }
}
