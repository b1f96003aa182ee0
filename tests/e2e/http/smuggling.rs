//! Request smuggling: a request whose end two readers could see differently is refused.

use super::raw_connection::RawConnection;
use crate::{caller::SignedIn, scenarios::over_http_alone, world::World};

over_http_alone!(
    a_request_whose_end_is_ambiguous_is_never_acted_on,
    a_length_beside_chunks_counts_for_nothing_and_ends_the_connection,
    every_port_answers_once_where_lengths_disagree,
);

/// A creation with these lines about its length, then what a smuggler would have run as a
/// second request.
fn creation(alice: &SignedIn, lines: &str, body: &str) -> String {
    let (id, token) = (alice.id(), &alice.access_token);
    let head = |method: &str| {
        format!("{method} /api/{id}/tasks HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n")
    };
    let smuggled = format!("{}connection: close\r\n\r\n", head("GET"));
    format!("{}content-type: application/json\r\n{lines}\r\n\r\n{body}{smuggled}", head("POST"))
}

async fn a_request_whose_end_is_ambiguous_is_never_acted_on(world: &World) {
    let alice = world.alice().await;
    let json = r#"{"title": "smuggled"}"#;
    let length = json.len();
    let chunked = format!("{length:x}\r\n{json}\r\n0\r\n\r\n");
    let own = |length: usize| format!("content-length: {length}");
    let te = "transfer-encoding: chunked";
    let mut acted_on = Vec::new();
    for (lines, body) in [
        (format!("{}\r\n{te}", own(length)), json),
        (format!("{te}\r\n{}", own(length)), json),
        (format!("{}\r\n{}", own(length), own(length + 1)), json),
        (format!("{}\r\n{}", own(length + 1), own(length)), json),
        (format!("content-length: {length}, {length}"), json),
        (format!("content-length: {length}, 0"), json),
        (format!("content-length: +{length}"), json),
        (format!("content-length: -{length}"), json),
        (format!("content-length: 0x{length:x}"), json),
        (format!("content-length: {length} {length}"), json),
        (format!("content-length: 1844674407370955161{length}"), json),
        ("content-length: ".to_owned(), json),
        (format!("content-length : {length}"), json),
        ("transfer-encoding: xchunked".to_owned(), &chunked),
        ("transfer-encoding: chunked, identity".to_owned(), &chunked),
        ("transfer-encoding: gzip, chunked".to_owned(), &chunked),
        ("transfer-encoding: identity".to_owned(), json),
        (format!("{te}\r\ntransfer-encoding: identity"), &chunked),
        ("transfer-encoding : chunked".to_owned(), &chunked),
        ("transfer-encoding:\u{b}chunked".to_owned(), &chunked),
        ("transfer-encoding: \"chunked\"".to_owned(), &chunked),
        (te.to_owned(), &format!("{length:x}\n{json}\r\n0\r\n\r\n")),
        (te.to_owned(), &format!("0x{length:x}\r\n{json}\r\n0\r\n\r\n")),
        (te.to_owned(), &format!("-{length:x}\r\n{json}\r\n0\r\n\r\n")),
        (te.to_owned(), &format!("ffffffffffffffff{length:x}\r\n{json}\r\n0\r\n\r\n")),
        (te.to_owned(), &format!("{length:x}\r\n{json}XX0\r\n\r\n")),
        (te.to_owned(), &format!("{:x}\r\n{json}\r\n0\r\n\r\n", length + 1)),
    ] {
        let mut line = RawConnection::open(world.tasks_http()).await;
        line.send(creation(&alice, &lines, body)).await;
        let (heard, _) = line.rest().await;
        if heard.contains("HTTP/1.1 2") {
            acted_on.push((lines, body.to_owned(), heard.lines().next().map(str::to_owned)));
        }
    }
    assert!(acted_on.is_empty(), "{acted_on:#?}");
    assert!(alice.all_tasks().await.is_empty());
    // Without the conflicting lengths these are two requests.
    for (lines, body) in [(own(length), json), (te.to_owned(), chunked.as_str())] {
        let mut line = RawConnection::open(world.tasks_http()).await;
        line.send(creation(&alice, &lines, body)).await;
        let (heard, _) = line.rest().await;
        assert!(heard.starts_with("HTTP/1.1 201"), "{heard}");
        assert_eq!(heard.matches("HTTP/1.1 200").count(), 1, "{heard}");
    }
}

/// RFC 9112 section 6.1 for a server that does not refuse it: the chunks alone determine the
/// end of the body, and nothing that follows on this connection is read.
async fn a_length_beside_chunks_counts_for_nothing_and_ends_the_connection(world: &World) {
    let alice = world.alice().await;
    let json = r#"{"title": "in chunks"}"#;
    let chunked = format!("{:x}\r\n{json}\r\n0\r\n\r\n", json.len());
    for length in [4, json.len(), chunked.len(), 10_000] {
        let (length, te) = (format!("content-length: {length}"), "transfer-encoding: chunked");
        for lines in [format!("{length}\r\n{te}"), format!("{te}\r\n{length}")] {
            let mut line = RawConnection::open(world.tasks_http()).await;
            line.send(creation(&alice, &lines, &chunked)).await;
            let (heard, _) = line.rest().await;
            assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{lines:?}: {heard}");
            assert!(heard.to_lowercase().contains("connection: close"), "{lines:?}: {heard}");
        }
    }
    assert!(alice.all_tasks().await.iter().all(|task| task.title == "in chunks"));
}

/// The ports share their connections' code; this notices where one goes its own way.
async fn every_port_answers_once_where_lengths_disagree(world: &World) {
    let web = "content-type: application/grpc-web+proto";
    let json = "content-type: application/json";
    for (port, path, kind) in [
        (world.auth_http(), "/api/auth/sign-out", json),
        (world.tasks_http(), "/health", json),
        (world.auth_grpc(), "/auth.v1.AuthService/SignIn", web),
        (world.tasks_grpc(), "/task.v1.TaskService/ListTasks", web),
    ] {
        for lengths in [
            "content-length: 12\r\ntransfer-encoding: chunked",
            "transfer-encoding: chunked\r\ncontent-length: 12",
            "content-length: 12\r\ncontent-length: 13",
            "transfer-encoding: gzip, chunked",
        ] {
            let mut line = RawConnection::open(port).await;
            let start = format!("POST {path} HTTP/1.1\r\nhost: x\r\n{kind}\r\n{lengths}\r\n\r\n");
            line.send(start + "2\r\n{}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nhost: x\r\n\r\n").await;
            let (heard, _) = line.rest().await;
            assert_eq!(heard.matches("HTTP/1.1 ").count(), 1, "{path} {lengths:?}: {heard}");
            let by_chunks = lengths.contains("chunked") && !lengths.contains("gzip");
            assert!(by_chunks || heard.contains("HTTP/1.1 4"), "{path} {lengths:?}: {heard}");
        }
    }
}
