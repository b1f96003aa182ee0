//! The security events of the caller. Better Auth has no such route.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::header::{CACHE_CONTROL, HeaderValue};
use proto::members::{Member, Members, Slot};
use serde::Serialize;
use server::{
    audit_log::{EventView, Page, PageRequest},
    http::Fault,
};
use shared::fields::{Violation, Violations};
use utoipa::{IntoParams, ToSchema};

use super::{
    api_error::ApiError,
    head::faulty,
    openapi::{CommonErrors, SessionErrors},
    responses::{OkJson, date},
    state::{AppState, RequestContext},
};

/// The page of events.
#[derive(Clone, Default, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
pub struct ListSecurityEvents {
    /// At most so many. 0: 50; more than 100: 100.
    #[param(minimum = 0, required = false)]
    page_size: i32,
    /// The `nextPageToken` of the page before.
    #[param(required = false)]
    page_token: String,
}

impl Members for ListSecurityEvents {
    fn members(&self) -> &'static [Member] {
        const { &[Member::new("pageSize", "pageSize"), Member::new("pageToken", "pageToken")] }
    }

    fn slot(&mut self, index: usize) -> Option<Slot<'_>> {
        match index {
            0 => Some(Slot::Whole(&mut self.page_size)),
            _ => Some(Slot::Text(&mut self.page_token)),
        }
    }
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
        SessionErrors, CommonErrors,
    ),
)]
pub async fn list_security_events(
    State(state): State<Arc<AppState>>,
    request: RequestContext<ListSecurityEvents>,
) -> Result<impl IntoResponse, ApiError> {
    let ListSecurityEvents { page_size, page_token } = request.query.clone();
    let caller = state.caller(request).await?;
    let wanted = page_request(page_size, &page_token, &caller.signed_in.user().id)?;
    let page = state.sessions.security_events(&caller.signed_in, &wanted).await?;
    let fresh = [(CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    Ok((fresh, caller.headers, OkJson(SecurityEvents::from(page))))
}

fn page_request(size: i32, token: &str, user_id: &str) -> Result<PageRequest, ApiError> {
    PageRequest::read(size, token, user_id).map_err(|Violations(faults)| {
        let fault = |Violation { field, message }: &Violation| Fault {
            field: if field == "page_size" { "pageSize" } else { "pageToken" }.to_owned(),
            message: message.replace("next_page_token", "nextPageToken"),
        };
        faulty("query", &faults.iter().map(fault).collect::<Vec<_>>())
    })
}

/// Something that happened to an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountEvent {
    id: String,
    /// What happened, such as `sign_in_failed`. Expect names that are not known yet.
    kind: String,
    #[schema(format = DateTime)]
    at: String,
    #[schema(required = true)]
    ip_address: Option<String>,
    #[schema(required = true)]
    user_agent: Option<String>,
    /// The session it is about.
    #[schema(required = true)]
    session_id: Option<String>,
    /// The `x-request-id` of the call.
    #[schema(required = true)]
    request_id: Option<String>,
    /// What else is known.
    #[schema(required = true)]
    detail: Option<String>,
}

/// What happened to an account.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecurityEvents {
    /// Newest first.
    events: Vec<AccountEvent>,
    /// Goes on after these; `null` where there are no more.
    #[schema(required = true)]
    next_page_token: Option<String>,
}

impl From<Page> for SecurityEvents {
    fn from(page: Page) -> Self {
        let event = |event: EventView| AccountEvent {
            id: event.id,
            kind: event.kind,
            at: date(event.at),
            ip_address: event.ip_address,
            user_agent: event.user_agent,
            session_id: event.session_id,
            request_id: event.request_id,
            detail: event.detail,
        };
        Self { events: page.events.into_iter().map(event).collect(), next_page_token: page.next }
    }
}
