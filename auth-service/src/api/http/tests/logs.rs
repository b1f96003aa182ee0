//! Secrets stay out of the logs.

use std::{
    io,
    sync::{Arc, Mutex},
};

use http::HeaderValue;
use serde_json::json;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

use super::world::{PASSWORD, Setting, TRUSTED, World};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("unpoisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn nothing_secret_is_logged() {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new("info,auth_service=trace,server=trace,shared=trace"))
        .with_writer(lines.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let cookie_cache = Some(std::time::Duration::from_mins(5));
    let world = World::with(Setting { cookie_cache, ..Setting::default() }).await;
    let token = world.sign_up("ada@example.com").await;
    let signed_in = world.sign_in("ada@example.com", json!({})).await;
    let cookie = [("cookie", signed_in.cookie()), ("origin", TRUSTED)];
    world.post("/update-user", &cookie, &json!({ "name": "Q" })).await;
    world.sign_up_refused(&token).await;
    // A row that fits no token, and an unavailable database: both are logged.
    world.sql(r#"UPDATE "user" SET "name" = replace(hex(zeroblob(9000)), '00', 'n')"#).await;
    let got = world.get_as(&token, "/token").await;
    got.is(500, r#"{"message":"internal error","code":"INTERNAL_SERVER_ERROR"}"#);
    let got = world.get_as(&token, "/get-session").await;
    assert_eq!(
        (got.json()["session"]["token"].as_str(), got.header("set-auth-jwt")),
        (Some(&*token), None)
    );
    world.store.database().clone().close().await.expect("closes");
    assert_eq!(world.get("/get-session", &cookie).await.status, 503);

    let logged = String::from_utf8(lines.0.lock().expect("unpoisoned").clone()).expect("text");
    assert_eq!(logged.matches("internal error").count(), 2, "{logged}");
    assert_eq!(logged.matches("unavailable").count(), 1, "{logged}");
    let signature = signed_in.header("set-auth-token").expect("signed").split('.').nth(1);
    let secrets = [
        PASSWORD,
        &*token,
        &*signed_in.token(),
        signature.expect("a signature"),
        "ada@",
        "eyJhbGciOi",
        "salt",
    ];
    for secret in secrets {
        assert!(!logged.contains(secret), "{secret} is in {logged}");
    }
    for value in signed_in.headers.values().filter(|value| value.is_sensitive()) {
        assert_eq!(format!("{value:?}"), "Sensitive");
    }
    assert!(signed_in.headers.get_all("set-cookie").iter().all(HeaderValue::is_sensitive));
}

impl World {
    /// Sends requests that are refused.
    async fn sign_up_refused(&self, token: &str) {
        for body in [json!({ "email": "ada@example.com" }), json!([PASSWORD]), json!(null)] {
            self.post("/sign-up/email", &[], &body).await;
            self.post("/sign-in/email", &[("origin", "https://evil.example")], &body).await;
            self.post_as(token, "/change-password", &body).await;
        }
        let body = json!({ "currentPassword": "wrong", "newPassword": PASSWORD });
        assert_eq!(self.post_as(token, "/change-password", &body).await.status, 400);
    }
}
