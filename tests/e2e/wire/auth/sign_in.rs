//! Sign-up and sign-in over HTTP.

use http::HeaderMap;
use prost::Message;
use proto::auth::v1::{SignInRequest, SignInResponse, SignUpRequest, SignUpResponse};
use serde_json::json;
use tonic::Status;

use super::{
    Call,
    refusal::Fields,
    responses::{access_token, assert_members, text, user},
    session::current,
};
use crate::exchange::Reply;

/// Answers an rpc of `AuthService`.
pub async fn sign_in(call: &Call, rpc: &str, message: &[u8]) -> Result<Vec<u8>, Status> {
    match rpc {
        "SignUp" => {
            let asked = SignUpRequest::decode(message).expect("its message");
            let mut body =
                json!({ "name": asked.name, "email": asked.email, "password": asked.password });
            if let Some(image) = asked.image {
                body["image"] = json!(image);
            }
            let reply = call.post("/sign-up/email", &body, &Fields::PASSWORD).await?;
            assert_members(&reply.json(), &["token", "user"]);
            Ok(opened(call, &reply).await.encode_to_vec())
        }
        "SignIn" => {
            let asked = SignInRequest::decode(message).expect("its message");
            let body = json!({ "email": asked.email, "password": asked.password });
            let reply = call.post("/sign-in/email", &body, &Fields::PASSWORD).await?;
            assert_members(&reply.json(), &["redirect", "token", "user"]);
            assert_eq!(reply.json()["redirect"], false);
            let SignUpResponse { user, session_token, access_token, session } =
                opened(call, &reply).await;
            Ok(SignInResponse { user, session_token, access_token, session }.encode_to_vec())
        }
        _ => panic!("{rpc} has no route that this adapter knows"),
    }
}

/// A session that was just opened: its token in the body, signed in a header and in a
/// cookie, and an access token. The other fields of the rpc come from `get-session`.
async fn opened(call: &Call, reply: &Reply) -> SignUpResponse {
    let body = reply.json();
    let session_token = text(&body, "token");
    let signed = reply.text("set-auth-token");
    assert!(signed.starts_with(&format!("{session_token}.")), "{reply:?}");
    let cookie = reply.text("set-cookie");
    assert!(cookie.starts_with(&format!("better-auth.session_token={session_token}.")));
    assert!(cookie.ends_with("; Max-Age=604800; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    let user = user(&body["user"]);

    let mut metadata = HeaderMap::new();
    let bearer = format!("Bearer {session_token}");
    metadata.insert("authorization", bearer.parse().expect("a header value"));
    let seen = current(&Call { address: call.address, metadata }).await.expect("the session lives");
    assert!(seen.user.as_ref() == Some(&user), "one user, seen twice");
    SignUpResponse {
        user: Some(user),
        session_token,
        access_token: Some(access_token(reply.text("set-auth-jwt"))),
        session: seen.session,
    }
}
