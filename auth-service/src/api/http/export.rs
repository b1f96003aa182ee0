//! The data export of the caller. Better Auth has no such route.

use std::sync::Arc;

use axum::{Extension, body::Body, extract::State, response::IntoResponse};
use futures_util::TryStreamExt;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use server::StreamKind;
use shared::error::status;

use super::{
    api_error::{ApiError, ErrorBody},
    openapi::{CommonErrors, SessionErrors},
    state::{AppState, RequestContext},
};
use crate::export::UserData;

/// Everything that is held about the caller, from both services, as one document.
///
/// For callers who signed in within a day. It has no passwords and no tokens. A document
/// that is cut off ends without the last chunk, which HTTP clients take for an error.
#[utoipa::path(
    get, path = "/api/auth/export-user-data", operation_id = "exportUserData", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The document", body = UserData, headers(
            ("content-disposition" = String, description = "An attachment"),
        )),
        (status = 403, description = "The session is older than a day", body = ErrorBody),
        SessionErrors, CommonErrors,
    ),
)]
pub async fn export_user_data(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    let document = state.exports.begin(&caller.signed_in).await?;
    // The cause is logged there; the client sees a broken stream.
    let body = Body::from_stream(document.map_err(|error| status(&error)));
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (CONTENT_DISPOSITION, "attachment; filename=\"user-data.json\""),
    ];
    Ok((Extension(StreamKind::Export), caller.headers, headers, body))
}
