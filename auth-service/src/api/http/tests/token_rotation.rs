//! Rotation of session tokens, by bearer and by cookie.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use super::world::{Got, Setting, TRUSTED, World};

const PATH: &str = "/refresh-session";

async fn refresh(world: &World, cookie: &str) -> Got {
    world.post(PATH, &[("cookie", cookie), ("origin", TRUSTED)], &json!({})).await
}

#[tokio::test]
async fn a_new_token_is_returned_as_at_sign_in() {
    let cookie_cache = Some(Duration::from_mins(5));
    let world = World::with(Setting { cookie_cache, ..Setting::default() }).await;
    world.sign_up("ada@example.com").await;
    for remember in [true, false] {
        let signed_in = world.sign_in("ada@example.com", json!({ "rememberMe": remember })).await;
        let got = world.post_as(&signed_in.token(), PATH, &json!({})).await;
        let token = got.token();
        assert_ne!(token, signed_in.token());
        let seen = world.get_as(&token, "/get-session").await.json();
        let answer = got.json();
        assert_eq!((&answer["session"], &answer["user"]), (&seen["session"], &seen["user"]));
        assert_eq!(answer["session"]["token"], token);
        // The same cookies with the same attributes, but for what they hold.
        let attributes = |got: &Got| -> Vec<String> {
            let named = |cookie: &&str| {
                let (pair, rest) = cookie.split_once(';').expect("attributes");
                format!("{};{rest}", pair.split('=').next().expect("a name"))
            };
            got.cookies().iter().map(named).collect()
        };
        assert_eq!(attributes(&got), attributes(&signed_in));
        let signed = got.header("set-auth-token").expect("the token, signed");
        assert!(signed.starts_with(&format!("{token}.")));
        let jwt = got.header("set-auth-jwt").expect("an access token");
        assert!(world.verifier.verify(jwt).is_ok());
        let by_cookie = world.get("/get-session", &[("cookie", got.cookie())]).await;
        assert_eq!(by_cookie.json()["session"]["token"], token);
    }
}

#[tokio::test]
async fn a_browser_is_never_given_a_replaced_token_again() {
    for cookie_cache in [None, Some(Duration::from_mins(5))] {
        let world = World::with(Setting { cookie_cache, ..Setting::default() }).await;
        world.sign_up("ada@example.com").await;
        let old = world.sign_in("ada@example.com", json!({})).await;
        world.clock.advance(TimeDelta::days(1) - TimeDelta::seconds(1));
        let new = refresh(&world, old.cookie()).await;
        // Now the session is due to be extended, which would renew the cookie.
        world.clock.advance(TimeDelta::seconds(1));
        // A late response has brought the old cookie back: the next one corrects that.
        let headers = [("cookie", old.cookie()), ("origin", TRUSTED)];
        for got in [
            world.get("/get-session", &headers).await,
            world.get("/token", &headers).await,
            world.post("/update-user", &headers, &json!({ "name": "Ada L." })).await,
            refresh(&world, old.cookie()).await,
        ] {
            assert_eq!(got.status, 200, "{}", got.body);
            assert_eq!(got.header("set-auth-token"), new.header("set-auth-token"));
            assert_eq!(got.cookies()[0], new.cookies()[0]);
            assert_eq!(got.cookies().len(), new.cookies().len());
        }
        let as_it_is = world.get("/get-session?disableRefresh=true", &headers).await;
        assert!(as_it_is.cookies().is_empty() && as_it_is.header("set-auth-token").is_none());
        let extended = world.get("/get-session", &[("cookie", new.cookie())]).await;
        assert_eq!(extended.cookies()[0], new.cookies()[0]);

        world.clock.advance(TimeDelta::seconds(9));
        for dead in [&old, &new] {
            let got = world.get("/get-session", &[("cookie", dead.cookie())]).await;
            got.is(200, "null");
            got.forgets();
        }
    }
}

#[tokio::test]
async fn a_client_without_a_live_session_gets_no_token() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let nobody = world.post(PATH, &[], &json!({})).await;
    assert_eq!((nobody.status, nobody.cookies().len()), (401, 0));
    for dead in ["garbage", &"x".repeat(32)] {
        let got = world.post_as(dead, PATH, &json!({})).await;
        assert_eq!(got.status, 401);
        got.forgets();
    }
    let cookie = refresh_cookie(&world).await;
    let foreign = [("cookie", &*cookie), ("origin", "https://evil.example")];
    assert_eq!(world.post(PATH, &foreign, &json!({})).await.status, 403);
    assert_eq!(world.get_as(&token, PATH).await.status, 404);
}

async fn refresh_cookie(world: &World) -> String {
    world.sign_in("ada@example.com", json!({})).await.cookie().to_owned()
}

#[tokio::test]
async fn a_session_that_is_ended_by_its_replaced_token_is_the_callers_own() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let successor = world.post_as(&token, PATH, &json!({})).await.token();
    world.post_as(&token, "/revoke-session", &json!({ "token": token })).await.forgets();
    world.get_as(&successor, "/get-session").await.is(200, "null");
    // Long after the rotation, when it is a handle and nothing else.
    let old = world.sign_in("ada@example.com", json!({})).await.token();
    let new = world.post_as(&old, PATH, &json!({})).await.token();
    world.clock.advance(TimeDelta::hours(1));
    world.post_as(&new, "/revoke-session", &json!({ "token": old })).await.forgets();
    world.get_as(&new, "/get-session").await.is(200, "null");
}
