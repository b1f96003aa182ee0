//! Events over HTTP.

use std::{sync::Arc, time::Duration};

use axum::body::BodyDataStream;
use chrono::{DateTime, TimeDelta};
use futures_util::StreamExt;
use server::StreamKind;
use shared::clock::ManualClock;
use tokio::time::timeout;

use super::*;
use crate::world::every_user;

const BEAT: Duration = Duration::from_millis(50);

/// One event, as a browser reads it.
#[derive(Debug, Default, PartialEq)]
struct Read {
    event: String,
    id: Option<String>,
    data: Value,
    retry: Option<String>,
}

struct Events(BodyDataStream);

impl Events {
    /// The next event; `None` at the end.
    async fn next(&mut self) -> Option<Read> {
        let piece = timeout(Duration::from_secs(5), self.0.next()).await.expect("in time")?;
        let bytes = piece.expect("no error");
        let text = std::str::from_utf8(&bytes).expect("UTF-8");
        let mut read = Read::default();
        for line in text.strip_suffix("\n\n").expect("one whole event").split('\n') {
            let (field, value) = line.split_once(": ").expect("a field");
            match field {
                "event" => value.clone_into(&mut read.event),
                "id" => read.id = Some(value.to_owned()),
                "data" => read.data = serde_json::from_str(value).expect("JSON"),
                "retry" => read.retry = Some(value.to_owned()),
                other => panic!("{other}"),
            }
        }
        Some(read)
    }

    /// The next one that is no heartbeat.
    async fn happening(&mut self) -> Read {
        for _ in 0..100 {
            let read = self.next().await.expect("no end");
            if read.event != "heartbeat" {
                return read;
            }
        }
        panic!("nothing happens");
    }
}

impl World {
    async fn watch(&self, query: &str, last_id: Option<&str>) -> Events {
        let mut request = self.request("GET", "ada", &format!("/tasks/watch{query}"), &Value::Null);
        if let Some(id) = last_id {
            request.headers_mut().insert("last-event-id", id.parse().expect("a value"));
        }
        let rpcs = grpc::Rpcs::with_heartbeat(self.tasks(), BEAT);
        let routes = router(self.gate.clone(), rpcs).routes;
        let response = routes.oneshot(request).await.expect("an answer");
        assert_eq!(response.status(), 200);
        let (parts, body) = response.into_parts();
        assert_eq!(parts.extensions.get(), Some(&StreamKind::Watch));
        let header = |name: &str| parts.headers[name].to_str().expect("ASCII").to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("x-accel-buffering"), "no");
        let mut events = Events(body.into_data_stream());
        let first = events.next().await.expect("a hint");
        assert_eq!(first, Read { retry: Some("1000".into()), ..Read::default() });
        events
    }
}

#[tokio::test]
async fn events_are_the_messages_of_the_rpc_with_ids_to_go_on_from() {
    let world = World::start().await;
    let made = world.ask("POST", "/tasks", json!({"title": "one\ntwo"})).await;
    assert_eq!(made.status, 400, "a title is one line");
    let made = world.ask("POST", "/tasks", json!({"title": "one", "description": "a\r\nb"})).await;
    let mut events = world.watch("", None).await;
    let read = events.happening().await;
    assert_eq!((read.event.as_str(), &read.data), ("changed", &made.body));
    let beat = events.next().await.expect("no end");
    assert_eq!((beat.event.as_str(), beat.data["at"].is_string()), ("heartbeat", true));
    let path = format!("/tasks/{}", made.body["id"].as_str().expect("an id"));
    world.ask("DELETE", &path, Value::Null).await;
    let gone = events.happening().await;
    assert_eq!((gone.event.as_str(), &gone.data["id"]), ("deleted", &made.body["id"]));
    assert!(gone.data["deleted_at"].is_string());

    let first = read.id.expect("an id");
    let mut again = world.watch("", Some(&first)).await;
    assert_eq!(again.happening().await, gone);
    let mut again = world.watch(&format!("?syncToken={first}"), None).await;
    assert_eq!(again.happening().await, gone);
    world.ask("POST", "/tasks", json!({"title": "three"})).await;
    let query = format!("?sync_token={first}");
    let mut again = world.watch(&query, gone.id.as_deref()).await;
    assert_eq!(again.happening().await.data["title"], "three", "the header counts more");
}

#[tokio::test]
async fn what_cannot_begin_is_an_ordinary_problem() {
    let world = World::start().await;
    let answer = world.ask("GET", "/tasks/watch?sync_token=nonsense&since=1", Value::Null).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (400, &json!("since")));
    let answer = world.ask("GET", "/tasks/watch?sync_token=nonsense", Value::Null).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (400, &json!("sync_token")));
    let mut again = world.request("GET", "ada", "/tasks/watch?sync_token=x", &Value::Null);
    again.headers_mut().insert("last-event-id", "nonsense".parse().expect("a value"));
    let answer = world.send(again).await;
    assert_eq!((answer.status, &answer.body["errors"][0]["field"]), (400, &json!("Last-Event-ID")));
    assert!(!answer.body.to_string().contains("sync_token: "), "{}", answer.body);
    let ahead = crate::query::sync::SyncCursor::start(7, 0).token("ada");
    let answer = world.ask("GET", &format!("/tasks/watch?sync_token={ahead}"), Value::Null).await;
    assert_eq!((answer.status, &answer.body["error_code"]), (410, &json!("SYNC_TOKEN_TOO_OLD")));
    let path = "/api/ada/tasks/watch";
    let nobody = Request::builder().uri(path).body(Body::empty()).expect("a request");
    assert_eq!(world.send(nobody).await.status, 401);
    let bob = Request::builder().uri(path).header("authorization", world.bearer("bob"));
    assert_eq!(world.send(bob.body(Body::empty()).expect("a request")).await.status, 403);
}

#[tokio::test]
async fn a_reminder_and_the_end_are_events_too() {
    let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    let clock = Arc::new(ManualClock::at(start));
    let world = World::at(clock.clone()).await;
    let at = "2023-11-14T22:14:20.000000Z";
    let body = json!({"title": "water", "reminders": [{"at": at}]});
    assert_eq!(world.ask("POST", "/tasks", body).await.status, 201);
    let mut events = world.watch("", None).await;
    assert_eq!(events.happening().await.event, "changed");
    clock.advance(TimeDelta::seconds(60));
    world.tasks().fire_due(every_user()).await.expect("fired");
    let read = events.happening().await;
    assert_eq!((read.event.as_str(), read.id.is_some()), ("reminder", true));
    assert_eq!(read.data["task"]["title"], "water");
    assert_eq!((&read.data["at"], &read.data["late"]), (&json!(at), &json!(false)));
    assert_eq!(read.data["fired_at"], at);
    clock.advance(TimeDelta::minutes(15));
    let end = events.happening().await;
    assert_eq!((end.event.as_str(), &end.id), ("end", &None));
    assert_eq!(
        end.data,
        json!({"detail": "Token expired", "error_code": "TOKEN_EXPIRED", "status_code": 401})
    );
    assert_eq!(events.next().await, None);
}
