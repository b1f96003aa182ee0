//! The probe of task-service by `doctor`: whether it responds and accepts this service's tokens.

use std::time::Duration;

use chrono::{DateTime, Utc};
use proto::task::v1::{ListTasksRequest, task_service_client::TaskServiceClient};
use tokio::time::timeout;
use tonic::{Code, metadata::MetadataMap, transport::Channel};

use super::{TaskClientError, with_token};

/// The timeout of the probe.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The response of task-service to a token.
pub enum Verdict {
    /// The token was accepted.
    Accepted,
    /// The token was refused, for this reason.
    Refused(String),
    /// Unavailable, or an unexpected response.
    Unavailable,
}

/// The result of the probe, with task-service's time.
pub struct Answer {
    pub verdict: Verdict,
    /// To the second, rounded down.
    pub time: Option<DateTime<Utc>>,
}

/// Lists the tasks of `user` with the token, which changes nothing.
pub async fn ask(channel: Channel, user: &str, token: &str) -> Answer {
    let unavailable = || Answer { verdict: Verdict::Unavailable, time: None };
    let asked = timeout(TIMEOUT, list(channel, user, token)).await;
    asked.ok().and_then(Result::ok).unwrap_or_else(unavailable)
}

async fn list(channel: Channel, user: &str, token: &str) -> Result<Answer, TaskClientError> {
    let message = ListTasksRequest { user_id: user.to_owned(), page_size: 1, ..Default::default() };
    let request = with_token(message, token)?;
    Ok(match TaskServiceClient::new(channel).list_tasks(request).await {
        Ok(answer) => Answer { verdict: Verdict::Accepted, time: date(answer.metadata()) },
        Err(status) => {
            let verdict = match status.code() {
                Code::Unauthenticated | Code::PermissionDenied => {
                    Verdict::Refused(status.message().to_owned())
                }
                _ => Verdict::Unavailable,
            };
            Answer { verdict, time: date(status.metadata()) }
        }
    })
}

/// The time in the `date` header.
fn date(metadata: &MetadataMap) -> Option<DateTime<Utc>> {
    let text = metadata.get("date")?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(Into::into)
}
