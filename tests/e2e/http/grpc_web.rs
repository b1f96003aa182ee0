//! gRPC-Web: what a browser can send to the gRPC port, over HTTP/1.1.

use std::net::SocketAddr;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Method, StatusCode};
use prost::Message;
use proto::task::v1::{ListTasksRequest, ListTasksResponse};

use crate::{
    caller::SignedIn,
    exchange::{HttpRequest, Reply},
    raw::framed,
    scenarios::over_http_alone,
    world::World,
};

over_http_alone!(
    a_page_lists_tasks_over_grpc_web,
    a_page_without_a_token_is_refused_over_grpc_web,
    what_is_no_grpc_is_refused_on_the_grpc_port,
);

const LIST: &str = "/task.v1.TaskService/ListTasks";
const BINARY: &str = "application/grpc-web+proto";
const TEXT: &str = "application/grpc-web-text+proto";

/// The frame of the trailers: its flag is the highest bit.
const TRAILERS: u8 = 0x80;

fn list(caller: &SignedIn) -> Vec<u8> {
    let message = ListTasksRequest { user_id: caller.id(), ..Default::default() }.encode_to_vec();
    framed(0, u32::try_from(message.len()).expect("a message"), &message)
}

fn asked(content_type: &str, body: Vec<u8>) -> HttpRequest {
    let asked = HttpRequest::new(Method::POST, LIST).header("content-type", content_type);
    let asked = asked.header("accept", content_type).header("x-grpc-web", "1");
    let asked = asked.header("origin", "http://localhost:3000");
    asked.body(if content_type == TEXT { STANDARD.encode(body).into_bytes() } else { body })
}

/// The frames of a body, each with its flag.
fn frames(reply: &Reply, content_type: &str) -> Vec<(u8, Vec<u8>)> {
    let body = match content_type {
        TEXT => {
            // Pieces of base64, each padded for itself.
            let text = String::from_utf8(reply.body.to_vec()).expect("base64");
            let pieces = text.as_bytes().chunks(4);
            pieces.flat_map(|piece| STANDARD.decode(piece).expect("base64")).collect()
        }
        _ => reply.body.to_vec(),
    };
    let mut rest = body.as_slice();
    let mut frames = Vec::new();
    while let [flag, a, b, c, d, tail @ ..] = rest {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        frames.push((*flag, tail[..length].to_vec()));
        rest = &tail[length..];
    }
    assert!(rest.is_empty(), "{reply:?}");
    frames
}

/// `grpc-status`, from the trailers in the body, or from the head of a bare refusal.
fn grpc_status(reply: &Reply, frames: &[(u8, Vec<u8>)]) -> String {
    let (_, trailers) = match frames.last() {
        Some(last) if last.0 == TRAILERS => last.clone(),
        _ => return reply.text("grpc-status").to_owned(),
    };
    let text = String::from_utf8(trailers).expect("ASCII");
    let line = text.lines().find_map(|line| line.strip_prefix("grpc-status:"));
    line.map(|code| code.trim().to_owned()).unwrap_or_default()
}

async fn a_page_lists_tasks_over_grpc_web(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    for content_type in [BINARY, TEXT] {
        let asked = asked(content_type, list(&alice)).bearer(&alice.access_token);
        let reply = asked.send(world.tasks_grpc()).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        assert_eq!(reply.text("content-type"), content_type, "{reply:?}");
        assert_eq!(reply.text("access-control-allow-origin"), "http://localhost:3000");
        assert!(reply.text("access-control-expose-headers").contains("grpc-status"));
        let frames = frames(&reply, content_type);
        let [(0, message), (TRAILERS, _)] = frames.as_slice() else {
            panic!("a message and trailers: {reply:?}");
        };
        let page = ListTasksResponse::decode(message.as_slice()).expect("a page");
        assert_eq!(page.tasks, std::slice::from_ref(&task));
        assert_eq!(grpc_status(&reply, &frames), "0");
    }
}

async fn a_page_without_a_token_is_refused_over_grpc_web(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let other = list(&bob);
    for content_type in [BINARY, TEXT] {
        let bare = asked(content_type, list(&alice));
        let garbage = asked(content_type, list(&alice)).bearer("garbage");
        let session = asked(content_type, list(&alice)).bearer(&alice.session_token);
        let foreign = asked(content_type, other.clone()).bearer(&alice.access_token);
        for (asked, code) in [(bare, "16"), (garbage, "16"), (session, "16"), (foreign, "7")] {
            let reply = asked.send(world.tasks_grpc()).await;
            assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
            let frames = frames(&reply, content_type);
            assert_eq!(grpc_status(&reply, &frames), code, "{reply:?}");
            assert!(frames.iter().all(|(flag, _)| *flag == TRAILERS), "{reply:?}");
        }
    }
}

/// Over HTTP/1.1 too, nothing but gRPC-Web is a call.
async fn what_is_no_grpc_is_refused_on_the_grpc_port(world: &World) {
    let alice = world.alice().await;
    let ports: [SocketAddr; 2] = [world.tasks_grpc(), world.auth_grpc()];
    for port in ports {
        for content_type in ["application/json", "text/plain", "application/grpc-webx", ""] {
            let asked = HttpRequest::new(Method::POST, LIST).bearer(&alice.access_token);
            let asked = asked.header("content-type", content_type).body(list(&alice));
            let reply = asked.send(port).await;
            assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{content_type}");
        }
        for path in ["/", "/api/auth/ok", "/health", "/openapi.json"] {
            let reply = HttpRequest::new(Method::GET, path).send(port).await;
            assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{path}");
        }
    }
}
