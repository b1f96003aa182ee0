//! Tests of the session routes.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::world::{Setting, TRUSTED, World};
use crate::session_token::{AtRest, stored_forms};

#[tokio::test]
async fn a_session_is_returned_as_captured() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let agent = [("user-agent", "curl/7.88.1"), ("content-type", "application/json")];
    let body = json!({ "email": "ada@example.com", "password": "correct horse" }).to_string();
    let token = world.call("POST", "/sign-in/email", &agent, body).await.token();
    let got = world.get_as(&token, "/get-session").await;
    let (session, user) = (&got.json()["session"]["id"], &got.json()["user"]["id"]);
    got.is(
        200,
        &format!(
            r#"{{"session":{{"expiresAt":"2026-11-27T22:18:00.970Z","token":"{token}","createdAt":"2026-11-20T22:18:00.970Z","updatedAt":"2026-11-20T22:18:00.970Z","ipAddress":null,"userAgent":"curl/7.88.1","userId":{user},"id":{session}}},"user":{{"name":"Ada","email":"ada@example.com","emailVerified":false,"image":null,"createdAt":"2026-11-20T22:18:00.970Z","updatedAt":"2026-11-20T22:18:00.970Z","id":{user}}}}}"#
        ),
    );
    assert_eq!(got.header("cache-control"), Some("no-store"));
    assert_eq!(got.header("pragma"), Some("no-cache"));
    assert!(world.verifier.verify(got.header("set-auth-jwt").expect("a token")).is_ok());
    assert!(got.cookies().is_empty() && got.header("set-auth-token").is_none());
}

/// Cookies and signed tokens of a real server with this secret.
#[tokio::test]
async fn credentials_of_a_better_auth_server_open_their_session() {
    const TOKEN: &str = "Iw8qNaWmOcisHpG7JSHvK9136q1Q5knF";
    const SIGNATURE: &str = "YXcxGhPi6Vo+RgC4neL+lL36A0RT3dr134crRn8mzDI=";
    const ENCODED: &str = "YXcxGhPi6Vo%2BRgC4neL%2BlL36A0RT3dr134crRn8mzDI%3D";
    let world = World::with(Setting { at_rest: AtRest::Plain, ..Setting::default() }).await;
    let live = world.sign_up("ada@example.com").await;
    world.sql(&format!(r#"UPDATE "session" SET "token" = '{TOKEN}'"#)).await;
    let name = "better-auth.session_token";
    for (header, value, opens) in [
        ("authorization", format!("Bearer {TOKEN}"), true),
        ("authorization", format!("bearer {TOKEN}.{SIGNATURE}"), true),
        ("authorization", format!("Bearer {TOKEN}.{ENCODED}"), true),
        ("authorization", format!("Bearer {TOKEN}.AAAA{}", &SIGNATURE[4..]), false),
        ("authorization", format!("Basic {TOKEN}"), false),
        ("cookie", format!("a=b; {name}={TOKEN}.{ENCODED}; c=d"), true),
        ("cookie", format!("a=é; {name}={TOKEN}.{SIGNATURE}"), true),
        ("cookie", format!("{name}=x; {name}={TOKEN}.{ENCODED}"), true),
        ("cookie", format!("{name}={TOKEN}.AAAA"), false),
        // Unsigned, a client could try tokens with it.
        ("cookie", format!("{name}={TOKEN}"), false),
        ("cookie", format!("x{name}={TOKEN}.{ENCODED}"), false),
        ("cookie", format!("__Secure-{name}={TOKEN}.{ENCODED}"), false),
    ] {
        let got = world.get("/get-session", &[(header, &value)]).await;
        assert_eq!((got.status, got.json().is_object()), (200, opens), "{header}: {value}");
        assert!(got.cookies().is_empty(), "{header}: {value}");
    }
    // A value that cannot be a session token falls back to the cookie; a dead token does not.
    let cookie = format!("{name}={TOKEN}.{ENCODED}");
    for (bearer, opens) in [("garbage", true), ("a.b.c", true), (&*live, false)] {
        let headers = [("authorization", &*format!("Bearer {bearer}")), ("cookie", &cookie)];
        assert_eq!(world.get("/get-session", &headers).await.json().is_object(), opens, "{bearer}");
    }
}

#[tokio::test]
async fn the_cookies_of_a_dead_session_are_expired() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let signed_in = world.sign_in("ada@example.com", json!({})).await;
    world.clock.advance(TimeDelta::days(7));
    let bearers =
        [token, "garbage".to_owned(), "x".repeat(32)].map(|token| format!("Bearer {token}"));
    let mut dead: Vec<_> = bearers.iter().map(|bearer| ("authorization", &**bearer)).collect();
    dead.push(("cookie", signed_in.cookie()));
    for credential in dead {
        let got = world.get("/get-session", &[credential]).await;
        got.is(200, "null");
        got.forgets();
        assert_eq!(got.header("set-auth-jwt"), None);
        assert_eq!(got.header("cache-control"), Some("no-store"));
    }
    let got = world.get("/get-session", &[]).await;
    got.is(200, "null");
    assert!(got.cookies().is_empty());
}

#[tokio::test]
async fn use_extends_a_session_and_sends_its_cookie_again() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    for (path, expiry) in
        [("/get-session", "2026-11-29T22:18:00.970Z"), ("/token", "2026-12-01T22:18:00.970Z")]
    {
        let signed_in = world.sign_in("ada@example.com", json!({})).await;
        let token = signed_in.token();
        world.clock.advance(TimeDelta::days(2));
        let left =
            world.get_as(&token, "/get-session?disableCookieCache=true&disableRefresh=true").await;
        assert!(left.json()["session"]["expiresAt"].as_str().expect("a date") < expiry);
        assert!(left.cookies().is_empty() && left.header("set-auth-token").is_none());
        let got = world.get_as(&token, path).await;
        assert_eq!(got.cookies(), signed_in.cookies());
        assert_eq!(got.header("set-auth-token"), signed_in.header("set-auth-token"));
        let now = world.get_as(&token, "/get-session").await;
        assert_eq!(now.json()["session"]["expiresAt"], expiry);
        assert!(now.cookies().is_empty());
    }
}

