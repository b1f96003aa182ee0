//! Rotation of the secret: an old one signs no client out, and what it signed is renewed.

use serde_json::json;
use shared::auth::{Keyring, Secret};

use super::world::{Setting, TRUSTED, World};
use crate::session_token::SessionToken;

const OLD: &str = "old-5a7d3e9b1c0f46288c1e07d2f4b39a65";

/// The signed form of `token` under the old secret.
fn aged(token: &str) -> String {
    let old = Keyring::new(&Secret::parse(OLD.to_owned()).expect("strong"), &[]);
    SessionToken::parse(token, &old).expect("a token").signed(&old).expect("signs").to_string()
}

#[tokio::test]
async fn what_the_old_secret_signed_is_accepted_and_signed_anew_on_use() {
    let world = World::with(Setting { old_secret: Some(OLD), ..Setting::default() }).await;
    let token = world.sign_up("ada@example.com").await;
    let cookie = format!("better-auth.session_token={}", aged(&token));
    let bearer = format!("Bearer {}", aged(&token));
    for held in [("cookie", cookie.as_str()), ("authorization", bearer.as_str())] {
        for path in ["/get-session", "/token", "/list-sessions"] {
            let got = world.get(path, &[held]).await;
            assert_eq!(got.status, 200, "{path}: {}", got.body);
            let renewed = got.header("set-auth-token").expect("the token again").to_owned();
            assert_ne!(renewed, aged(&token));
            assert!(renewed.starts_with(&token));
            assert!(got.cookie().starts_with("better-auth.session_token="));
            let kept = [("cookie", got.cookie()), ("origin", TRUSTED)];
            let again = world.get(path, &kept).await;
            assert_eq!(again.status, 200);
            assert!(again.cookies().is_empty() && again.header("set-auth-token").is_none());
        }
        // A request with `disableRefresh` renews nothing.
        let got = world.get("/get-session?disableRefresh=true", &[held]).await;
        assert!(got.json().is_object() && got.cookies().is_empty());
    }
    let headers = [("cookie", cookie.as_str()), ("origin", TRUSTED)];
    world.post("/sign-out", &headers, &json!({})).await.is(200, r#"{"success":true}"#);
    assert!(world.get("/get-session", &headers).await.json().is_null());
}

#[tokio::test]
async fn what_a_secret_signed_that_is_gone_is_refused() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let cookie = format!("better-auth.session_token={}", aged(&token));
    assert!(world.get("/get-session", &[("cookie", &cookie)]).await.json().is_null());
    assert_eq!(world.get_as(&aged(&token), "/token").await.status, 401);
    // The token itself depends on no secret.
    assert!(world.get_as(&token, "/get-session").await.json().is_object());
}
