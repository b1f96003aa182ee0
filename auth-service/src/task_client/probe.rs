//! The probe of task-service by `doctor`: whether it responds and accepts this service's tokens.

use std::{error::Error, time::Duration};

use chrono::{DateTime, Utc};
use http::Uri;
use proto::task::v1::{ListTasksRequest, task_service_client::TaskServiceClient};
use tonic::{Code, metadata::MetadataMap, transport::Endpoint};

use super::with_token;

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
pub async fn ask(address: &Uri, user: &str, token: &str) -> Answer {
    let unavailable = Answer { verdict: Verdict::Unavailable, time: None };
    list(address, user, token).await.unwrap_or(unavailable)
}

async fn list(address: &Uri, user: &str, token: &str) -> Result<Answer, Box<dyn Error>> {
    let endpoint = Endpoint::from(address.clone());
    let channel = endpoint.connect_timeout(TIMEOUT).timeout(TIMEOUT).connect().await?;
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
