//! What a session is good for.

use prost::Message;
use proto::auth::v1::{
    ChangePasswordRequest, ChangePasswordResponse, DeleteUserRequest, DeleteUserResponse,
    ExportUserDataResponse, GetSessionResponse, GetTokenResponse, ListSecurityEventsRequest,
    ListSecurityEventsResponse, ListSessionsResponse, RefreshSessionResponse,
    RevokeOtherSessionsResponse, RevokeSessionRequest, RevokeSessionResponse,
    RevokeSessionsResponse, Session, SignOutResponse, UpdateUserRequest, UpdateUserResponse,
    VerifyPasswordRequest, VerifyPasswordResponse,
};
use serde_json::{Value, json};
use tonic::Status;

use super::{
    Call,
    refusal::{Fields, assert_says, no_session},
    responses,
};
use crate::wire::{
    security_event::{self, Spelling},
    with_evidence,
};

/// Answers an rpc of `SessionService`.
pub async fn session(call: &Call, rpc: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
    let done = json!({ "status": true });
    Ok(match rpc {
        "GetSession" => current(call).await?.encode_to_vec(),
        "GetToken" => {
            let body = call.get("/token").await?.json();
            responses::assert_members(&body, &["token"]);
            let access_token = Some(responses::access_token(&responses::text(&body, "token")));
            GetTokenResponse { access_token }.encode_to_vec()
        }
        "SignOut" => {
            let reply = call.post("/sign-out", &json!({}), &Fields::NONE).await?;
            assert_says(&reply, &json!({ "success": true }));
            SignOutResponse {}.encode_to_vec()
        }
        "ListSessions" => {
            let sessions = listed(call).await?.into_iter().map(|(session, _)| session).collect();
            ListSessionsResponse { sessions }.encode_to_vec()
        }
        "RefreshSession" => refresh(call).await?.encode_to_vec(),
        "RevokeSession" => {
            let RevokeSessionRequest { session_id } = decoded(message);
            let token = handle(call, &session_id).await?;
            let body = json!({ "token": token });
            assert_says(&call.post("/revoke-session", &body, &Fields::NONE).await?, &done);
            RevokeSessionResponse {}.encode_to_vec()
        }
        "RevokeSessions" => {
            assert_says(&call.post("/revoke-sessions", &json!({}), &Fields::NONE).await?, &done);
            RevokeSessionsResponse {}.encode_to_vec()
        }
        "RevokeOtherSessions" => {
            let reply = call.post("/revoke-other-sessions", &json!({}), &Fields::NONE).await?;
            assert_says(&reply, &done);
            RevokeOtherSessionsResponse {}.encode_to_vec()
        }
        "ListSecurityEvents" => {
            let ListSecurityEventsRequest { page_size, page_token } = decoded(message);
            let query = security_event::query(page_size, &page_token, Spelling::Camel);
            let reply = call.get(&format!("/list-security-events?{query}")).await?;
            let (events, next_page_token) = security_event::events(&reply.json(), Spelling::Camel);
            ListSecurityEventsResponse { events, next_page_token }.encode_to_vec()
        }
        "UpdateUser" => {
            let reply = call.post("/update-user", &update(decoded(message)), &Fields::NONE).await?;
            assert_says(&reply, &done);
            UpdateUserResponse { user: current(call).await?.user }.encode_to_vec()
        }
        "ChangePassword" => change_password(call, decoded(message)).await?.encode_to_vec(),
        "VerifyPassword" => {
            let VerifyPasswordRequest { password } = decoded(message);
            let body = json!({ "password": password });
            assert_says(&call.post("/verify-password", &body, &Fields::PASSWORD).await?, &done);
            VerifyPasswordResponse {}.encode_to_vec()
        }
        "DeleteUser" => {
            let DeleteUserRequest { password } = decoded(message);
            let body = password.map_or(json!({}), |password| json!({ "password": password }));
            let reply = call.post("/delete-user", &body, &Fields::PASSWORD).await?;
            assert_says(&reply, &json!({ "success": true, "message": "User deleted" }));
            DeleteUserResponse {}.encode_to_vec()
        }
        "ExportUserData" => {
            let reply = call.get("/export-user-data").await?;
            assert!(reply.text("content-disposition").starts_with("attachment;"), "{reply:?}");
            ExportUserDataResponse { chunk: reply.body.to_vec() }.encode_to_vec()
        }
        _ => panic!("{rpc} has no route that this adapter knows"),
    })
}

