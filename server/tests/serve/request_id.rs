//! Every answer carries the id under which the logs know the call.

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

/// The code of the answer to `email`, and its id.
async fn answer(client: &mut Client, email: &str, id: Option<&str>) -> (Code, String) {
    match within(client.sign_in(labelled(sign_in(email), id))).await {
        Ok(answer) => (Code::Ok, id_in(answer.metadata())),
        Err(status) => (status.code(), id_in(status.metadata())),
    }
}

/// Code and id of a success, a panic, a deadline and a refusal, all asked under `id`.
async fn answers(id: Option<&str>) -> (Vec<Code>, Vec<String>) {
    let request_timeout = Duration::from_secs(1);
    let mut server = Server::start(Limits { calls: 1, request_timeout, ..limits() }).await;
    let mut client = server.client().await;
    let mut seen = vec![answer(&mut client, "echo", id).await];
    let panicked = within(client.sign_up(labelled(SignUpRequest::default(), id))).await;
    let panicked = panicked.expect_err("the handler panics");
    seen.push((panicked.code(), id_in(panicked.metadata())));
    seen.push(answer(&mut client, "never", id).await);
    let _held = spawn_call(&client, "never");
    server.wait_inside(2).await;
    seen.push(answer(&mut client, "echo", id).await);
    seen.into_iter().unzip()
}

const CODES: [Code; 4] =
    [Code::Ok, Code::Internal, Code::DeadlineExceeded, Code::ResourceExhausted];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_callers_id_comes_back_whatever_happens() {
    let (codes, ids) = answers(Some("abc-1")).await;
    assert_eq!(codes, CODES);
    assert_eq!(ids, ["abc-1"; 4]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_one_every_call_gets_its_own_whatever_happens() {
    let (codes, mut ids) = answers(None).await;
    assert_eq!(codes, CODES);
    assert!(ids.iter().all(|id| id.len() > 8), "{ids:?}");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "no two calls share one: {ids:?}");
}

#[tokio::test]
async fn what_no_service_answers_has_an_id_too_and_odd_ids_are_replaced() {
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
