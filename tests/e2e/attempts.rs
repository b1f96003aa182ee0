//! Rate limits. Callers come through a trusted proxy, which is
//! how these tests choose their addresses.

mod budget;
mod refusal;
mod right;

use std::sync::Arc;

use fixtures::Backend;
use http::Method;
use proto::auth::v1::{Session, SignInRequest, SignInResponse, User};
use serde_json::{Value, json};
use shared::clock::{Clock, ManualClock, SystemClock};
use tonic::{Code, Request, Status};

use crate::{
    caller::{SignedIn, Stranger},
    exchange::{HttpRequest, Reply},
    wire::{Transport, Wire},
    world::{World, channel},
};

const ADA: &str = "ada@example.com";
const WRONG: &str = "tulips and sun";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// A world with the limits as they come, and what is set beside them.
async fn world(backend: Backend, settings: &[(&'static str, &str)]) -> Option<World> {
    let on = [("ATTEMPT_LIMITS", "on"), ("TRUSTED_PROXIES", "127.0.0.1")];
    World::start_with(backend, Wire::Grpc, &[&on[..], settings].concat()).await
}

/// The world with a clock that stands still.
async fn still_world(settings: &[(&'static str, &str)]) -> (World, Arc<ManualClock>) {
    let on = [("ATTEMPT_LIMITS", "on"), ("TRUSTED_PROXIES", "127.0.0.1")];
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let settings = [&on[..], settings].concat();
    let world = World::start_at_with(Backend::Sqlite, Wire::Grpc, clock.clone(), &settings).await;
    (world.expect("SQLite is always there"), clock)
}

/// Ada, who has signed up from an address of her own.
async fn ada(world: &World) -> SignedIn {
    let from = [(FORWARDED_FOR, "198.51.100.250")];
    let body = json!({ "name": "Ada", "email": ADA, "password": crate::caller::PASSWORD });
    let reply = post(world, "/sign-up/email", &from, &body).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let token = reply.json()["token"].as_str().expect("a token").to_owned();
    let ways = Stranger::new(Transport::Grpc(channel(world.auth_grpc())), world.tasks());
    SignedIn {
        user: User::default(),
        session: Session::default(),
        session_token: token,
        access_token: String::new(),
        ways,
    }
}

async fn post(world: &World, path: &str, headers: &[(&'static str, &str)], body: &Value) -> Reply {
    let asked = HttpRequest::new(Method::POST, &format!("/api/auth{path}")).json(body);
    let asked = headers.iter().fold(asked, |asked, (name, value)| asked.header(name, value));
    asked.send(world.auth_http()).await
}

/// A message from this address.
fn from<T>(address: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert(FORWARDED_FOR, address.parse().expect("a header value"));
    request
}

/// A sign-in over gRPC.
async fn try_grpc(
    world: &World,
    address: &str,
    email: &str,
    password: &str,
) -> Result<SignInResponse, Status> {
    let credential = SignInRequest { email: email.into(), password: password.into() };
    let ways = Stranger::new(Transport::Grpc(channel(world.auth_grpc())), world.tasks());
    let answer = ways.accounts().sign_in(from(address, credential)).await;
    answer.map(tonic::Response::into_inner)
}

/// A sign-in over HTTP.
async fn try_http(world: &World, address: &str, email: &str, password: &str) -> Reply {
    let body = json!({ "email": email, "password": password });
    post(world, "/sign-in/email", &[(FORWARDED_FOR, address)], &body).await
}

/// What became of a sign-in, over either wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Became {
    SignedIn,
    Wrong,
    TooMany,
}

async fn sign_in(world: &World, wire: Wire, address: &str, email: &str, password: &str) -> Became {
    let code = match wire {
        Wire::Grpc => {
            let answer = try_grpc(world, address, email, password).await;
            answer.map_or_else(|status| status.code(), |_| Code::Ok)
        }
        Wire::Http => match try_http(world, address, email, password).await.status.as_u16() {
            200 => Code::Ok,
            401 => Code::Unauthenticated,
            429 => Code::ResourceExhausted,
            other => panic!("{other}"),
        },
    };
    match code {
        Code::Ok => Became::SignedIn,
        Code::Unauthenticated => Became::Wrong,
        Code::ResourceExhausted => Became::TooMany,
        other => panic!("{other:?}"),
    }
}
