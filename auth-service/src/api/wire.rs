//! Conversions between the contract's messages and the domain: all faults of a message at once.

use proto::{auth::v1 as pb, timestamp};
use server::audit_log::{Page, PageRequest};
use shared::{auth::IssuedToken, fields::Fields};

use crate::{
    account::NewAccount,
    email::Email,
    entity::{session, user},
    error::Error,
    password::{NewPassword, Password, PasswordRules},
    profile,
    session::Listed,
    store::UserPatch,
};

pub fn new_account(message: pb::SignUpRequest, rules: PasswordRules) -> Result<NewAccount, Error> {
    let mut fields = Fields::default();
    let email = fields.take("email", Email::parse(&message.email));
    let password = fields.take("password", rules.choose(message.password));
    let name = fields.take("name", profile::name(message.name));
    let image = fields.take("image", profile::image(message.image.unwrap_or_default()));
    let account =
        (|| Some(NewAccount { email: email?, password: password?, name: name?, image: image? }))();
    Ok(fields.finish(account)?)
}

/// The credential of a sign-in. A text that is no e-mail address is treated like an address
/// without an account.
pub fn credential(message: pb::SignInRequest) -> Result<(Option<Email>, Password), Error> {
    let mut fields = Fields::default();
    let length = match message.email.len() {
        1..=254 => Ok(()),
        _ => Err("must be 1 to 254 bytes"),
    };
    let fits = fields.take("email", length);
    let password = fields.take("password", Password::parse(message.password));
    Ok(fields
        .finish(fits.and(password))
        .map(|password| (Email::parse(&message.email).ok(), password))?)
}

pub fn user_patch(message: pb::UpdateUserRequest) -> Result<UserPatch, Error> {
    let mut fields = Fields::default();
    if message.name.is_none() && message.image.is_none() {
        fields.fault("name", "or `image` must be set");
    }
    let name = message.name.map(|text| fields.take("name", profile::name(text)));
    let image = message.image.map(|text| fields.take("image", profile::image(text)));
    Ok(fields.finish(Some(UserPatch { name: name.flatten(), image: image.flatten() }))?)
}

/// The current and the new password.
pub fn password_change(
    message: pb::ChangePasswordRequest,
    rules: PasswordRules,
) -> Result<(Password, NewPassword), Error> {
    let mut fields = Fields::default();
    let current = fields.take("current_password", Password::parse(message.current_password));
    let new = fields.take("new_password", rules.choose(message.new_password));
    Ok(fields.finish(current.zip(new))?)
}

pub fn password(text: String) -> Result<Password, Error> {
    let mut fields = Fields::default();
    let password = fields.take("password", Password::parse(text));
    Ok(fields.finish(password)?)
}

pub fn session_id(message: pb::RevokeSessionRequest) -> Result<String, Error> {
    let mut fields = Fields::default();
    let id = match message.session_id.len() {
        // PostgreSQL has no text with NUL: it would answer with an error, not with "none".
        1..=255 if !message.session_id.contains('\0') => Ok(message.session_id),
        _ => Err("must be 1 to 255 bytes without NUL"),
    };
    let id = fields.take("session_id", id);
    Ok(fields.finish(id)?)
}

pub fn page_request(
    message: &pb::ListSecurityEventsRequest,
    user_id: &str,
) -> Result<PageRequest, Error> {
    Ok(PageRequest::read(message.page_size, &message.page_token, user_id)?)
}

pub fn security_events(page: Page) -> pb::ListSecurityEventsResponse {
    pb::ListSecurityEventsResponse {
        events: page.events.into_iter().map(Into::into).collect(),
        next_page_token: page.next.unwrap_or_default(),
    }
}

pub fn user(user: user::Model) -> pb::User {
    pb::User {
        id: user.id,
        name: user.name,
        email: user.email,
        email_verified: user.email_verified,
        image: user.image,
        created_at: Some(timestamp(user.created_at)),
        updated_at: Some(timestamp(user.updated_at)),
    }
}

pub fn session(session: &session::Model, current: &str) -> pb::Session {
    pb::Session {
        id: session.id.clone(),
        user_id: session.user_id.clone(),
        created_at: Some(timestamp(session.created_at)),
        updated_at: Some(timestamp(session.updated_at)),
        expires_at: Some(timestamp(session.expires_at)),
        ip_address: session.ip_address.clone(),
        user_agent: session.user_agent.clone(),
        current: session.id == current,
        last_used_at: None,
    }
}

pub fn listed_session(listed: &Listed, current: &str) -> pb::Session {
    let last_used_at = Some(timestamp(listed.last_used_at));
    pb::Session { last_used_at, ..session(&listed.session, current) }
}

pub fn access_token(issued: IssuedToken) -> pb::AccessToken {
    pb::AccessToken { token: issued.token, expires_at: Some(timestamp(issued.expires_at)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(error: Error) -> Vec<String> {
        match error {
            Error::Invalid(violations) => {
                violations.0.iter().map(|v| v.field.to_string()).collect()
            }
            other => panic!("not a list of faults: {other}"),
        }
    }

    #[test]
    fn every_faulty_field_of_a_message_is_listed_at_once() {
        let rules = PasswordRules { min_length: 8 };
        let message = pb::SignUpRequest {
            email: "ada".into(),
            password: "short".into(),
            name: "a\nb".into(),
            image: Some("x".repeat(3000)),
        };
        let faults = fields(new_account(message, rules).err().expect("four faults"));
        assert_eq!(faults, ["email", "password", "name", "image"]);
        let faults = fields(credential(pb::SignInRequest::default()).err().expect("two faults"));
        assert_eq!(faults, ["email", "password"]);
        let message = pb::ChangePasswordRequest::default();
        let faults = fields(password_change(message, rules).err().expect("two faults"));
        assert_eq!(faults, ["current_password", "new_password"]);
        assert!(user_patch(pb::UpdateUserRequest::default()).is_err());
    }

    #[test]
    fn a_sign_in_with_no_address_has_no_account() {
        let message = pb::SignInRequest { email: "ada".into(), password: "x".into() };
        assert!(credential(message).expect("a credential").0.is_none());
    }
}
