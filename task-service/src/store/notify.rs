//! What those who watch are told, once it is true.

use sea_orm::DbErr;

use crate::{error::Error, notifications::pubsub::Hub};

/// That something has happened to a user's tasks, for those who watch.
pub struct News {
    hub: Hub,
    user: String,
    fired: bool,
}

impl News {
    /// A change.
    pub fn of(hub: &Hub, user: &str) -> Self {
        Self { hub: hub.clone(), user: user.to_owned(), fired: false }
    }

    /// A reminder that fired.
    pub fn of_firing(hub: &Hub, user: &str) -> Self {
        Self { fired: true, ..Self::of(hub, user) }
    }

    /// Wakes whoever watches when `commit` is over, in whatever way: where its caller is
    /// gone or its answer is lost, the change may have happened all the same.
    pub async fn after<T>(
        self,
        commit: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, Error> {
        let _spread = Spread(self);
        Ok(commit.await?)
    }
}

/// Spreads the news when dropped.
struct Spread(News);

impl Drop for Spread {
    fn drop(&mut self) {
        let News { hub, user, fired } = &self.0;
        hub.changed(user);
        if *fired {
            hub.fired();
        }
    }
}