fn decoded<M: Message + Default>(message: &[u8]) -> M {
    M::decode(message).expect("the message of this rpc")
}

/// The caller's session and user. Better Auth sends `null` where there is none.
pub async fn current(call: &Call) -> Result<GetSessionResponse, Status> {
    let reply = call.get("/get-session").await?;
    let body = reply.json();
    if body.is_null() {
        return Err(with_evidence(no_session(&call.metadata), &reply));
    }
    responses::assert_members(&body, &["session", "user"]);
    let (session, token) = responses::session(&body["session"]);
    assert!(call.is_credential(&token), "the caller's own session");
    responses::access_token(reply.text("set-auth-jwt"));
    let session = Session { current: true, ..session };
    Ok(GetSessionResponse { session: Some(session), user: Some(responses::user(&body["user"])) })
}

/// The session with its new token: in the body, signed in a header and in a cookie.
async fn refresh(call: &Call) -> Result<RefreshSessionResponse, Status> {
    let reply = call.post("/refresh-session", &json!({}), &Fields::NONE).await?;
    let body = reply.json();
    responses::assert_members(&body, &["session", "token", "user"]);
    let session_token = responses::text(&body, "token");
    let (session, token) = responses::session(&body["session"]);
    assert!(token == session_token && !call.is_credential(&token), "a new token");
    let signed = reply.text("set-auth-token");
    assert!(signed.starts_with(&format!("{session_token}.")), "{reply:?}");
    let cookie = reply.text("set-cookie");
    assert!(cookie.starts_with(&format!("better-auth.session_token={session_token}.")));
    Ok(RefreshSessionResponse {
        user: Some(responses::user(&body["user"])),
        session_token,
        access_token: Some(responses::access_token(reply.text("set-auth-jwt"))),
        session: Some(Session { current: true, ..session }),
    })
}

/// The sessions and their handles, newest first as the rpc gives them; Better Auth lists the
/// oldest first. The caller's own comes with its token.
async fn listed(call: &Call) -> Result<Vec<(Session, String)>, Status> {
    let body = call.get("/list-sessions").await?.json();
    let mut sessions: Vec<_> =
        body.as_array().expect("a list").iter().map(responses::listed_session).collect();
    sessions.reverse();
    for (session, token) in &mut sessions {
        session.current = call.is_credential(token);
    }
    let own = sessions.iter().filter(|(session, _)| session.current).count();
    assert_eq!(own, 1, "the caller's session is listed once");
    Ok(sessions)
}

/// The handle of the session with this id. Where the caller has no such session, the id
/// itself, which is the handle of none.
async fn handle(call: &Call, id: &str) -> Result<String, Status> {
    let sessions = listed(call).await?;
    let found = sessions.into_iter().find(|(session, _)| session.id == id);
    Ok(found.map_or(id.to_owned(), |(_, token)| token))
}

/// An empty picture is none, which is `null` here.
fn update(message: UpdateUserRequest) -> Value {
    let mut body = json!({});
    if let Some(name) = message.name {
        body["name"] = json!(name);
    }
    if let Some(image) = message.image {
        body["image"] = if image.is_empty() { Value::Null } else { json!(image) };
    }
    body
}

async fn change_password(
    call: &Call,
    message: ChangePasswordRequest,
) -> Result<ChangePasswordResponse, Status> {
    let body = json!({
        "currentPassword": message.current_password,
        "newPassword": message.new_password,
        "revokeOtherSessions": message.revoke_other_sessions,
    });
    let reply = call.post("/change-password", &body, &Fields::NEW_PASSWORD).await?;
    let body = reply.json();
    responses::assert_members(&body, &["token", "user"]);
    let session_token = body["token"].as_str().map(str::to_owned);
    let signed = reply.text("set-auth-token");
    match &session_token {
        Some(token) => assert!(signed.starts_with(&format!("{token}.")), "{reply:?}"),
        None => assert_eq!(signed, "", "{reply:?}"),
    }
    Ok(ChangePasswordResponse { user: Some(responses::user(&body["user"])), session_token })
}

impl Call {
    /// Whether the caller's credential is this token, signed or not.
    fn is_credential(&self, token: &str) -> bool {
        let value = self.metadata.get("authorization").and_then(|value| value.to_str().ok());
        let given = value.and_then(|value| value.split_once(' ')).map_or("", |(_, given)| given);
        given.split('.').next() == Some(token)
    }
}
