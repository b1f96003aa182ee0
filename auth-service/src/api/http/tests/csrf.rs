//! Csrf protection.

use serde_json::json;

use super::world::{OWN, PASSWORD, TRUSTED, World};

const MISSING: &str = r#"{"message":"Missing or null Origin","code":"MISSING_OR_NULL_ORIGIN"}"#;
const FOREIGN: &str = r#"{"message":"Invalid origin","code":"INVALID_ORIGIN"}"#;
const BLOCKED: &str = r#"{"message":"Cross-site navigation login blocked. This request appears to be a CSRF attack.","code":"CROSS_SITE_NAVIGATION_LOGIN_BLOCKED"}"#;

/// Headers of a request, and its error.
type Case = (&'static [(&'static str, &'static str)], Option<&'static str>);

const SITES: &[Case] = &[
    (&[("origin", OWN)], None),
    (&[("origin", TRUSTED)], None),
    (&[("origin", "HTTP://LocalHost:3000")], None),
    (&[("referer", "http://localhost:3000/page?x=1")], None),
    (&[("origin", ""), ("referer", "http://localhost:3000/page")], None),
    (&[("origin", "https://shop.example.org")], None),
    (&[("origin", "https://evil-example.org")], Some(FOREIGN)),
    (&[("expo-origin", "myapp://home")], None),
    (&[("expo-origin", "other://home")], Some(FOREIGN)),
    (&[("expo-origin", "myapp://"), ("origin", "https://evil.example")], Some(FOREIGN)),
    (&[("expo-origin", "other://"), ("referer", TRUSTED)], Some(FOREIGN)),
    (&[("origin", "https://evil.example")], Some(FOREIGN)),
    (&[("origin", "http://localhost:3000.evil.example")], Some(FOREIGN)),
    (&[("origin", "http://localhost:30000")], Some(FOREIGN)),
    (&[("origin", "https://localhost:3000")], Some(FOREIGN)),
    (&[("origin", "http://localhost")], Some(FOREIGN)),
    (&[("origin", "http://localhost:3000@evil.example")], Some(FOREIGN)),
    (&[("origin", "http://localhost:03000")], Some(FOREIGN)),
    (&[("origin", "http://localhost:3000:*")], Some(FOREIGN)),
    (&[("origin", TRUSTED), ("origin", "https://evil.example")], Some(FOREIGN)),
    (&[("origin", "https://evil.example"), ("referer", TRUSTED)], Some(FOREIGN)),
    (&[("referer", "https://evil.example/?http://localhost:3000")], Some(FOREIGN)),
    (&[("origin", "null")], Some(MISSING)),
    (&[("origin", "null"), ("referer", TRUSTED)], Some(MISSING)),
    (&[("origin", "null"), ("sec-fetch-site", "same-origin")], Some(MISSING)),
];

#[tokio::test]
async fn a_write_with_cookies_needs_a_trusted_origin() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let signed_in = world.sign_in("ada@example.com", json!({})).await;
    let without: Case = (&[], Some(MISSING));
    for (headers, refused) in SITES.iter().chain([&without]) {
        for cookie in [signed_in.cookie(), "theme=dark"] {
            let headers = [*headers, &[("cookie", cookie)]].concat();
            let got = world.post("/update-user", &headers, &json!({ "name": "Q" })).await;
            match refused {
                Some(words) => got.is(403, words),
                None if cookie == "theme=dark" => assert_eq!(got.status, 401, "{headers:?}"),
                None => got.is(200, r#"{"status":true}"#),
            }
        }
    }
    for (path, body) in [
        ("/sign-up/email", json!({})),
        ("/sign-in/email", json!({ "email": "ada@example.com", "password": PASSWORD })),
        ("/sign-out", json!({})),
        ("/get-session", json!({})),
        ("/change-password", json!({})),
        ("/verify-password", json!({})),
        ("/revoke-session", json!({})),
        ("/revoke-sessions", json!({})),
        ("/revoke-other-sessions", json!({})),
        ("/delete-user", json!({})),
    ] {
        world.post(path, &[("cookie", signed_in.cookie())], &body).await.is(403, MISSING);
    }
    // Reading needs none: no page of another site sees the response.
    let foreign = [("cookie", signed_in.cookie()), ("origin", "https://evil.example")];
    assert!(world.get("/get-session", &foreign).await.json().is_object());
}

