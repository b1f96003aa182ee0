//! Tests of sign-up, sign-in and sign-out.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;
use shared::auth::Principal;

use super::world::{PASSWORD, Setting, TRUSTED, World};

/// `dont_remember`, captured.
const DONT_REMEMBER: &str = "better-auth.dont_remember=true.AUv3VTBi0CnXIgBBtTGNWRs5BRduK9gZAOpFZvFmfm4%3D; \
                             Path=/; HttpOnly; SameSite=Lax";

#[tokio::test]
async fn a_new_user_gets_a_session_in_every_form() {
    let world = World::start().await;
    let body = json!({
        "name": "Ada Lovelace", "email": "Ada@Example.com", "password": PASSWORD,
        "role": "admin", "emailVerified": true, "id": "evil",
    });
    let got = world.post("/sign-up/email", &[], &body).await;
    let token = got.token();
    let id = got.json()["user"]["id"].as_str().expect("an id").to_owned();
    assert_eq!((token.len(), id.len()), (32, 32));
    got.is(
        200,
        &format!(
            r#"{{"token":"{token}","user":{{"name":"Ada Lovelace","email":"ada@example.com","emailVerified":false,"image":null,"createdAt":"2026-11-20T22:18:00.970Z","updatedAt":"2026-11-20T22:18:00.970Z","id":"{id}"}}}}"#
        ),
    );
    assert_eq!(got.header("content-type"), Some("application/json"));

    let signed = got.header("set-auth-token").expect("a signed token");
    let signature = signed.strip_prefix(&format!("{token}.")).expect("its own token");
    assert_eq!(signature.len(), 44);
    assert_eq!(STANDARD.decode(signature).expect("base64").len(), 32);
    let encoded = signed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let cookie = format!(
        "better-auth.session_token={encoded}; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"
    );
    assert_eq!(got.cookies(), [cookie]);

    let jwt = got.header("set-auth-jwt").expect("an access token");
    let principal: Principal = world.verifier.verify(jwt).expect("accepted");
    assert_eq!(principal.user().as_str(), id);
    for credential in [&*token, signed, &*encoded] {
        let got = world.get_as(credential, "/get-session").await;
        assert_eq!(got.json()["user"]["id"], id, "{credential}");
    }
    let got = world.get("/get-session", &[("cookie", got.cookie())]).await;
    assert_eq!(got.json()["session"]["token"], token);
}

#[tokio::test]
async fn an_html_form_signs_up_and_in() {
    let world = World::start().await;
    let form = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
    let body = "name=Form&email=form%40example.com&password=correct+horse";
    world.call("POST", "/sign-up/email", &form, body).await.token();
    world.call("POST", "/sign-in/email", &form, &body[10..]).await.token();
}

#[tokio::test]
async fn signing_in_tells_where_to_go_next() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let got = world.sign_in("ADA@example.com", json!({})).await;
    assert!(got.body.starts_with(r#"{"redirect":false,"token":""#), "{}", got.body);
    assert!(got.json().get("url").is_none() && got.header("location").is_none());
    for url in ["/dashboard", "http://localhost:3000/x?y=1"] {
        let got = world.sign_in("ada@example.com", json!({ "callbackURL": url })).await;
        assert_eq!((&got.json()["redirect"], &got.json()["url"]), (&json!(true), &json!(url)));
        assert_eq!(got.header("location"), Some(url));
    }
}

#[tokio::test]
async fn without_remember_me_a_session_is_brief() {
    let world = World::start().await;
    let body = json!({ "name": "R", "email": "rm@example.com", "password": PASSWORD, "rememberMe": false });
    let up = world.post("/sign-up/email", &[], &body).await;
    let again = world.sign_in("rm@example.com", json!({ "rememberMe": false })).await;
    for got in [up, again] {
        let token_cookie = format!("{}; Path=/; HttpOnly; SameSite=Lax", got.cookie());
        assert_eq!(got.cookies(), [&token_cookie, DONT_REMEMBER]);
        let session = world.get_as(&got.token(), "/get-session").await;
        assert_eq!(session.json()["session"]["expiresAt"], "2026-11-21T22:18:00.970Z");
        // A renewed cookie has the same attributes.
        let update = world.post_as(&got.token(), "/update-user", &json!({ "name": "Q" })).await;
        assert_eq!(update.cookies(), [&token_cookie, DONT_REMEMBER]);
    }
    let remembered = world.sign_in("rm@example.com", json!({ "rememberMe": true })).await;
    assert!(remembered.cookies()[0].contains("Max-Age=604800"));
}

#[tokio::test]
async fn over_tls_the_cookies_are_kept_to_tls() {
    let world =
        World::with(Setting { own: "https://auth.example.com", ..Setting::default() }).await;
    let token = world.sign_up("ada@example.com").await;
    let got = world.sign_in("ada@example.com", json!({})).await;
    let cookie = got.cookies()[0];
    assert!(cookie.starts_with("__Secure-better-auth.session_token="), "{cookie}");
    assert!(
        cookie.ends_with("; Max-Age=604800; Path=/; HttpOnly; Secure; SameSite=Lax"),
        "{cookie}"
    );
    assert!(world.get("/get-session", &[("cookie", got.cookie())]).await.json().is_object());
    // Without TLS an attacker on the way could set one of the other name.
    let plain = got.cookie().replace("__Secure-", "");
    world.get("/get-session", &[("cookie", &plain)]).await.is(200, "null");
    let out = world.post_as(&token, "/sign-out", &json!({})).await;
    let names = ["session_token", "session_data", "dont_remember"];
    let expired = names.map(|name| {
        format!("__Secure-better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Lax")
    });
    assert_eq!(out.cookies(), expired);
}

#[tokio::test]
async fn browsers_are_told_to_keep_to_tls_where_their_address_has_it() {
    let day = Some(std::time::Duration::from_hours(24));
    for (own, hsts_max_age, sent) in [
        ("https://auth.example.com", day, Some("max-age=86400")),
        ("https://auth.example.com", None, None),
        ("http://auth.example.com", day, None),
        ("https://localhost:8443", day, None),
    ] {
        let world = World::with(Setting { own, hsts_max_age, ..Setting::default() }).await;
        let wrong = json!({ "email": "ada@example.com", "password": "wrong horse" });
        for answer in [
            world.get("/ok", &[]).await,
            world.get("/nowhere", &[]).await,
            world.post("/sign-in/email", &[], &wrong).await,
        ] {
            let header = answer.header("strict-transport-security");
            assert_eq!(header, sent, "{own}");
        }
    }
}

#[tokio::test]
async fn signing_out_ends_the_session_and_never_fails() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let other = world.sign_in("ada@example.com", json!({})).await;
    let by_cookie = [("cookie", other.cookie()), ("origin", TRUSTED)];
    for headers in [&by_cookie[..], &[("authorization", &*format!("Bearer {token}"))]] {
        for _ in 0..2 {
            let got = world.post("/sign-out", headers, &json!({})).await;
            got.is(200, r#"{"success":true}"#);
            got.forgets();
        }
    }
    for token in [token, other.token()] {
        world.get_as(&token, "/get-session").await.is(200, "null");
    }
    let nobody = world.call("POST", "/sign-out", &[], "").await;
    nobody.is(200, r#"{"success":true}"#);
    nobody.forgets();
}
