//! Calls of a signed-in user about tasks.

use prost_types::{FieldMask, Timestamp};
use proto::task::v1::{
    CompleteTaskRequest, CreateTaskRequest, DeleteTaskRequest, ListTasksRequest, ListTasksResponse,
    MoveTaskRequest, ReopenTaskRequest, SkipTaskRequest, SyncTasksRequest, SyncTasksResponse, Task,
    UndeleteTaskRequest, UpdateTaskRequest,
};
use tonic::Status;

use super::SignedIn;

impl SignedIn {
    /// Creates a task with this title and the fields that `say` sets.
    pub async fn make(
        &self,
        title: &str,
        say: impl FnOnce(&mut CreateTaskRequest),
    ) -> Result<Task, Status> {
        let mut request = self.new_task(title);
        say(&mut request);
        let answer = self.tasks().create_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// Writes what `say` sets, of the fields with these names; of none: all that are set.
    pub async fn change(
        &self,
        id: &str,
        mask: &[&str],
        say: impl FnOnce(&mut UpdateTaskRequest),
    ) -> Result<Task, Status> {
        let paths: Vec<_> = mask.iter().map(ToString::to_string).collect();
        let mut request = UpdateTaskRequest {
            user_id: self.id(),
            id: id.into(),
            update_mask: (!paths.is_empty()).then_some(FieldMask { paths }),
            ..UpdateTaskRequest::default()
        };
        say(&mut request);
        let answer = self.tasks().update_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// Marks a task done.
    pub async fn complete(&self, id: &str) -> Result<Task, Status> {
        let request =
            CompleteTaskRequest { user_id: self.id(), id: id.into(), etag: String::new() };
        let answer = self.tasks().complete_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// Marks a task open.
    pub async fn reopen(&self, id: &str) -> Result<Task, Status> {
        let request = ReopenTaskRequest { user_id: self.id(), id: id.into(), etag: String::new() };
        let answer = self.tasks().reopen_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// Moves a task that repeats on, if it is at this version.
    pub async fn skip(&self, id: &str, etag: &str) -> Result<Task, Status> {
        let request = SkipTaskRequest { user_id: self.id(), id: id.into(), etag: etag.into() };
        let answer = self.tasks().skip_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// Puts a task before or after another one, or at the end.
    pub async fn put(
        &self,
        id: &str,
        before: Option<&str>,
        after: Option<&str>,
    ) -> Result<Task, Status> {
        let request = MoveTaskRequest {
            user_id: self.id(),
            id: id.into(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
            etag: String::new(),
        };
        let answer = self.tasks().move_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// Puts a task into the trash.
    pub async fn delete(&self, id: &str) -> Result<(), Status> {
        let request = DeleteTaskRequest { user_id: self.id(), id: id.into(), etag: String::new() };
        self.tasks().delete_task(request).await.map(drop)
    }

    /// Takes a task out of the trash.
    pub async fn undelete(&self, id: &str) -> Result<Task, Status> {
        let request =
            UndeleteTaskRequest { user_id: self.id(), id: id.into(), etag: String::new() };
        let answer = self.tasks().undelete_task(request).await?;
        Ok(answer.into_inner().task.expect("a task"))
    }

    /// The page of the list that `say` asks for.
    pub async fn list(
        &self,
        say: impl FnOnce(&mut ListTasksRequest),
    ) -> Result<ListTasksResponse, Status> {
        let mut request = ListTasksRequest { user_id: self.id(), ..ListTasksRequest::default() };
        say(&mut request);
        Ok(self.tasks().list_tasks(request).await?.into_inner())
    }

    /// What has changed since `token`, at most so many tasks.
    pub async fn sync(&self, token: &str, size: i32) -> Result<SyncTasksResponse, Status> {
        let request =
            SyncTasksRequest { user_id: self.id(), sync_token: token.into(), page_size: size };
        Ok(self.tasks().sync_tasks(request).await?.into_inner())
    }
}

/// A timestamp in RFC 3339.
pub fn at(text: &str) -> Timestamp {
    let at = chrono::DateTime::parse_from_rfc3339(text).expect("RFC 3339");
    let nanos = i32::try_from(at.timestamp_subsec_nanos()).expect("less than a second");
    Timestamp { seconds: at.timestamp(), nanos }
}