#[tokio::test]
async fn sessions_are_listed_and_end_by_token_or_handle() {
    for at_rest in [AtRest::Hashed, AtRest::Plain] {
        let world = World::with(Setting { at_rest, ..Setting::default() }).await;
        let token = world.sign_up("ada@example.com").await;
        let bob = world.sign_up("bob@example.com").await;
        let mut others = Vec::new();
        for _ in 0..2 {
            world.clock.advance(TimeDelta::seconds(1));
            others.push(world.sign_in("ada@example.com", json!({})).await.token());
        }
        let listed = world.get_as(&token, "/list-sessions").await.json();
        let listed: Vec<_> = listed
            .as_array()
            .expect("a list")
            .iter()
            .map(|s| s["token"].as_str().expect("text"))
            .collect();
        let stored = |token: &str| match at_rest {
            AtRest::Hashed => stored_forms(token)[0].clone(),
            AtRest::Plain => token.to_owned(),
        };
        assert_eq!(listed, [token.clone(), stored(&others[0]), stored(&others[1])]);
        if at_rest == AtRest::Hashed {
            // A handle ends a session and opens none.
            for header in [
                ("authorization", format!("Bearer {}", listed[1])),
                ("cookie", format!("better-auth.session_token={}", listed[1])),
            ] {
                world
                    .get("/get-session", &[(header.0, &header.1)])
                    .await
                    .json()
                    .as_null()
                    .expect("nobody");
            }
        }
        let revoke = async |given: &str| {
            let got = world.post_as(&token, "/revoke-session", &json!({ "token": given })).await;
            got.is(200, r#"{"status":true}"#);
            got
        };
        let live = async |token: &str| world.get_as(token, "/get-session").await.json().is_object();
        for none in ["nope", "", "a\0b", &bob, &stored(&bob)] {
            assert!(revoke(none).await.cookies().is_empty());
        }
        assert!(live(&bob).await && live(&others[0]).await && live(&others[1]).await);
        assert!(revoke(listed[1]).await.cookies().is_empty());
        assert!(!live(&others[0]).await && live(&others[1]).await);
        revoke(&others[1]).await;
        assert!(!live(&others[1]).await && live(&token).await);
        revoke(&token).await.forgets();
        assert!(!live(&token).await);
    }
}

#[tokio::test]
async fn the_list_is_for_recent_sign_ins() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    world.clock.advance(TimeDelta::days(1));
    let got = world.get_as(&token, "/list-sessions").await;
    got.is(403, r#"{"message":"Session is not fresh","code":"SESSION_NOT_FRESH"}"#);
}

#[tokio::test]
async fn the_list_has_the_last_use_of_sessions() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    world.clock.advance(TimeDelta::minutes(5));
    world.sign_in("ada@example.com", json!({})).await;
    world.clock.advance(TimeDelta::minutes(5));
    let listed = world.get_as(&token, "/list-sessions").await.json();
    assert_eq!(listed[0]["lastUsedAt"], "2026-11-20T22:28:00.970Z");
    assert_eq!(listed[1]["lastUsedAt"], "2026-11-20T22:23:00.970Z");
}

