//! What happened to the caller's account: a route of ours, which upstream does not have.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    response::IntoResponse,
};
use http::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderValue},
};
use serde::Deserialize;
use shared::{audit::PageRequest, fields::Violations, http::json};
use utoipa::IntoParams;

use super::{
    desk::{Call, Desk},
    documented::{AnyTime, ForUsers},
    objects::{Answer, SecurityEvents},
    refusal::{Refusal, Refused},
};

/// Which events to tell.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListSecurityEvents {
    /// At most so many. 0: 50; more than 100: 100.
    #[serde(default)]
    #[param(minimum = 0, required = false)]
    page_size: i32,
    /// The `nextPageToken` of the page before.
    #[serde(default)]
    #[param(required = false)]
    page_token: String,
}

/// What happened to the caller's account, newest first: sign-ins, failed ones too, ended
/// sessions, changes of the password.
///
/// An event is listed moments after it happened.
#[utoipa::path(
    get, path = "/api/auth/list-security-events", operation_id = "listSecurityEvents",
    tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    params(ListSecurityEvents),
    responses(
        (status = 200, description = "The events", body = SecurityEvents),
        (status = 400, description = "The query breaks a rule; every broken one is named",
            body = Refusal),
        ForUsers, AnyTime,
    ),
)]
pub async fn list_security_events(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    call: Call,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    let wanted = page_request(&query.unwrap_or_default())?;
    let page = desk.sessions.security_events(&caller.signed_in, &wanted).await?;
    let fresh = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((fresh, caller.headers, Answer(SecurityEvents::from(page))))
}

fn page_request(query: &str) -> Result<PageRequest, Refused> {
    let asked: ListSecurityEvents = json::query(query).map_err(|problem| {
        faulty(problem.faults.iter().map(|fault| (&*fault.field, &*fault.message)))
    })?;
    PageRequest::read(asked.page_size, &asked.page_token).map_err(|Violations(faults)| {
        faulty(faults.iter().map(|fault| {
            let is_size = fault.field == "page_size";
            (if is_size { "pageSize" } else { "pageToken" }, &*fault.message)
        }))
    })
}

/// Every fault of a query, as upstream tells those of a body.
fn faulty<'a>(faults: impl Iterator<Item = (&'a str, &'a str)>) -> Refused {
    let told = faults.map(|(name, rule)| {
        format!("[query.{name}] {}", rule.replace("next_page_token", "nextPageToken"))
    });
    let told = told.collect::<Vec<_>>().join("; ");
    Refused::new(StatusCode::BAD_REQUEST, "VALIDATION_ERROR", told)
}
