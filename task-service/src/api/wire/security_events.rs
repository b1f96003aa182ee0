//! Security events on the wire.

use proto::task::v1 as pb;
use server::audit_log::{Page, PageRequest};

use crate::error::Error;

/// The page request in `message`.
pub fn events_request(message: &pb::ListSecurityEventsRequest) -> Result<PageRequest, Error> {
    Ok(PageRequest::read(message.page_size, &message.page_token, &message.user_id)?)
}

/// The response of a page.
pub fn events(page: Page) -> pb::ListSecurityEventsResponse {
    pb::ListSecurityEventsResponse {
        events: page.events.into_iter().map(Into::into).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}
