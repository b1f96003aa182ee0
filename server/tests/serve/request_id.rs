//! The request id of a call is in every response.

use std::time::Duration;

use proto::auth::v1::SignUpRequest;
use server::Limits;
use tonic::{Code, Request, metadata::MetadataMap};

use crate::{
    wire::framed,
    world::{Client, Server, limits, sign_in, spawn_call, within},
};

const HEADER: &str = "x-request-id";

fn labelled<T>(message: T, id: Option<&str>) -> Request<T> {
    let mut request = Request::new(message);
    if let Some(id) = id {
        request.metadata_mut().insert(HEADER, id.parse().expect("a value"));
    }
    request
}

fn id_in(metadata: &MetadataMap) -> String {
    let ids: Vec<_> = metadata.get_all(HEADER).iter().collect();
    assert_eq!(ids.len(), 1, "exactly one id");
    ids[0].to_str().expect("text").to_owned()
}

/// The code and the request id of the response to `email`.
async fn response(client: &mut Client, email: &str, id: Option<&str>) -> (Code, String) {
    match within(client.sign_in(labelled(sign_in(email), id))).await {
        Ok(response) => (Code::Ok, id_in(response.metadata())),
        Err(status) => (status.code(), id_in(status.metadata())),
    }
}

/// Code and id of a success, a panic, a deadline and a refusal, all asked under `id`.
async fn responses(id: Option<&str>) -> (Vec<Code>, Vec<String>) {
    let request_timeout = Duration::from_secs(1);
    let mut server = Server::start(Limits { calls: 1, request_timeout, ..limits() }).await;
    let mut client = server.client().await;
    let mut seen = vec![response(&mut client, "echo", id).await];
    let panicked = within(client.sign_up(labelled(SignUpRequest::default(), id))).await;
    let panicked = panicked.expect_err("the handler panics");
    seen.push((panicked.code(), id_in(panicked.metadata())));
    seen.push(response(&mut client, "never", id).await);
    let _held = spawn_call(&client, "never");
    server.wait_inside(2).await;
    seen.push(response(&mut client, "echo", id).await);
    seen.into_iter().unzip()
}

const CODES: [Code; 4] =
    [Code::Ok, Code::Internal, Code::DeadlineExceeded, Code::ResourceExhausted];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_id_of_a_client_is_in_every_response() {
    let (codes, ids) = responses(Some("abc-1")).await;
    assert_eq!(codes, CODES);
    assert_eq!(ids, ["abc-1"; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_without_a_request_id_gets_a_new_one() {
    let (codes, mut ids) = responses(None).await;
    assert_eq!(codes, CODES);
    assert!(ids.iter().all(|id| id.len() > 8), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "no two calls share one: {ids:?}");
}

#[tokio::test]
async fn refusals_have_a_request_id_and_invalid_ids_are_replaced() {
    let server = Server::start(limits()).await;
    let mut connection = server.connect().await;
    let long = "x".repeat(129);
    for (sent, kept) in [("abc-1", true), ("", false), ("a b", false), (&long, false)] {
        let headers = [(HEADER, sent)];
        let response = connection.post("/no.Such/Thing", &headers, &framed(b"")).await;
        let response = response.expect("an answer");
        let id = response.headers().get(HEADER).expect("an id").to_str().expect("text");
        assert_eq!(id == sent, kept, "{sent:?}: {id:?}");
        assert!(!id.is_empty());
    }
}
