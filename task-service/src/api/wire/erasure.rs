//! Erasure on the wire.

use proto::task::v1 as pb;
use shared::{auth::UserId, fields::Fields};

use crate::{error::Error, store::ErasureProgress};

/// The user to erase.
pub fn erased_user(message: &pb::PurgeUserRequest) -> Result<UserId, Error> {
    let mut fields = Fields::default();
    let user = fields.take("user_id", UserId::parse(&message.user_id));
    Ok(fields.finish(user)?)
}

impl From<ErasureProgress> for pb::PurgeUserResponse {
    fn from(ErasureProgress { tasks, done }: ErasureProgress) -> Self {
        Self { done, tasks: i64::try_from(tasks).unwrap_or(i64::MAX) }
    }
}