#[tokio::test]
async fn all_others_or_all_sessions_end_together() {
    let world = World::start().await;
    let first = world.sign_up("ada@example.com").await;
    let second = world.sign_in("ada@example.com", json!({})).await;
    let live = async |token: &str| world.get_as(token, "/get-session").await.json().is_object();
    let others = world.post_as(&first, "/revoke-other-sessions", &json!({})).await;
    others.is(200, r#"{"status":true}"#);
    assert!(others.cookies().is_empty());
    assert!(live(&first).await && !live(&second.token()).await);
    let third = world.sign_in("ada@example.com", json!({})).await;
    let headers = [("cookie", third.cookie()), ("origin", TRUSTED)];
    let all = world.post("/revoke-sessions", &headers, &json!({})).await;
    all.is(200, r#"{"status":true}"#);
    all.forgets();
    assert!(!live(&first).await && !live(&third.token()).await);
}

#[tokio::test]
async fn the_copy_of_a_session_is_a_signed_jwt() {
    let cookie_cache = Some(Duration::from_mins(5));
    let world = World::with(Setting { cookie_cache, ..Setting::default() }).await;
    let up = json!({ "name": "Ada", "email": "ada@example.com", "password": "correct horse" });
    let up = world.post("/sign-up/email", &[], &up).await;
    let token = up.token();
    let update = world.post_as(&token, "/update-user", &json!({ "name": "Ada L." })).await;
    let brief = world.sign_in("ada@example.com", json!({ "rememberMe": false })).await;
    let seen = world.get_as(&token, "/get-session").await;
    for (got, name, place) in [(&up, "Ada", 1), (&update, "Ada L.", 1), (&seen, "Ada L.", 0)] {
        let cookie = got.cookies()[place];
        let (pair, rest) = cookie.split_once("; ").expect("attributes");
        assert_eq!(rest, "Max-Age=300; Path=/; HttpOnly; SameSite=Lax");
        let jwt = pair.strip_prefix("better-auth.session_data=").expect("the copy");
        let claims = decode(jwt);
        let (message, tag) = jwt.rsplit_once('.').expect("three parts");
        assert!(world.keys.verifies(message, tag));
        let now = 1_795_213_080_i64;
        assert_eq!(claims["session"]["token"], token);
        assert_eq!(claims["session"]["expiresAt"], "2026-11-27T22:18:00.970Z");
        assert_eq!(claims["session"], world.get_as(&token, "/get-session").await.json()["session"]);
        assert_eq!(
            (&claims["user"]["name"], &claims["sub"]),
            (&json!(name), &claims["user"]["id"])
        );
        assert_eq!((&claims["iat"], &claims["exp"]), (&json!(now), &json!(now + 300)));
        assert_eq!(
            (&claims["updatedAt"], &claims["version"]),
            (&json!(now * 1000 + 970), &json!("1"))
        );
        assert!(claims.get("aud").is_none() && claims.get("iss").is_none());
        // It contains a session token: services must not take it for an access token.
        assert!(world.verifier.verify(jwt).is_err());
    }
    assert!(brief.cookies()[2].starts_with("better-auth.session_data="));
    assert!(
        brief.cookies()[2].ends_with("; Path=/; HttpOnly; SameSite=Lax")
            && !brief.cookies()[2].contains("Max-Age")
    );
    // It never replaces the database.
    world.post_as(&token, "/sign-out", &json!({})).await;
    let cookie = format!("{}; {}", up.cookie(), up.cookies()[1].split(';').next().expect("a pair"));
    world.get("/get-session", &[("cookie", &cookie)]).await.is(200, "null");

    let big = json!({ "image": format!("https://example.com/{}", "x".repeat(2000)), "name": "é".repeat(200) });
    let token = brief.token();
    world.sql(&format!(r#"UPDATE "user" SET "email" = '{}@example.com'"#, "e".repeat(600))).await;
    let got = world.post_as(&token, "/update-user", &big).await;
    assert!(
        got.cookies().iter().all(|cookie| !cookie.contains("session_data")),
        "too long to be kept"
    );
    assert_eq!((got.status, got.cookies().len()), (200, 2));
}

fn decode(jwt: &str) -> Value {
    let parts: Vec<_> = jwt.split('.').collect();
    assert_eq!((parts.len(), parts[0]), (3, "eyJhbGciOiJIUzI1NiJ9"));
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(parts[1]).expect("base64url")).expect("JSON")
}
