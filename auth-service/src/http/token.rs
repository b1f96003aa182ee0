//! Access tokens for other services.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use super::{
    desk::{Call, Desk},
    documented::{AnyTime, ForUsers},
    head::Plain,
    objects::{Answer, PublicKeys, Token, Well},
    refusal::Refused,
};

/// Whether this server answers.
#[utoipa::path(
    get, path = "/api/auth/ok", operation_id = "ok", tag = "auth",
    responses((status = 200, description = "It does", body = Well), AnyTime),
)]
pub async fn ok(_: Plain) -> impl IntoResponse {
    Answer(Well { ok: true })
}

/// A new access token for the caller.
#[utoipa::path(
    get, path = "/api/auth/token", operation_id = "getToken", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses((status = 200, description = "The token", body = Token), ForUsers, AnyTime),
)]
pub async fn token(
    State(desk): State<Arc<Desk>>,
    call: Call,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    let issued = desk.access.issue(caller.signed_in.user(), caller.signed_in.session())?;
    Ok((caller.headers, Answer(Token { token: issued.token })))
}

/// The public keys of access tokens: none, they are signed with the shared secret.
#[utoipa::path(
    get, path = "/api/auth/jwks", operation_id = "getJwks", tag = "auth",
    responses((status = 200, description = "An empty set", body = PublicKeys), AnyTime),
)]
pub async fn jwks(_: Plain) -> impl IntoResponse {
    Answer(PublicKeys { keys: [] })
}
