//! Tests of the account routes.

use chrono::TimeDelta;
use serde_json::json;

use super::world::{PASSWORD, TRUSTED, World};

const DONE: &str = r#"{"status":true}"#;
const WRONG: &str = r#"{"message":"Invalid password","code":"INVALID_PASSWORD"}"#;

#[tokio::test]
async fn a_name_and_a_picture_change_and_nothing_else() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let update = async |body| world.post_as(&token, "/update-user", &body).await;
    let user = async || world.get_as(&token, "/get-session").await.json()["user"].clone();

    let got = update(json!({ "name": "Ada L.", "image": "https://example.com/a.png" })).await;
    got.is(200, DONE);
    assert!(got.cookies()[0].starts_with(&format!("better-auth.session_token={token}.")));
    assert!(got.header("set-auth-token").expect("a token").starts_with(&token));
    assert_eq!(
        (&user().await["name"], &user().await["image"]),
        (&json!("Ada L."), &json!("https://example.com/a.png"))
    );
    update(json!({ "image": null })).await.is(200, DONE);
    assert_eq!((&user().await["name"], &user().await["image"]), (&json!("Ada L."), &json!(null)));

    let email = r#"{"message":"Email can not be updated","code":"EMAIL_CAN_NOT_BE_UPDATED"}"#;
    update(json!({ "email": "x@example.com" })).await.is(400, email);
    update(json!({ "name": "Q", "email": "x@example.com" })).await.is(400, email);
    for body in [json!({}), json!({ "nickname": "x" }), json!({ "emailVerified": true, "id": "x" })]
    {
        update(body).await.is(400, r#"{"message":"No fields to update"}"#);
    }
    for body in [
        json!({ "name": 5 }),
        json!({ "name": null }),
        json!({ "image": 5 }),
        json!({ "name": "a\u{0}b" }),
    ] {
        assert_eq!(update(body).await.status, 400);
    }
    assert_eq!(
        (&user().await["name"], &user().await["email"]),
        (&json!("Ada L."), &json!("ada@example.com"))
    );
}

#[tokio::test]
async fn a_password_changes_and_can_take_all_sessions_with_it() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let other = world.sign_in("ada@example.com", json!({})).await.token();
    let change = async |token: &str, current: &str, new: &str, revoke: bool| {
        let body = json!({ "currentPassword": current, "newPassword": new, "revokeOtherSessions": revoke });
        world.post_as(token, "/change-password", &body).await
    };
    change(&token, "bad bad bad", "new password 1", false).await.is(400, WRONG);
    change(&token, "", "new password 1", false).await.is(400, WRONG);
    let short = r#"{"message":"Password too short","code":"PASSWORD_TOO_SHORT"}"#;
    change(&token, PASSWORD, "abc", false).await.is(400, short);
    let common = change(&token, PASSWORD, "password1", false).await;
    assert_eq!((common.status, &common.json()["code"]), (400, &json!("PASSWORD_TOO_COMMON")));

    let got = change(&token, PASSWORD, "new password 1", false).await;
    assert!(got.body.starts_with(r#"{"token":null,"user":{"name":"Ada","#), "{}", got.body);
    assert!(got.cookies().is_empty());
    assert!(world.get_as(&other, "/get-session").await.json().is_object());

    let got = change(&token, "new password 1", "new password 2", true).await;
    let new = got.token();
    assert!(got.cookies()[0].starts_with(&format!("better-auth.session_token={new}.")));
    assert!(got.cookies()[0].contains("Max-Age=604800"));
    for dead in [&token, &other] {
        world.get_as(dead, "/get-session").await.is(200, "null");
    }
    let verify = async |password: &str| {
        world.post_as(&new, "/verify-password", &json!({ "password": password })).await
    };
    verify("new password 2").await.is(200, DONE);
    verify(PASSWORD).await.is(400, WRONG);
    verify("").await.is(400, WRONG);
}

#[tokio::test]
async fn a_brief_session_stays_brief_after_a_password_change() {
    let world = World::start().await;
    world.sign_up("ada@example.com").await;
    let token = world.sign_in("ada@example.com", json!({ "rememberMe": false })).await.token();
    let body = json!({ "currentPassword": PASSWORD, "newPassword": "new password 1", "revokeOtherSessions": true });
    let got = world.post_as(&token, "/change-password", &body).await;
    assert!(
        got.cookies().len() == 2 && !got.cookies()[0].contains("Max-Age"),
        "{:?}",
        got.cookies()
    );
    let session = world.get_as(&got.token(), "/get-session").await;
    assert_eq!(session.json()["session"]["expiresAt"], "2026-11-21T22:18:00.970Z");
}

#[tokio::test]
async fn an_account_goes_with_its_password_or_a_recent_sign_in() {
    let world = World::start().await;
    let deleted = r#"{"success":true,"message":"User deleted"}"#;
    let token = world.sign_up("ada@example.com").await;
    let delete = async |token: &str, body| world.post_as(token, "/delete-user", &body).await;
    for wrong in ["bad bad bad", ""] {
        delete(&token, json!({ "password": wrong })).await.is(400, WRONG);
    }
    let mailed = delete(&token, json!({ "token": "x", "password": PASSWORD })).await;
    mailed.is(404, r#"{"message":"Invalid token","code":"INVALID_TOKEN"}"#);
    world.clock.advance(TimeDelta::days(1));
    let old = r#"{"message":"Session expired. Re-authenticate to perform this action.","code":"SESSION_EXPIRED"}"#;
    delete(&token, json!({})).await.is(400, old);
    let got = delete(&token, json!({ "password": PASSWORD })).await;
    got.is(200, deleted);
    got.forgets();
    world.get_as(&token, "/get-session").await.is(200, "null");
    assert_eq!(world.sign_in("ada@example.com", json!({})).await.status, 401);

    world.sign_up("bob@example.com").await;
    let fresh = world.sign_in("bob@example.com", json!({})).await;
    let headers = [("cookie", fresh.cookie()), ("origin", TRUSTED)];
    world.post("/delete-user", &headers, &json!({})).await.is(200, deleted);
}

#[tokio::test]
async fn an_account_without_a_password_cannot_prove_one() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    world.sql(r#"UPDATE "account" SET "password" = NULL"#).await;
    let none =
        r#"{"message":"Credential account not found","code":"CREDENTIAL_ACCOUNT_NOT_FOUND"}"#;
    let body = json!({ "currentPassword": PASSWORD, "newPassword": "new password 1" });
    world.post_as(&token, "/change-password", &body).await.is(400, none);
    world.post_as(&token, "/delete-user", &json!({ "password": PASSWORD })).await.is(400, none);
}

#[tokio::test]
async fn accounts_are_listed_without_their_secrets() {
    let world = World::start().await;
    let token = world.sign_up("ada@example.com").await;
    let list = async || world.get_as(&token, "/list-accounts").await;
    let got = list().await;
    let (id, user) = (&got.json()[0]["id"], &got.json()[0]["userId"]);
    got.is(
        200,
        &format!(
            r#"[{{"accountId":{user},"providerId":"credential","userId":{user},"createdAt":"2026-11-20T22:18:00.970Z","updatedAt":"2026-11-20T22:18:00.970Z","id":{id},"scopes":[]}}]"#
        ),
    );
    world.sql(r#"UPDATE "account" SET "scope" = 'openid,email'"#).await;
    assert_eq!(list().await.json()[0]["scopes"], json!(["openid", "email"]));
}
