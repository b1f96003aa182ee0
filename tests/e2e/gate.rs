//! Every rpc of every guarded service refuses who has no business there. The rpcs come
//! from the descriptors, so that a new one is covered the day it is declared.

use prost_types::field_descriptor_proto::Type;
use proto::task::v1::{WatchRemindersRequest, task_admin_service_client::TaskAdminServiceClient};
use serde_json::json;
use shared::clock::{Clock, SystemClock};
use tonic::{Code, transport::Channel};

use crate::{
    answer::Refused,
    caller::SignedIn,
    forge::{self, FOREIGN},
    raw::{self, INVALID, Rpc},
    scenarios::over_grpc_alone,
    world::{SECRET, URL, World, channel},
};

/// The one service whose credential is in the message.
const OPEN: &str = "auth.v1.AuthService";

/// The one service that other services call: its requests need not name a user, as no user's
/// tasks are read in a user's name.
const FOR_SERVICES: &str = "task.v1.TaskAdminService";

over_grpc_alone!(
    because "HTTP has routes, and tests of its own in `http`":
    no_guarded_rpc_looks_at_a_message_before_its_credential,
    a_session_that_has_ended_opens_no_rpc,
    no_claim_lifts_a_rule_of_the_gate,
    a_service_acts_for_no_user,
);

/// Which token a service asks for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Credential {
    Session,
    Access,
    Service,
}

fn guarded() -> Vec<Rpc> {
    raw::every_rpc().into_iter().filter(|rpc| rpc.service != OPEN).collect()
}

/// Where an rpc is served, and the credential it demands. A service of a new package is added here.
fn place(world: &World, rpc: &Rpc) -> (Channel, Credential) {
    if rpc.service == FOR_SERVICES {
        return (channel(world.tasks_grpc()), Credential::Service);
    }
    match rpc.service.split_once('.').map(|(package, _)| package) {
        Some("auth") => (channel(world.auth_grpc()), Credential::Session),
        Some("task") => (channel(world.tasks_grpc()), Credential::Access),
        _ => panic!("{} belongs to no service this test knows", rpc.service),
    }
}

/// Values of `authorization` with the reasons they are refused for.
pub fn refusals(asked: Credential, alice: &SignedIn) -> Vec<(Option<String>, &'static str)> {
    let id = alice.id();
    let mut cases = vec![
        (None, "MISSING_TOKEN"),
        (Some(String::new()), "INVALID_HEADER_FORMAT"),
        (Some("Bearer ".to_owned()), "INVALID_HEADER_FORMAT"),
        (Some("Basic YWxpY2U6cGFzcw==".to_owned()), "INVALID_HEADER_FORMAT"),
        (Some(alice.access_token.clone()), "INVALID_HEADER_FORMAT"),
        (Some(format!("Bearer {0} {0}", alice.access_token)), "INVALID_HEADER_FORMAT"),
    ];
    let mut bearer = |token: String, reason| cases.push((Some(format!("Bearer {token}")), reason));
    match asked {
        Credential::Access => {
            let good = &alice.access_token;
            bearer("garbage".into(), "MALFORMED_TOKEN");
            bearer(alice.session_token.clone(), "MALFORMED_TOKEN");
            bearer(forge::signed_session(SECRET, &alice.session_token), "MALFORMED_TOKEN");
            bearer("x".repeat(9000), "MALFORMED_TOKEN");
            bearer(forge::expired(SECRET, &id), "TOKEN_EXPIRED");
            bearer(forge::token(FOREIGN, &id, &json!({})), "INVALID_TOKEN_SIGNATURE");
            bearer(forge::unsigned(SECRET, &id), "INVALID_TOKEN_SIGNATURE");
            bearer(good[..good.rfind('.').unwrap_or_default()].to_owned(), "MALFORMED_TOKEN");
            bearer(forge::token(SECRET, &id, &json!({ "iss": "http://evil" })), "INVALID_ISSUER");
            bearer(forge::token(SECRET, &id, &json!({ "aud": [] })), "INVALID_AUDIENCE");
            bearer(forge::token(SECRET, &id, &json!({ "uid": "bob" })), "MISSING_UID_CLAIM");
            bearer(forge::token(SECRET, "service:auth-service", &json!({})), "MISSING_UID_CLAIM");
            // A service is no user: its token has no issuer.
            bearer(forge::service(SECRET, &json!({})), "INVALID_ISSUER");
        }
        Credential::Service => {
            let of = |changes| forge::service(SECRET, &changes);
            let now = SystemClock.now().timestamp();
            bearer("garbage".into(), "MALFORMED_TOKEN");
            bearer(alice.session_token.clone(), "MALFORMED_TOKEN");
            // A user's token lives longer than one that is made for a single call.
            bearer(alice.access_token.clone(), "MALFORMED_TOKEN");
            bearer(forge::token(SECRET, &id, &json!({ "exp": now + 60 })), "INVALID_AUDIENCE");
            bearer(of(json!({ "exp": now + 600 })), "MALFORMED_TOKEN");
            bearer(of(json!({ "iat": now - 120, "exp": now - 60 })), "TOKEN_EXPIRED");
            bearer(forge::service(FOREIGN, &json!({})), "INVALID_TOKEN_SIGNATURE");
            bearer(of(json!({ "aud": URL })), "INVALID_AUDIENCE");
            bearer(of(json!({ "aud": ["task-service/admin", URL] })), "INVALID_AUDIENCE");
            bearer(of(json!({ "sub": id.clone() })), "MISSING_UID_CLAIM");
            bearer(of(json!({ "uid": id.clone() })), "MISSING_UID_CLAIM");
            bearer(of(json!({ "sub": "service:" })), "MISSING_UID_CLAIM");
        }
        Credential::Session => {
            bearer("garbage".into(), "INVALID_SESSION");
            bearer(alice.access_token.clone(), "INVALID_SESSION");
            bearer(forge::token(SECRET, &id, &json!({})), "INVALID_SESSION");
            bearer(forge::token(FOREIGN, &id, &json!({})), "INVALID_SESSION");
            bearer(forge::expired(SECRET, &id), "INVALID_SESSION");
            bearer(forge::unsigned(SECRET, &id), "INVALID_SESSION");
            bearer(forge::signed_session(FOREIGN, &alice.session_token), "INVALID_SESSION");
        }
    }
    cases
}

