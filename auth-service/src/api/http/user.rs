//! Routes of the caller's account.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use shared::error::Refusal;

use super::{
    api_error::{ApiError, ErrorBody},
    body::JsonOrForm,
    openapi::{BodyErrors, CommonErrors, OriginErrors, SessionErrors},
    requests,
    responses::{Account, Deleted, Done, OkJson, PasswordChanged},
    state::{AppState, RequestContext, SessionGrant},
};
use crate::{error::Error, error_code, password::Password, store::UserPatch};

/// Changes the caller's name or picture.
#[utoipa::path(
    post, path = "/api/auth/update-user", operation_id = "updateUser", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = requests::UpdateUser,
    responses(
        (status = 200, description = "Changed", body = Done, headers(
            ("set-cookie" = String, description = "The session again"),
            ("set-auth-token" = String, description = "The session token, signed"),
        )),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn update_user(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::UpdateUser>,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    if body.has_email {
        return Err(ApiError::of(&error_code::EMAIL_CAN_NOT_BE_UPDATED));
    }
    if body.name.is_none() && body.image.is_none() {
        return Err(ApiError::of(&error_code::NO_FIELDS_TO_UPDATE));
    }
    let patch = UserPatch { name: body.name, image: body.image };
    let user = state.accounts.update(&caller.signed_in, patch).await?;
    let stay = state.sessions.stay(caller.signed_in.session());
    let headers = state.renewed_session_headers(caller.grant(&user, stay)).await?;
    Ok((headers, OkJson(Done::DONE)))
}

/// Replaces the caller's password.
///
/// With `revokeOtherSessions` every session ends, the caller's too, and the answer brings
/// one instead. Otherwise all stay.
#[utoipa::path(
    post, path = "/api/auth/change-password", operation_id = "changePassword", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = requests::ChangePassword,
    responses(
        (status = 200, description = "Changed", body = PasswordChanged, headers(
            ("set-cookie" = String, description = "The new session, if there is one"),
            ("set-auth-token" = String, description = "Its token, signed"),
        )),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn change_password(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::ChangePassword>,
) -> Result<impl IntoResponse, ApiError> {
    let mut caller = state.caller(request).await?;
    let new = state.accounts.password_rules().choose(body.new_password)?;
    let current = Password::parse(body.current_password)?;
    let revoke = body.revoke_other_sessions == Some(true);
    let change = state.accounts.change_password(&caller.signed_in, current, new, revoke);
    let opened = change.await?;
    let user = caller.signed_in.user();
    if let Some(opened) = &opened {
        let stay = state.sessions.stay(&opened.session);
        caller.headers = state.session_headers(SessionGrant::of(opened, user, stay))?;
    }
    let token = opened.map(|opened| opened.token.reveal().to_owned());
    let user = caller.signed_in.user().into();
    Ok((caller.headers, OkJson(PasswordChanged { token, user })))
}

/// Whether a password is the caller's.
#[utoipa::path(
    post, path = "/api/auth/verify-password", operation_id = "verifyPassword", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = requests::VerifyPassword,
    responses(
        (status = 200, description = "It is", body = Done),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn verify_password(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::VerifyPassword>,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    let password = Password::parse(body.password)?;
    state.accounts.verify_password(&caller.signed_in, password).await?;
    Ok((caller.headers, OkJson(Done::DONE)))
}

/// Deletes the caller's account with all that is its.
///
/// Confirmed by the password, or by a session that was opened within a day. A wrong
/// password is never made good by a fresh session.
#[utoipa::path(
    post, path = "/api/auth/delete-user", operation_id = "deleteUser", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = requests::DeleteUser,
    responses(
        (status = 200, description = "Deleted", body = Deleted, headers(
            ("set-cookie" = String, description = "Expires every cookie of this server"),
        )),
        (status = 404, description = "The mailed token is not valid", body = ErrorBody),
        BodyErrors, OriginErrors, SessionErrors, CommonErrors,
    ),
)]
pub async fn delete_user(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::DeleteUser>,
) -> Result<impl IntoResponse, ApiError> {
    state.origin_check.expect_trusted_url(body.callback_url.as_deref())?;
    let caller = state.caller(request).await?;
    if body.token.is_some_and(|token| !token.is_empty()) {
        return Err(ApiError::of(&error_code::INVALID_TOKEN));
    }
    let confirm = body.password.map(Password::parse).transpose()?;
    state.accounts.delete(&caller.signed_in, confirm).await.map_err(|error| match error {
        Error::Refused(Refusal::SessionNotFresh) => ApiError::of(&error_code::SESSION_EXPIRED),
        error => error.into(),
    })?;
    Ok((state.expired_cookies()?, OkJson(Deleted { success: true, message: "User deleted" })))
}

/// The ways in which the caller can sign in.
#[utoipa::path(
    get, path = "/api/auth/list-accounts", operation_id = "listAccounts", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The accounts, the oldest first", body = Vec<Account>),
        SessionErrors, CommonErrors,
    ),
)]
pub async fn list_accounts(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
) -> Result<impl IntoResponse, ApiError> {
    let caller = state.caller(request).await?;
    let linked = state.accounts.linked(&caller.signed_in).await?;
    let accounts: Vec<Account> = linked.into_iter().map(Account::from).collect();
    Ok((caller.headers, OkJson(accounts)))
}
