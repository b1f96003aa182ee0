//! The creation of tasks, with idempotency keys.

use shared::{auth::Owner, error::Refusal};

use super::{
    Tasks,
    change::{Change, Outcome},
    find,
    idempotency::{self, Created},
    insert_one,
    row::likely_usage,
    write::insert,
};
use crate::{
    domain::{
        fingerprint::fingerprint,
        request_id::RequestId,
        task::{Content, NewTask, Task},
        timestamp::Timestamp,
    },
    error::Error,
};

impl Tasks {
    /// Creates a task. With an idempotency key used for the same body in the last 24 hours, returns
    /// the task created then, as it is now.
    pub async fn create(&self, owner: &Owner, new: impl Into<NewTask>) -> Result<Task, Error> {
        let NewTask { content, request_id } = new.into();
        let Some(request_id) = request_id else { return self.create_once(owner, content).await };
        let change = Change::begin_with_usage(self, owner, likely_usage(&content)).await?;
        let outcome = create_for(&change, owner, content, &request_id, self.now()).await;
        change.end(outcome).await
    }

    /// Creates a task, in one statement where supported.
    async fn create_once(&self, owner: &Owner, content: Content) -> Result<Task, Error> {
        let user_id = owner.user().as_str();
        if insert_one::is_supported(self, &content) {
            let task = Task::new(user_id, content, self.now(), 0, 0);
            return insert_one::insert(self, owner, task).await;
        }
        let change = Change::begin_with_usage(self, owner, likely_usage(&content)).await?;
        let now = self.now();
        let task = Task::new(user_id, content, now, change.revision, 0);
        let inserted = insert(&change, owner, &task, now).await;
        change.end(inserted.map(|()| Outcome::Changed(task))).await
    }
}

/// The task of `request_id`: a new one, or the one created before.
async fn create_for(
    change: &Change,
    owner: &Owner,
    content: Content,
    request_id: &RequestId,
    now: Timestamp,
) -> Result<Outcome<Task>, Error> {
    let fingerprint = fingerprint(&content);
    if let Some(made) = idempotency::find(change, owner, request_id, &fingerprint, now).await? {
        let Created::One(made) = made else { return Err(Refusal::RequestIdReused.into()) };
        return match find(&change.transaction, owner, made).await {
            Err(Error::Refused(Refusal::TaskNotFound)) => Err(Refusal::RequestIdReused.into()),
            found => found.map(Outcome::Unchanged),
        };
    }
    let task = Task::new(owner.user().as_str(), content, now, change.revision, 0);
    insert(change, owner, &task, now).await?;
    idempotency::remember(change, owner, request_id, fingerprint, Created::One(task.id), now)
        .await?;
    Ok(Outcome::Changed(task))
}
