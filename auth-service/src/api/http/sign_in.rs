//! Sign-up, sign-in and sign-out.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::header::{HeaderValue, LOCATION};
use shared::error::Refusal;

use super::{
    api_error::{ApiError, ErrorBody},
    body::JsonOrForm,
    credential::Credential,
    members::exact,
    openapi::{BodyErrors, CommonErrors, OriginErrors},
    requests,
    responses::{OkJson, SignedIn, SignedOut, SignedUp},
    state::{AppState, RequestContext},
};
use crate::{
    account::NewAccount,
    error::Error,
    error_code,
    password::{Password, PasswordFault},
    session::Stay,
    store::Which,
};

/// Makes an account and opens its first session.
///
/// A browser also gets the session as a cookie; every client gets it in the body, signed in
/// `set-auth-token`, and an access token in `set-auth-jwt`.
#[utoipa::path(
    post, path = "/api/auth/sign-up/email", operation_id = "signUpEmail", tag = "auth",
    request_body(content(
        (requests::SignUp = "application/json"),
        (requests::SignUp = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The account and its first session", body = SignedUp, headers(
            ("set-cookie" = String, description = "The session, for browsers"),
            ("set-auth-token" = String, description = "The session token, signed"),
            ("set-auth-jwt" = String, description = "An access token"),
        )),
        (status = 422, description = "The e-mail has an account", body = ErrorBody),
        BodyErrors, OriginErrors, CommonErrors,
    ),
)]
pub async fn sign_up(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::SignUp>,
) -> Result<impl IntoResponse, ApiError> {
    state.origin_check.expect_trusted_url(body.callback_url.as_deref())?;
    let account = NewAccount {
        email: body.email,
        password: state.accounts.password_rules().choose(body.password)?,
        name: body.name,
        image: body.image.unwrap_or_default(),
    };
    let stay = stay(body.remember_me);
    let (user, opened) = state.accounts.sign_up(account, &request.client, stay).await?;
    let headers = state.sign_in_headers(&user, &opened, stay)?;
    let token = opened.token.reveal().to_owned();
    Ok((headers, OkJson(SignedUp { token, user: (&user).into() })))
}

/// Opens a session.
///
/// An unknown e-mail and a wrong password get the same answer after the same time.
#[utoipa::path(
    post, path = "/api/auth/sign-in/email", operation_id = "signInEmail", tag = "auth",
    request_body(content(
        (requests::SignIn = "application/json"),
        (requests::SignIn = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The user and a new session", body = SignedIn, headers(
            ("set-cookie" = String, description = "The session, for browsers"),
            ("set-auth-token" = String, description = "The session token, signed"),
            ("set-auth-jwt" = String, description = "An access token"),
            ("location" = String, description = "The `callbackURL`, if there was one"),
        )),
        (status = 401, description = "Unknown e-mail or wrong password", body = ErrorBody),
        (status = 403, description = "No trusted origin asked for this; or the password is right, and the user is banned (`BANNED_USER`), has a second factor (`TWO_FACTOR_REQUIRED`) or an unverified address where that is asked for (`EMAIL_NOT_VERIFIED`)", body = ErrorBody),
        BodyErrors, CommonErrors,
    ),
)]
pub async fn sign_in(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(body): JsonOrForm<requests::SignIn>,
) -> Result<impl IntoResponse, ApiError> {
    state.origin_check.expect_trusted_url(body.callback_url.as_deref())?;
    let email = exact(&body.email).ok_or_else(|| ApiError::of(&error_code::INVALID_EMAIL))?;
    let password = Password::parse(body.password).map_err(|fault| match fault {
        PasswordFault::Empty => ApiError::of(&error_code::INVALID_EMAIL_OR_PASSWORD),
        fault => ApiError::from(fault),
    })?;
    let stay = stay(body.remember_me);
    let (user, opened) =
        state.accounts.sign_in(Some(&email), password, &request.client, stay).await?;
    let mut headers = state.sign_in_headers(&user, &opened, stay)?;
    let url = body.callback_url;
    let next = url.as_deref().filter(|url| !url.is_empty());
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        headers.insert(LOCATION, next);
    }
    let token = opened.token.reveal().to_owned();
    let signed_in = SignedIn { redirect: next.is_some(), token, url, user: (&user).into() };
    Ok((headers, OkJson(signed_in)))
}

/// Ends the caller's session, if there is one.
///
/// A caller without a session, or with an invalid one, gets the same answer.
#[utoipa::path(
    post, path = "/api/auth/sign-out", operation_id = "signOut", tag = "auth",
    security((), ("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "Nobody is signed in any more", body = SignedOut, headers(
            ("set-cookie" = String, description = "Expires every cookie of this server"),
        )),
        BodyErrors, OriginErrors, CommonErrors,
    ),
)]
pub async fn sign_out(
    State(state): State<Arc<AppState>>,
    request: RequestContext,
    JsonOrForm(requests::Nothing): JsonOrForm<requests::Nothing>,
) -> Result<impl IntoResponse, ApiError> {
    if let Credential::Token(token) = request.credential {
        match state.sessions.resume_to_end(&token, &request.client).await {
            Ok(caller) => {
                state.sessions.end(&caller, Which::One(&caller.session().id)).await?;
            }
            Err(Error::Refused(Refusal::InvalidSession)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((state.expired_cookies()?, OkJson(SignedOut { success: true })))
}

fn stay(remember_me: Option<bool>) -> Stay {
    if remember_me == Some(false) { Stay::Brief } else { Stay::Remembered }
}
