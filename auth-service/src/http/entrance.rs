//! In and out: signing up, signing in, signing out.

use std::sync::Arc;

use axum::{extract::State, response::IntoResponse};
use http::header::{HeaderValue, LOCATION};

use super::{
    body::Asked,
    credential::Credential,
    desk::{Call, Desk},
    documented::{AnyTime, ForBodies, ForSites},
    forms,
    members::exact,
    objects::{Answer, SignedIn, SignedOut, SignedUp},
    refusal::{Refusal, Refused},
};
use crate::{
    account::Application,
    error::Error,
    error_code,
    password::{Password, PasswordFault},
    session::Stay,
    store::Which,
};

/// Makes an account and opens its first session.
///
/// A browser also gets the session as a cookie; everybody gets it in the body, signed in
/// `set-auth-token`, and an access token in `set-auth-jwt`.
#[utoipa::path(
    post, path = "/api/auth/sign-up/email", operation_id = "signUpEmail", tag = "auth",
    request_body(content(
        (forms::SignUp = "application/json"),
        (forms::SignUp = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The account and its first session", body = SignedUp, headers(
            ("set-cookie" = String, description = "The session, for browsers"),
            ("set-auth-token" = String, description = "The session token, signed"),
            ("set-auth-jwt" = String, description = "An access token"),
        )),
        (status = 422, description = "The e-mail has an account", body = Refusal),
        ForBodies, ForSites, AnyTime,
    ),
)]
pub async fn sign_up(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::SignUp>,
) -> Result<impl IntoResponse, Refused> {
    desk.site.expect_ours(asked.callback_url.as_deref())?;
    let application = Application {
        email: asked.email,
        password: desk.accounts.password_rules().choose(asked.password)?,
        name: asked.name,
        image: asked.image.unwrap_or_default(),
    };
    let stay = stay(asked.remember_me);
    let (user, opened) = desk.accounts.sign_up(application, &call.client, stay).await?;
    let headers = desk.welcome(&user, &opened, stay)?;
    let token = opened.token.reveal().to_owned();
    Ok((headers, Answer(SignedUp { token, user: (&user).into() })))
}

/// Opens a session.
///
/// An unknown e-mail and a wrong password get the same answer after the same time.
#[utoipa::path(
    post, path = "/api/auth/sign-in/email", operation_id = "signInEmail", tag = "auth",
    request_body(content(
        (forms::SignIn = "application/json"),
        (forms::SignIn = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "The user and a new session", body = SignedIn, headers(
            ("set-cookie" = String, description = "The session, for browsers"),
            ("set-auth-token" = String, description = "The session token, signed"),
            ("set-auth-jwt" = String, description = "An access token"),
            ("location" = String, description = "The `callbackURL`, if there was one"),
        )),
        (status = 401, description = "Unknown e-mail or wrong password", body = Refusal),
        (status = 403, description = "No trusted origin asked for this; or the password is right, and the user is banned (`BANNED_USER`), has a second factor (`TWO_FACTOR_REQUIRED`) or an unverified address where that is asked for (`EMAIL_NOT_VERIFIED`)", body = Refusal),
        ForBodies, AnyTime,
    ),
)]
pub async fn sign_in(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(asked): Asked<forms::SignIn>,
) -> Result<impl IntoResponse, Refused> {
    desk.site.expect_ours(asked.callback_url.as_deref())?;
    let email = exact(&asked.email).ok_or_else(|| Refused::of(&error_code::INVALID_EMAIL))?;
    let password = Password::offered(asked.password).map_err(|fault| match fault {
        PasswordFault::Empty => Error::InvalidEmailOrPassword.into(),
        fault => Refused::from(fault),
    })?;
    let stay = stay(asked.remember_me);
    let (user, opened) = desk.accounts.sign_in(Some(&email), password, &call.client, stay).await?;
    let mut headers = desk.welcome(&user, &opened, stay)?;
    let url = asked.callback_url;
    let next = url.as_deref().filter(|url| !url.is_empty());
    if let Some(next) = next.and_then(|next| HeaderValue::try_from(next).ok()) {
        headers.insert(LOCATION, next);
    }
    let token = opened.token.reveal().to_owned();
    let signed_in = SignedIn { redirect: next.is_some(), token, url, user: (&user).into() };
    Ok((headers, Answer(signed_in)))
}

/// Ends the caller's session, if there is one.
///
/// Whoever has none, or a dead one, is signed out all the same.
#[utoipa::path(
    post, path = "/api/auth/sign-out", operation_id = "signOut", tag = "auth",
    security((), ("sessionToken" = []), ("sessionCookie" = [])),
    responses(
        (status = 200, description = "Nobody is signed in any more", body = SignedOut, headers(
            ("set-cookie" = String, description = "Expires every cookie of this server"),
        )),
        ForBodies, ForSites, AnyTime,
    ),
)]
pub async fn sign_out(
    State(desk): State<Arc<Desk>>,
    call: Call,
    Asked(forms::Nothing): Asked<forms::Nothing>,
) -> Result<impl IntoResponse, Refused> {
    if let Credential::Token(token) = call.credential {
        match desk.sessions.resume_to_end(&token, &call.client).await {
            Ok(caller) => {
                desk.sessions.end(&caller, Which::One(&caller.session().id)).await?;
            }
            Err(Error::InvalidSession) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok((desk.forget()?, Answer(SignedOut { success: true })))
}

fn stay(remember_me: Option<bool>) -> Stay {
    if remember_me == Some(false) { Stay::Brief } else { Stay::Remembered }
}
