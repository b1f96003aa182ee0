//! Restricted users, in Better Auth's words.

use serde_json::json;

use super::world::{Setting, TRUSTED, World};
use crate::restriction::{SecondFactor, SignInRules};

const BANNED: &str = r#"{"message":"You have been banned from this application. Please contact support if you believe this is an error.","code":"BANNED_USER"}"#;

/// A world whose tables have these columns.
async fn world_with(columns: &[&str], rules: SignInRules) -> World {
    let prepare = columns.iter().map(|column| format!(r#"ALTER TABLE "user" ADD COLUMN {column}"#));
    World::with(Setting { sign_in: rules, prepare: prepare.collect(), ..Setting::default() }).await
}

#[tokio::test]
async fn a_banned_user_is_refused_on_every_route_in_better_auths_words() {
    let world = world_with(&[r#""banned" integer"#], SignInRules::default()).await;
    let token = world.sign_up("ada@example.com").await;
    world.sql(r#"UPDATE "user" SET "banned" = 1"#).await;

    world.sign_in("ada@example.com", json!({})).await.is(403, BANNED);
    let wrong = json!({ "email": "ada@example.com", "password": "not the password" });
    let refused = world.post("/sign-in/email", &[], &wrong).await;
    assert_eq!(refused.status, 401, "only who knows the password is told");
    assert_eq!(refused.json()["code"], "INVALID_EMAIL_OR_PASSWORD");

    for path in ["/list-sessions", "/token", "/list-accounts", "/list-security-events"] {
        let got = world.get_as(&token, path).await;
        assert_eq!((got.status, &*got.body), (403, BANNED), "{path}");
        assert!(got.header("set-auth-jwt").is_none() && got.cookies().is_empty(), "{path}");
    }
    for (path, body) in [
        ("/refresh-session", json!({})),
        ("/update-user", json!({ "name": "Eve" })),
        ("/verify-password", json!({ "password": super::world::PASSWORD })),
        ("/revoke-sessions", json!({})),
        ("/delete-user", json!({ "password": super::world::PASSWORD })),
    ] {
        let got = world.post_as(&token, path, &body).await;
        assert_eq!((got.status, &*got.body), (403, BANNED), "{path}");
    }
    // Better Auth would have ended the session by now.
    for path in ["/get-session", "/get-session?disableRefresh=true"] {
        let got = world.get_as(&token, path).await;
        got.is(200, "null");
        got.forgets();
        assert!(got.header("set-auth-jwt").is_none());
    }

    world.sql(r#"UPDATE "user" SET "banned" = 0"#).await;
    assert!(world.get_as(&token, "/get-session").await.json().is_object(), "it was not ended");
    world.sql(r#"UPDATE "user" SET "banned" = 1"#).await;
    world.post_as(&token, "/sign-out", &json!({})).await.is(200, r#"{"success":true}"#);
    world.sql(r#"UPDATE "user" SET "banned" = 0"#).await;
    world.get_as(&token, "/get-session").await.is(200, "null");
}

#[tokio::test]
async fn an_account_with_a_second_factor_does_not_sign_in_unless_configured() {
    let column = [r#""twoFactorEnabled" integer"#];
    for (second_factor, status) in [(SecondFactor::Refuse, 403), (SecondFactor::Skip, 200)] {
        let rules = SignInRules { second_factor, ..SignInRules::default() };
        let world = world_with(&column, rules).await;
        let token = world.sign_up("ada@example.com").await;
        world.sql(r#"UPDATE "user" SET "twoFactorEnabled" = 1"#).await;
        let got = world.sign_in("ada@example.com", json!({})).await;
        assert_eq!(got.status, status, "{}", got.body);
        if status == 403 {
            assert_eq!(got.json()["code"], "TWO_FACTOR_REQUIRED");
            assert!(got.cookies().is_empty() && got.header("set-auth-token").is_none());
        }
        assert_eq!(world.get_as(&token, "/list-sessions").await.status, 200, "its session goes on");
    }
}

#[tokio::test]
async fn where_emails_must_be_verified_sign_up_is_disabled() {
    let rules = SignInRules { needs_verified_email: true, ..SignInRules::default() };
    let world = world_with(&[], rules).await;
    let body = json!({ "name": "Ada", "email": "ada@example.com", "password": "correct horse" });
    world.post("/sign-up/email", &[("origin", TRUSTED)], &body).await.is(
        400,
        r#"{"message":"Email and password sign up is not enabled","code":"EMAIL_PASSWORD_SIGN_UP_DISABLED"}"#,
    );
}
