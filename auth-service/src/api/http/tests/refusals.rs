//! Error responses.

use http::{HeaderValue, StatusCode};
use serde_json::json;
use server::http::Problem;

use super::{
    super::api_error::refusal,
    world::{PASSWORD, World},
};

const UP: &str = "/sign-up/email";
const IN: &str = "/sign-in/email";

#[tokio::test]
async fn broken_rules_of_accounts_have_upstreams_codes() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let long = "a".repeat(129);
    let up =
        |password: &str| json!({ "name": "B", "email": "bob@example.com", "password": password });
    let into = |email: &str, password: &str| json!({ "email": email, "password": password });
    let wrong = (401, "Invalid email or password", "INVALID_EMAIL_OR_PASSWORD");
    let taken =
        (422, "User already exists. Use another email.", "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL");
    let common = "Password is among the most common passwords or is the account's own name";
    let mut twice = up(PASSWORD);
    twice["email"] = json!("ADA@example.com");
    for (path, body, (status, message, code)) in [
        (UP, twice, taken),
        (UP, up("1234567"), (400, "Password too short", "PASSWORD_TOO_SHORT")),
        (UP, up("🚀🚀🚀"), (400, "Password too short", "PASSWORD_TOO_SHORT")),
        (UP, up(&long), (400, "Password too long", "PASSWORD_TOO_LONG")),
        (UP, up("password1"), (400, common, "PASSWORD_TOO_COMMON")),
        (IN, into("nobody@example.com", PASSWORD), wrong),
        (IN, into("ada@example.com", "wrong horse"), wrong),
        (IN, into("ada@example.com", "x"), wrong),
        (IN, into("ada@example.com", ""), wrong),
        (IN, into("nobody@example.com", ""), wrong),
        (IN, into("ada@example.com", &long), (400, "Password too long", "PASSWORD_TOO_LONG")),
        (IN, into(" ada@example.com", PASSWORD), (400, "Invalid email", "INVALID_EMAIL")),
        (IN, into("ada", PASSWORD), (400, "Invalid email", "INVALID_EMAIL")),
    ] {
        let got = world.post(path, &[], &body).await;
        got.is(status, &format!(r#"{{"message":"{message}","code":"{code}"}}"#));
        assert!(got.cookies().is_empty());
    }
    // An account without a password cannot sign in either.
    world.sql(r#"UPDATE "account" SET "password" = NULL"#).await;
    assert_eq!(world.post(IN, &[], &into("ada@example.com", PASSWORD)).await.status, 401);
}

#[tokio::test]
async fn routes_for_users_refuse_all_other_clients() {
    let world = World::start().await;
    let unauthorized = r#"{"message":"Unauthorized","code":"UNAUTHORIZED"}"#;
    let jwt = world.get_as(&world.sign_up("ada@example.com").await, "/token").await.token();
    for credential in [None, Some("garbage"), Some(&*"x".repeat(32)), Some(&jwt)] {
        let bearer = credential.map(|credential| format!("Bearer {credential}"));
        let headers: Vec<_> = bearer.iter().map(|bearer| ("authorization", &**bearer)).collect();
        for path in ["/list-sessions", "/list-accounts", "/token"] {
            let got = world.get(path, &headers).await;
            got.is(401, unauthorized);
            // Session cookies are expired; other cookies are not.
            if credential.is_some_and(|credential| !credential.contains('.')) {
                got.forgets();
            } else {
                assert!(got.cookies().is_empty());
            }
        }
        for (path, body) in [
            ("/update-user", json!({ "name": "Q" })),
            ("/change-password", json!({ "newPassword": "a", "currentPassword": "b" })),
            ("/verify-password", json!({ "password": PASSWORD })),
            ("/revoke-session", json!({ "token": "x" })),
            ("/revoke-sessions", json!({})),
            ("/revoke-other-sessions", json!({})),
            ("/delete-user", json!({})),
        ] {
            world.post(path, &headers, &body).await.is(401, unauthorized);
        }
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_not_there() {
    let world = World::start().await;
    for (method, path) in [
        ("GET", UP),
        ("HEAD", "/get-session"),
        ("HEAD", "/ok"),
        ("GET", "/ok/"),
        ("POST", "/ok"),
        ("PUT", "/get-session"),
        ("DELETE", "/update-user"),
        ("OPTIONS", IN),
        ("GET", "/sign-out"),
        ("POST", "/sign-in/social"),
        ("POST", "/request-password-reset"),
        ("GET", "/"),
        ("GET", ""),
        ("GET", "/a/b/c"),
    ] {
        let got = world.call(method, path, &[], "").await;
        assert_eq!((got.status, &*got.body), (404, ""), "{method} {path}");
        assert_eq!(got.header("allow"), None, "{method} {path}");
    }
    world.get("/ok", &[]).await.is(200, r#"{"ok":true}"#);
    world.get("/jwks", &[]).await.is(200, r#"{"keys":[]}"#);
    let got = world.call("POST", "/get-session", &[], "").await;
    got.is(405, r#"{"message":"POST method requires deferSessionRefresh to be enabled in session config","code":"METHOD_NOT_ALLOWED_DEFER_SESSION_REQUIRED"}"#);
    assert_eq!(
        (got.header("cache-control"), got.header("pragma")),
        (Some("no-store"), Some("no-cache"))
    );
}

#[tokio::test]
async fn without_its_database_the_api_is_unavailable() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    world.store.database().clone().close().await.expect("closes");
    for got in [
        world.get_as(&token, "/get-session").await,
        world.get_as(&token, "/token").await,
        world.sign_in("ada@example.com", json!({})).await,
    ] {
        got.is(
            503,
            r#"{"message":"temporarily unavailable, try again","code":"SERVICE_UNAVAILABLE"}"#,
        );
        assert_eq!(
            (got.header("retry-after"), got.header("x-retry-after")),
            (Some("1"), Some("1"))
        );
    }
    world.get("/get-session", &[]).await.is(200, "null");
}

#[tokio::test]
async fn errors_before_the_routes_have_the_same_form() {
    for (status, message, body) in [
        (429, "too many calls", r#"{"message":"Too many requests. Please try again later."}"#),
        (500, "internal error", r#"{"message":"internal error","code":"INTERNAL_SERVER_ERROR"}"#),
        (503, "overloaded", r#"{"message":"overloaded","code":"SERVICE_UNAVAILABLE"}"#),
        (408, "too slow", r#"{"message":"too slow","code":"REQUEST_TIMEOUT"}"#),
    ] {
        let mut problem =
            Problem::new(StatusCode::from_u16(status).expect("a status"), "X", message);
        problem.retry_after = (status != 500).then_some(std::time::Duration::from_secs(10));
        let response = refusal(problem);
        assert_eq!(response.status().as_u16(), status);
        let wait = response.headers().get("x-retry-after").map(HeaderValue::as_bytes);
        assert_eq!(wait, (status != 500).then_some(&b"10"[..]));
        assert_eq!(response.headers().get("retry-after").is_some(), wait.is_some());
        let bytes = axum::body::to_bytes(response.into_body(), 1000).await.expect("a body");
        assert_eq!(bytes, body);
    }
}
