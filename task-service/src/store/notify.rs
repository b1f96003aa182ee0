//! The notification after a commit.

use sea_orm::DbErr;

use crate::{error::Error, notifications::pubsub::PubSub};

/// A notification to be published after a commit.
pub struct PendingNotification {
    pubsub: PubSub,
    user: String,
    is_reminder: bool,
}

impl PendingNotification {
    /// The notification of a change.
    pub fn of_change(pubsub: &PubSub, user: &str) -> Self {
        Self { pubsub: pubsub.clone(), user: user.to_owned(), is_reminder: false }
    }

    /// The notification of a reminder event.
    pub fn of_reminder(pubsub: &PubSub, user: &str) -> Self {
        Self { is_reminder: true, ..Self::of_change(pubsub, user) }
    }

    /// Publishes when `commit` is over, whatever its outcome: if its caller is gone or the response
    /// is lost, the change may be committed all the same.
    pub async fn send_after<T>(
        self,
        commit: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, Error> {
        let _send = SendOnDrop(self);
        Ok(commit.await?)
    }
}

/// Publishes when dropped.
struct SendOnDrop(PendingNotification);

impl Drop for SendOnDrop {
    fn drop(&mut self) {
        let PendingNotification { pubsub, user, is_reminder } = &self.0;
        pubsub.publish_change(user);
        if *is_reminder {
            pubsub.publish_reminder();
        }
    }
}