/// A developer's browser may be at either name of the machine; those elsewhere are at none of them.
#[tokio::test]
async fn the_names_of_a_developers_machine_are_one_site_for_the_machine_itself() {
    let mut world = World::start().await;
    world.sign_up("ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    for (peer, is_local) in [("127.0.0.1", true), ("::1", true), ("192.0.2.1", false)] {
        world.peer = Some(peer.parse().expect("an address"));
        for (origin, is_own) in [
            ("http://localhost:4101", true),
            ("http://[::1]:4101", true),
            ("http://localhost:4102", false),
            ("https://localhost:4101", false),
            ("http://localhost.example.com:4101", false),
        ] {
            let got = world.post("/sign-in/email", &[("origin", origin)], &body).await;
            let expected = if is_local && is_own { 200 } else { 403 };
            assert_eq!(got.status, expected, "{origin} from {peer}");
        }
    }
}

#[tokio::test]
async fn signing_in_without_cookies_is_for_servers_and_trusted_sites() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD });
    let navigation = [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    let own: &[Case] = &[
        (&[], None),
        (&[("sec-fetch-mode", "cors")], None),
        (&[("sec-fetch-site", "same-origin"), ("sec-fetch-mode", "cors")], None),
        (&[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], Some(BLOCKED)),
    ];
    for (headers, refused) in SITES.iter().chain(own) {
        let got = world.post("/sign-in/email", headers, &body).await;
        match refused {
            Some(words) => got.is(403, words),
            None => drop(got.token()),
        }
    }
    let trusted = [&navigation[..], &[("origin", TRUSTED)]].concat();
    world.post("/sign-in/email", &trusted, &body).await.is(403, BLOCKED);
    world.post("/sign-up/email", &navigation, &json!({})).await.is(403, BLOCKED);
    world
        .post("/sign-up/email", &[("origin", "https://evil.example")], &json!({}))
        .await
        .is(403, FOREIGN);
    // A browser does not send a bearer token by itself.
    let token = world.sign_up("bob@example.com").await;
    let headers =
        [("authorization", &*format!("Bearer {token}")), ("origin", "https://evil.example")];
    world
        .post("/update-user", &headers, &json!({ "name": "Q" }))
        .await
        .is(200, r#"{"status":true}"#);
}

#[tokio::test]
async fn no_client_is_redirected_to_a_foreign_site() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    for url in ["/", "/a-b_c.d+e/@f?x=1&y=%2F", "http://localhost:3000/deep?x", OWN, ""] {
        let got = world.sign_in("ada@example.com", json!({ "callbackURL": url })).await;
        assert_eq!(got.status, 200, "{url}");
        assert_eq!(got.header("location"), Some(url).filter(|url| !url.is_empty()));
        assert_eq!(got.json()["url"], url);
        assert_eq!(got.json()["redirect"], !url.is_empty());
    }
    let refused = r#"{"message":"Invalid callbackURL","code":"INVALID_CALLBACK_URL"}"#;
    for url in [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/%2fevil.example",
        "/%5cevil.example",
        "\\\\evil.example",
        "evil.example",
        "javascript:alert(1)",
        "http://localhost:3000.evil.example",
        "http://localhost:3000@evil.example/",
        "http://localhost:3000\\@evil.example/",
        "/a\r\nset-cookie: x=y",
        " /a",
        "/ä",
        "/a#b",
        "data:text/html,x",
    ] {
        world.sign_in("ada@example.com", json!({ "callbackURL": url })).await.is(403, refused);
    }
    let body = json!({ "name": "B", "email": "b@example.com", "password": PASSWORD, "callbackURL": "//x.y" });
    world.post("/sign-up/email", &[], &body).await.is(403, refused);
    assert_eq!(world.sign_in("b@example.com", json!({})).await.status, 401);
    world.post("/delete-user", &[], &json!({ "callbackURL": "//x.y" })).await.is(403, refused);
}
