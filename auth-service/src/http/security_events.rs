//! What happened to the caller's account: a route of ours, which upstream does not have.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::header::{CACHE_CONTROL, HeaderValue};
use serde::Deserialize;
use server::{audit_log::PageRequest, http::Fault};
use shared::fields::{Violation, Violations};
use utoipa::IntoParams;

use super::{
    desk::{Call, Desk},
    documented::{AnyTime, ForUsers},
    head::faulty,
    objects::{Answer, SecurityEvents},
    refusal::Refused,
};

/// Which events to tell.
#[derive(Clone, Deserialize, IntoParams)]
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
        ForUsers, AnyTime,
    ),
)]
pub async fn list_security_events(
    State(desk): State<Arc<Desk>>,
    call: Call<ListSecurityEvents>,
) -> Result<impl IntoResponse, Refused> {
    let ListSecurityEvents { page_size, page_token } = call.query.clone();
    let caller = desk.caller(call).await?;
    let wanted = page_request(page_size, &page_token, &caller.signed_in.user().id)?;
    let page = desk.sessions.security_events(&caller.signed_in, &wanted).await?;
    let fresh = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((fresh, caller.headers, Answer(SecurityEvents::from(page))))
}

fn page_request(size: i32, token: &str, user_id: &str) -> Result<PageRequest, Refused> {
    PageRequest::read(size, token, user_id).map_err(|Violations(faults)| {
        let fault = |Violation { field, message }: &Violation| Fault {
            field: if field == "page_size" { "pageSize" } else { "pageToken" }.to_owned(),
            message: message.replace("next_page_token", "nextPageToken"),
        };
        faulty("query", &faults.iter().map(fault).collect::<Vec<_>>())
    })
}
