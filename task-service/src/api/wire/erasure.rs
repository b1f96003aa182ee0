//! Users whose accounts are gone, on the wire.

use proto::task::v1 as pb;
use shared::{auth::UserId, fields::Fields};

use crate::{error::Error, store::Removed};

/// Who is gone, as `message` says.
pub fn departed_user(message: &pb::PurgeUserRequest) -> Result<UserId, Error> {
    let mut fields = Fields::default();
    let user = fields.take("user_id", UserId::parse(&message.user_id));
    Ok(fields.finish(user)?)
}

impl From<Removed> for pb::PurgeUserResponse {
    fn from(Removed { tasks, done }: Removed) -> Self {
        Self { done, tasks: i64::try_from(tasks).unwrap_or(i64::MAX) }
    }
}
