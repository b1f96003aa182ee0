//! Whether task-service is there, and whether it takes our tokens.

use std::{error::Error, time::Duration};

use chrono::{DateTime, Utc};
use http::Uri;
use proto::task::v1::{ListTasksRequest, task_service_client::TaskServiceClient};
use tonic::{Code, metadata::MetadataMap, transport::Endpoint};

use super::with_token;

/// How long it may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// What it said to a token of ours.
pub enum Verdict {
    /// It let the caller in.
    Taken,
    /// It did not; the sentence says why.
    Refused(String),
    /// It does not answer, or with something else.
    Away,
}

/// What it said, and when, by its own clock.
pub struct Answer {
    pub verdict: Verdict,
    /// To the second, rounded down.
    pub time: Option<DateTime<Utc>>,
}

/// Asks for the tasks of `user` with their token, which changes nothing.
pub async fn ask(address: &Uri, user: &str, token: &str) -> Answer {
    let away = Answer { verdict: Verdict::Away, time: None };
    list(address, user, token).await.unwrap_or(away)
}

async fn list(address: &Uri, user: &str, token: &str) -> Result<Answer, Box<dyn Error>> {
    let endpoint = Endpoint::from(address.clone());
    let channel = endpoint.connect_timeout(PATIENCE).timeout(PATIENCE).connect().await?;
    let message = ListTasksRequest { user_id: user.to_owned(), page_size: 1, ..Default::default() };
    let request = with_token(message, token)?;
    Ok(match TaskServiceClient::new(channel).list_tasks(request).await {
        Ok(answer) => Answer { verdict: Verdict::Taken, time: date(answer.metadata()) },
        Err(status) => {
            let verdict = match status.code() {
                Code::Unauthenticated | Code::PermissionDenied => {
                    Verdict::Refused(status.message().to_owned())
                }
                _ => Verdict::Away,
            };
            Answer { verdict, time: date(status.metadata()) }
        }
    })
}

/// The HTTP header of this name.
fn date(metadata: &MetadataMap) -> Option<DateTime<Utc>> {
    let text = metadata.get("date")?.to_str().ok()?;
    DateTime::parse_from_rfc2822(text).ok().map(Into::into)
}
