//! Responses of auth-service: users, sessions, access tokens.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use prost_types::Timestamp;
use proto::auth::v1::{AccessToken, Session, User};
use serde_json::Value;

use crate::wire::timestamp::{Digits, timestamp};

const USER: [&str; 7] = ["createdAt", "email", "emailVerified", "id", "image", "name", "updatedAt"];
const SESSION: [&str; 8] =
    ["createdAt", "expiresAt", "id", "ipAddress", "token", "updatedAt", "userAgent", "userId"];

/// An object with these members, all of them and no other.
#[track_caller]
pub fn assert_members(object: &Value, expected: &[&str]) {
    let mut names: Vec<_> = object.as_object().expect("an object").keys().collect();
    names.sort();
    assert_eq!(names, expected);
}

#[track_caller]
pub fn text(object: &Value, name: &str) -> String {
    optional_text(object, name).unwrap_or_else(|| panic!("no {name}"))
}

fn optional_text(object: &Value, name: &str) -> Option<String> {
    object[name].as_str().map(str::to_owned)
}

fn at(object: &Value, name: &str) -> Timestamp {
    timestamp(&object[name], Digits::Milli).expect("a timestamp")
}

#[track_caller]
pub fn user(object: &Value) -> User {
    assert_members(object, &USER);
    User {
        id: text(object, "id"),
        name: text(object, "name"),
        email: text(object, "email"),
        email_verified: object["emailVerified"].as_bool().expect("a switch"),
        image: optional_text(object, "image"),
        created_at: Some(at(object, "createdAt")),
        updated_at: Some(at(object, "updatedAt")),
    }
}

/// A session, and the token or handle that it comes with.
#[track_caller]
pub fn session(object: &Value) -> (Session, String) {
    assert_members(object, &SESSION);
    session_in(object)
}

/// A session in the list of all, with its last use.
#[track_caller]
pub fn listed_session(object: &Value) -> (Session, String) {
    let mut members = [&SESSION[..], &["lastUsedAt"]].concat();
    members.sort_unstable();
    assert_members(object, &members);
    let (session, token) = session_in(object);
    (Session { last_used_at: Some(at(object, "lastUsedAt")), ..session }, token)
}

fn session_in(object: &Value) -> (Session, String) {
    let session = Session {
        id: text(object, "id"),
        user_id: text(object, "userId"),
        created_at: Some(at(object, "createdAt")),
        updated_at: Some(at(object, "updatedAt")),
        expires_at: Some(at(object, "expiresAt")),
        ip_address: optional_text(object, "ipAddress"),
        user_agent: optional_text(object, "userAgent"),
        current: false,
        last_used_at: None,
    };
    (session, text(object, "token"))
}

/// An access token, with its expiry.
#[track_caller]
pub fn access_token(token: &str) -> AccessToken {
    let claims = token.split('.').nth(1).expect("a JWT");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64");
    let claims: Value = serde_json::from_slice(&claims).expect("claims");
    let seconds = claims["exp"].as_i64().expect("an end");
    AccessToken { token: token.to_owned(), expires_at: Some(Timestamp { seconds, nanos: 0 }) }
}
