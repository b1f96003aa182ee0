//! Routes of access tokens.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use super::{
    api_error::ApiError,
    head::Plain,
    openapi::{CommonErrors, SessionErrors},
    responses::{OkJson, PublicKeys, Token, Well},
    state::{AppState, RequestContext},
};

/// Whether this server answers.
#[utoipa::path(
    get, path = "/api/auth/ok", operation_id = "ok", tag = "auth",
    responses((status = 200, description = "It does", body = Well), CommonErrors),
)]
pub async fn ok(_: Plain) -> impl IntoResponse {
    OkJson(Well { ok: true })
}

/// A new access token for the caller.
#[utoipa::path(
    get, path = "/api/auth/token", operation_id = "getToken", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses((status = 200, description = "The token", body = Token), SessionErrors, CommonErrors),
)]
pub async fn token(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    let issued = state.access.issue(caller.signed_in.user(), caller.signed_in.session())?;
    Ok((caller.headers, OkJson(Token { token: issued.token })))
}

/// The public keys of access tokens: none, they are signed with the shared secret.
#[utoipa::path(
    get, path = "/api/auth/jwks", operation_id = "getJwks", tag = "auth",
    responses((status = 200, description = "An empty set", body = PublicKeys), CommonErrors),
)]
pub async fn jwks(_: Plain) -> impl IntoResponse {
    OkJson(PublicKeys { keys: [] })
}