async fn no_guarded_rpc_looks_at_a_message_before_its_credential(world: &World) {
    let alice = world.alice().await;
    for rpc in guarded() {
        let (channel, asked) = place(world, &rpc);
        for (authorization, reason) in refusals(asked, &alice) {
            let answer = raw::call(&channel, &rpc.path, authorization.as_deref(), INVALID).await;
            answer.refused(Code::Unauthenticated, reason);
        }
        // The same call with the right credential gets as far as its bytes.
        let good = match asked {
            Credential::Access => format!("Bearer {}", alice.access_token),
            Credential::Session => format!("Bearer {}", alice.session_token),
            Credential::Service => {
                format!("Bearer {}", forge::service(SECRET, &json!({})))
            }
        };
        let answer = raw::call(&channel, &rpc.path, Some(&good), INVALID).await;
        answer.refused(Code::InvalidArgument, "");
    }
}

async fn a_session_that_has_ended_opens_no_rpc(world: &World) {
    let alice = world.alice().await;
    let ended = world.stranger().sign_in("alice@example.com").await;
    let request = proto::auth::v1::SignOutRequest {};
    ended.sessions().sign_out(request).await.expect("signed out");
    let mut tried = 0;
    for rpc in guarded() {
        let (channel, asked) = place(world, &rpc);
        if asked == Credential::Session {
            let bearer = format!("Bearer {}", ended.session_token);
            let answer = raw::call(&channel, &rpc.path, Some(&bearer), &[]).await;
            answer.refused(Code::Unauthenticated, "INVALID_SESSION");
            tried += 1;
        }
    }
    assert!(tried >= 11, "{tried}");
    assert!(alice.session_lives().await);
}

async fn no_claim_lifts_a_rule_of_the_gate(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let powerful = json!({ "role": "admin", "scope": "*", "act": { "sub": bob.id() } });
    let token = forge::token(SECRET, &alice.id(), &powerful);
    let bearer = format!("Bearer {token}");
    for rpc in guarded() {
        let (channel, asked) = place(world, &rpc);
        if asked == Credential::Access {
            let answer = raw::call(&channel, &rpc.path, Some(&bearer), &naming(&bob.id())).await;
            answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
        }
    }
}

async fn a_service_acts_for_no_user(world: &World) {
    let alice = world.alice().await;
    let token = forge::service(SECRET, &json!({}));
    let channel = channel(world.tasks_grpc());
    let mut admin = TaskAdminServiceClient::new(channel);
    let mut request = tonic::Request::new(WatchRemindersRequest::default());
    let bearer = format!("Bearer {token}").parse().expect("a header value");
    request.metadata_mut().insert("authorization", bearer);
    request.metadata_mut().insert("x-user-id", alice.id().parse().expect("a header value"));
    let answer = admin.watch_reminders(request).await;
    answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
}

/// A message with `user_id = 1` and nothing else.
fn naming(user: &str) -> Vec<u8> {
    let length = u8::try_from(user.len()).expect("a short id");
    [&[0x0a, length], user.as_bytes()].concat()
}

#[test]
fn the_walk_sees_every_service_and_rpc() {
    let guarded = guarded();
    let of = |service: &str| guarded.iter().filter(|rpc| rpc.service == service).count();
    assert!(of("task.v1.TaskService") >= 14);
    assert!(of(FOR_SERVICES) >= 1);
    assert!(of("auth.v1.SessionService") >= 11);
    assert_eq!(of(OPEN), 0);
    assert_eq!(raw::every_rpc().len() - guarded.len(), 2, "a new open rpc needs a reason");
}

#[test]
fn every_request_about_tasks_names_its_user_in_field_one() {
    let about_tasks = raw::every_rpc().into_iter().filter(|rpc| rpc.service.starts_with("task."));
    for rpc in about_tasks.filter(|rpc| rpc.service != FOR_SERVICES) {
        let first = rpc.request.field.iter().find(|field| field.number() == 1);
        let first = first.unwrap_or_else(|| panic!("{} has no field 1", rpc.path));
        assert_eq!((first.name(), first.r#type()), ("user_id", Type::String), "{}", rpc.path);
    }
}
