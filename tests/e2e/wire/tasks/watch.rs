//! Events as a browser gets them (server-sent events), as the stream of an rpc.

use std::convert::Infallible;

use futures_util::{Stream, stream};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use prost::Message;
use proto::task::v1::{
    FiredReminder, Heartbeat, WatchTasksRequest, WatchTasksResponse, watch_tasks_response::Event,
};
use serde_json::Value;
use tonic::{Status, body::Body};

use super::{problem, requests, sync, task};
use crate::{
    exchange::{HttpRequest, Reply},
    raw::framed,
    wire::{
        Call,
        shape::assert_surrounded,
        timestamp::{Digits, timestamp},
    },
};

/// Answers WatchTasks with the server-sent events.
pub async fn watch(call: &Call, message: &[u8]) -> Result<Response<Body>, Status> {
    let WatchTasksRequest { user_id, sync_token } =
        WatchTasksRequest::decode(message).expect("the message of this rpc");
    let mut path = format!("{}/watch", requests::collection(&user_id));
    if !sync_token.is_empty() {
        let mut query = form_urlencoded::Serializer::new(String::new());
        path = format!("{path}?{}", query.append_pair("sync_token", &sync_token).finish());
    }
    let answer = call.dressed(HttpRequest::new(Method::GET, &path)).open(call.address).await;
    let (head, body) = answer.into_parts();
    if head.status != StatusCode::OK {
        let body = body.collect().await.expect("a whole body").to_bytes();
        let reply = Reply { status: head.status, headers: head.headers, body };
        return Err(problem::status(&reply, &[]));
    }
    let head = Reply { status: head.status, headers: head.headers, body: Bytes::new() };
    assert_surrounded(&head);
    assert_eq!(head.text("content-type"), "text/event-stream");
    assert_eq!(head.text("x-accel-buffering"), "no", "a proxy must not wait for more");
    let mut response = Response::new(Body::new(StreamBody::new(frames(body))));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    Ok(response)
}

/// Each event as a message, and then the end of the stream.
fn frames(body: Incoming) -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> {
    let events = EventStream { body, heard: Vec::new() };
    stream::unfold(Some(events), async |events| {
        let mut events = events?;
        Some(match events.next().await {
            Ok(message) => {
                let message = message.encode_to_vec();
                let length = u32::try_from(message.len()).expect("a message");
                (Ok(Frame::data(framed(0, length, &message).into())), Some(events))
            }
            Err(status) => {
                let mut trailers = HeaderMap::new();
                status.add_header(&mut trailers).expect("a status");
                (Ok(Frame::trailers(trailers)), None)
            }
        })
    })
}

struct EventStream {
    body: Incoming,
    /// What came and has not been read.
    heard: Vec<u8>,
}

impl EventStream {
    async fn next(&mut self) -> Result<WatchTasksResponse, Status> {
        loop {
            if let Some(end) = self.heard.windows(2).position(|two| two == b"\n\n") {
                let block: Vec<u8> = self.heard.drain(..end + 2).collect();
                let block = String::from_utf8(block).expect("UTF-8");
                if let Some(event) = read(block.trim_end())? {
                    return Ok(event);
                }
                continue;
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.heard.extend_from_slice(frame.data_ref().expect("data")),
                // The stream ends without a status where the server ends.
                Some(Err(_)) | None => return Err(Status::unavailable("the stream has ended")),
            }
        }
    }
}

/// One block of lines: an event, its end, or how soon to come back.
fn read(block: &str) -> Result<Option<WatchTasksResponse>, Status> {
    let line = |name: &str| {
        let mut values =
            block.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let value = values.next();
        assert!(values.next().is_none(), "{block}");
        value
    };
    if let Some(wait) = line("retry") {
        assert!(wait.parse::<u32>().is_ok(), "{block}");
        return Ok(None);
    }
    let data: Value = serde_json::from_str(line("data").expect("data")).expect("JSON");
    let event = match line("event").expect("a name") {
        "changed" => Event::Changed(task::read(&data)),
        "deleted" => Event::Deleted(sync::deleted(&data)),
        "reminder" => Event::Reminder(FiredReminder {
            task: Some(task::read(&data["task"])),
            at: timestamp(&data["at"], Digits::Micro),
            fired_at: timestamp(&data["fired_at"], Digits::Micro),
            late: data["late"].as_bool().expect("a switch"),
        }),
        "heartbeat" => Event::Heartbeat(Heartbeat { at: timestamp(&data["at"], Digits::Micro) }),
        "end" => return Err(problem::in_stream(&data)),
        other => panic!("no event is called {other}: {block}"),
    };
    let sync_token = line("id").expect("an id").to_owned();
    Ok(Some(WatchTasksResponse { event: Some(event), sync_token }))
}
