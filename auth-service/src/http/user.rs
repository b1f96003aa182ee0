//! The caller's account.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};

use super::{
    body::Asked,
    desk::{Call, Desk, Holding},
    documented::{AnyTime, ForBodies, ForSites, ForUsers},
    forms,
    objects::{Account, Answer, Deleted, Done, PasswordChanged},
    refusal::{Refusal, Refused},
};
use crate::{error::Error, error_code, password::Password, store::UserPatch};

/// Changes the caller's name or picture.
#[utoipa::path(
    post, path = "/api/auth/update-user", operation_id = "updateUser", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = forms::UpdateUser,
    responses(
        (status = 200, description = "Changed", body = Done, headers(
            ("set-cookie" = String, description = "The session again"),
            ("set-auth-token" = String, description = "The session token, signed"),
        )),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn update_user(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::UpdateUser>,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    if asked.has_email {
        return Err(Refused::of(&error_code::EMAIL_CAN_NOT_BE_UPDATED));
    }
    if asked.name.is_none() && asked.image.is_none() {
        return Err(Refused::of(&error_code::NO_FIELDS_TO_UPDATE));
    }
    let patch = UserPatch { name: asked.name, image: asked.image };
    let user = desk.accounts.update(&caller.signed_in, patch).await?;
    let stay = desk.sessions.stay(caller.signed_in.session());
    let headers = desk.hand_over_again(caller.holding(&user, stay)).await?;
    Ok((headers, Answer(Done::DONE)))
}

/// Replaces the caller's password.
///
/// With `revokeOtherSessions` every session ends, the caller's too, and the answer brings
/// one instead. Otherwise all stay.
#[utoipa::path(
    post, path = "/api/auth/change-password", operation_id = "changePassword", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = forms::ChangePassword,
    responses(
        (status = 200, description = "Changed", body = PasswordChanged, headers(
            ("set-cookie" = String, description = "The new session, if there is one"),
            ("set-auth-token" = String, description = "Its token, signed"),
        )),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn change_password(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::ChangePassword>,
) -> Result<impl IntoResponse, Refused> {
    let mut caller = desk.caller(call).await?;
    let new = desk.accounts.password_rules().choose(asked.new_password)?;
    let current = Password::offered(asked.current_password)?;
    let revoke = asked.revoke_other_sessions == Some(true);
    let change = desk.accounts.change_password(&caller.signed_in, current, new, revoke);
    let opened = change.await?;
    let user = caller.signed_in.user();
    if let Some(opened) = &opened {
        let stay = desk.sessions.stay(&opened.session);
        caller.headers = desk.hand_over(Holding::of(opened, user, stay))?;
    }
    let token = opened.map(|opened| opened.token.reveal().to_owned());
    let user = caller.signed_in.user().into();
    Ok((caller.headers, Answer(PasswordChanged { token, user })))
}

/// Whether a password is the caller's.
#[utoipa::path(
    post, path = "/api/auth/verify-password", operation_id = "verifyPassword", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = forms::VerifyPassword,
    responses(
        (status = 200, description = "It is", body = Done),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn verify_password(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::VerifyPassword>,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    let password = Password::offered(asked.password)?;
    desk.accounts.verify_password(&caller.signed_in, password).await?;
    Ok((caller.headers, Answer(Done::DONE)))
}

/// Deletes the caller's account with all that is its.
///
/// Confirmed by the password, or by a session that was opened within a day. A wrong
/// password is never made good by a fresh session.
#[utoipa::path(
    post, path = "/api/auth/delete-user", operation_id = "deleteUser", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    request_body = forms::DeleteUser,
    responses(
        (status = 200, description = "Deleted", body = Deleted, headers(
            ("set-cookie" = String, description = "Expires every cookie of this server"),
        )),
        (status = 404, description = "The mailed token is not valid", body = Refusal),
        ForBodies, ForSites, ForUsers, AnyTime,
    ),
)]
pub async fn delete_user(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::DeleteUser>,
) -> Result<impl IntoResponse, Refused> {
    desk.site.expect_ours(asked.callback_url.as_deref())?;
    let caller = desk.caller(call).await?;
    if asked.token.is_some_and(|token| !token.is_empty()) {
        return Err(Refused::of(&error_code::INVALID_TOKEN));
    }
    let confirm = asked.password.map(Password::offered).transpose()?;
    desk.accounts.delete(&caller.signed_in, confirm).await.map_err(|error| match error {
        Error::SessionNotFresh => Refused::of(&error_code::SESSION_EXPIRED),
        error => error.into(),
    })?;
    Ok((desk.forget()?, Answer(Deleted { success: true, message: "User deleted" })))
}

/// The ways in which the caller can sign in.
#[utoipa::path(
    get, path = "/api/auth/list-accounts", operation_id = "listAccounts", tag = "auth",
    security(("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "The accounts, the oldest first", body = Vec<Account>),
        ForUsers, AnyTime,
    ),
)]
pub async fn list_accounts(
    State(desk): State<Arc<Desk>>,
    call: Call,
) -> Result<impl IntoResponse, Refused> {
    let caller = desk.caller(call).await?;
    let linked = desk.accounts.linked(&caller.signed_in).await?;
    let accounts: Vec<Account> = linked.into_iter().map(Account::from).collect();
    Ok((caller.headers, Answer(accounts)))
}
