//! The routes over a real store, in process.

mod watch;

use axum::{
    Router,
    body::{Body, to_bytes},
};
use fixtures::constants;
use http::{Request, header};
use serde_json::{Value, json};
use server::MAX_REQUEST_BYTES;
use shared::error::Refusal;
use tower::ServiceExt;

use super::*;
use crate::{api::grpc, world::World};

mod bulk;
mod list;

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

impl World {
    fn routes(&self) -> Router {
        router(self.gate.clone(), grpc::Rpcs::new(self.tasks())).routes
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.routes().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.expect("a body");
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        assert!(body != Value::Null || bytes.is_empty(), "not JSON");
        Answer { status: parts.status.as_u16(), headers: parts.headers, body }
    }

    /// A request of `user` for its own path.
    fn request(&self, method: &str, user: &str, path: &str, body: &Value) -> Request<Body> {
        let request = Request::builder()
            .method(method)
            .uri(format!("/api/{user}{path}"))
            .header(header::AUTHORIZATION, self.bearer(user));
        let body = match body {
            Value::Null => return request.body(Body::empty()).expect("a request"),
            body => body.to_string(),
        };
        request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body))
            .expect("a request")
    }

    async fn ask(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send(self.request(method, "ada", path, &body)).await
    }
}

fn text<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
}

#[test]
fn each_reason_in_a_description_is_of_its_status() {
    let api = serde_json::to_value(openapi::document(&super::routes())).expect("JSON");
    let mut seen = 0;
    for operation in api["paths"].as_object().expect("paths").values() {
        for operation in operation.as_object().expect("methods").values() {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let text = response["description"].as_str().expect("a description");
                for reason in constants(text) {
                    let row = Refusal::with_reason(reason).expect("a row");
                    assert_eq!(row.kind().http_status().as_str(), status, "{reason}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen >= 40, "{seen}");
}

#[tokio::test]
async fn a_mark_of_the_encoding_before_a_body_is_no_character() {
    let world = World::start().await;
    for (body, status) in [
        ("\u{feff}{\"title\": \"a\\ufeff\"}", 201),
        ("\u{feff} \u{feff}{\"title\": \"a\"}", 400),
        ("\u{feff}", 400),
    ] {
        let mut request = world.request("POST", "ada", "/tasks", &json!({}));
        *request.body_mut() = Body::from(body);
        let answer = world.send(request).await;
        assert_eq!(answer.status, status, "{body:?}");
        if status == 201 {
            assert_eq!(answer.body["title"], "a\u{feff}", "in a text it is one");
        }
    }
}

#[tokio::test]
async fn a_task_lives_through_every_route() {
    let world = World::start().await;
    let made = world.ask("POST", "/tasks", json!({"title": " Water ", "priority": "high"})).await;
    assert_eq!((made.status, &made.body["title"]), (201, &json!("Water")));
    let place = text(&made, "location").to_owned();
    assert_eq!(place, format!("/api/ada/tasks/{}", made.body["id"].as_str().expect("an id")));
    let path = place.strip_prefix("/api/ada").expect("hers");

    let read = world.ask("GET", path, Value::Null).await;
    assert_eq!((read.status, &read.body), (200, &made.body));
    assert_eq!(text(&read, "etag"), format!("\"{}\"", read.body["etag"].as_str().expect("one")));
    let mut again = world.request("GET", "ada", path, &Value::Null);
    again.headers_mut().insert("if-none-match", read.headers["etag"].clone());
    let again = world.send(again).await;
    assert_eq!((again.status, again.body), (304, Value::Null));

    let changed = world.ask("PATCH", path, json!({"description": "twice"})).await;
    assert_eq!(changed.body["description"], "twice");
    assert_eq!(
        (&changed.body["title"], &changed.body["priority"]),
        (&json!("Water"), &json!("high"))
    );
    let cleared = world.ask("PATCH", path, json!({"description": null, "priority": null})).await;
    assert_eq!(
        (&cleared.body["description"], &cleared.body["priority"]),
        (&json!(""), &json!("medium"))
    );
    let replaced = world.ask("PUT", path, json!({"title": "Plants"})).await;
    assert_eq!((replaced.status, &replaced.body["title"]), (200, &json!("Plants")));

    let mut states = Vec::new();
    for body in [Value::Null, json!({"completed": true}), json!({}), json!({"completed": false})] {
        let answer = world.ask("PATCH", &format!("{path}/complete"), body).await;
        states.push((answer.status, answer.body["completed"].clone()));
    }
    assert_eq!(states, [true, true, false, false].map(|done| (200, json!(done))));

    let mut stale = world.request("DELETE", "ada", path, &Value::Null);
    stale.headers_mut().insert("if-match", read.headers["etag"].clone());
    let stale = world.send(stale).await;
    assert_eq!((stale.status, &stale.body["error_code"]), (412, &json!("STALE_ETAG")));
    let gone = world.ask("DELETE", path, Value::Null).await;
    assert_eq!((gone.status, gone.body), (204, Value::Null));
    let missing = world.ask("GET", path, Value::Null).await;
    assert_eq!(
        missing.body,
        json!({"detail": "Task not found", "error_code": "TASK_NOT_FOUND", "status_code": 404})
    );
}

#[tokio::test]
async fn a_list_is_bare_and_leads_to_the_next_page() {
    let world = World::start().await;
    for title in ["one", "two", "three"] {
        world.ask("POST", "/tasks", json!({"title": title})).await;
    }
    let first = world.ask("GET", "/tasks?page_size=2&includeTotal=true", Value::Null).await;
    assert_eq!((first.status, text(&first, "x-total-count")), (200, "3"));
    assert_eq!(first.body.as_array().expect("a list").len(), 2);
    let link = text(&first, "link");
    let next = link.strip_prefix("</api/ada").and_then(|link| link.strip_suffix(">; rel=\"next\""));
    let last = world.ask("GET", next.expect("a link"), Value::Null).await;
    assert_eq!((last.body[0]["title"].as_str(), text(&last, "link")), (Some("one"), ""));
    let plain = world.ask("GET", "/tasks?completed=true", Value::Null).await;
    assert_eq!((&plain.body, text(&plain, "x-total-count")), (&json!([]), ""));
}

#[tokio::test]
async fn the_caller_is_checked_before_the_request() {
    let world = World::start().await;
    let nonsense = || Body::from("x".repeat(100_000));
    let request = |path: &str| Request::builder().method("POST").uri(path.to_owned());
    let stranger = world.send(request("/api/ada/tasks").body(nonsense()).expect("one")).await;
    assert_eq!((stranger.status, text(&stranger, "www-authenticate")), (401, "Bearer"));
    assert_eq!(stranger.body["error_code"], "MISSING_TOKEN");
    let forged = request("/api/ada/tasks").header("authorization", "Bearer a.b.c");
    let forged = world.send(forged.body(nonsense()).expect("one")).await;
    assert_eq!(forged.status, 401);
    assert!(text(&forged, "www-authenticate").starts_with("Bearer error=\"invalid_token\""));
    let bearer = world.bearer("eve");
    for path in ["/api/ada/tasks", "/api/%ff/tasks", "/api/eve%00/tasks", "/api/Eve/tasks"] {
        let other = request(path).header("authorization", &bearer);
        let other = world.send(other.body(nonsense()).expect("one")).await;
        assert_eq!(
            (other.status, &other.body["error_code"]),
            (403, &json!("FORBIDDEN_USER_ACCESS")),
            "{path}"
        );
    }
    let encoded = request("/api/%65v%65/tasks").header("authorization", &bearer);
    let encoded = world.send(encoded.body(Body::empty()).expect("one")).await;
    assert_eq!(encoded.status, 415, "the path is hers, so the body is looked at");
    let twice = request("/api/eve/tasks").header("authorization", &bearer);
    let twice = twice.header("authorization", &bearer).body(Body::empty()).expect("one");
    assert_eq!(world.send(twice).await.body["error_code"], "INVALID_HEADER_FORMAT");
}

#[tokio::test]
async fn a_strange_user_id_is_one_segment_of_the_path() {
    let world = World::start().await;
    let bearer = world.bearer("a/b c?ü");
    let request = Request::builder()
        .method("POST")
        .uri("/api/a%2Fb%20c%3F%C3%BC/tasks")
        .header("authorization", &bearer)
        .header("content-type", "application/json");
    let made = world.send(request.body(Body::from(r#"{"title":"t"}"#)).expect("one")).await;
    assert_eq!(made.status, 201);
    assert!(text(&made, "location").starts_with("/api/a%2Fb%20c%3F%C3%BC/tasks/"));
}

#[tokio::test]
async fn every_fault_is_named_as_http_spells_it() {
    let world = World::start().await;
    let fields = |answer: &Answer| -> Vec<String> {
        let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
        errors.iter().map(|e| e["field"].as_str().unwrap_or_default().to_owned()).collect()
    };
    let unknown =
        world.ask("POST", "/tasks", json!({"titel": "a", "title": 1, "user_id": "x"})).await;
    assert_eq!(
        (unknown.status, fields(&unknown)),
        (400, vec!["titel".into(), "title".into(), "user_id".into()])
    );
    let empty = world.ask("POST", "/tasks", json!({"description": "\0"})).await;
    assert_eq!(fields(&empty), ["title", "description"]);
    let mut keyed = world.request("POST", "ada", "/tasks", &json!({"title": "a"}));
    keyed.headers_mut().insert("idempotency-key", "a b".parse().expect("a value"));
    assert_eq!(fields(&world.send(keyed).await), ["Idempotency-Key"]);
    let none = world.ask("PATCH", "/tasks/x", json!({})).await;
    assert_eq!((none.status, fields(&none)), (400, vec!["body".into()]));
    let query = world.ask("GET", "/tasks?page_size=-1&sort=name", Value::Null).await;
    assert_eq!(fields(&query), ["sort"]);
    let missing = world.ask("PATCH", "/tasks/not-an-id", json!({"title": "a"})).await;
    assert_eq!((missing.status, &missing.body["error_code"]), (404, &json!("TASK_NOT_FOUND")));
}

#[tokio::test]
async fn methods_and_types_are_answered_as_http_says() {
    let world = World::start().await;
    let other = world.ask("PATCH", "/tasks", json!({})).await;
    assert_eq!((other.status, text(&other, "allow")), (405, "GET,HEAD,POST"));
    assert_eq!(other.body["error_code"], "METHOD_NOT_ALLOWED");
    let options = world.ask("OPTIONS", "/tasks/x", Value::Null).await;
    assert_eq!((options.status, &options.body), (204, &Value::Null));
    let allowed: std::collections::BTreeSet<_> = text(&options, "allow").split(',').collect();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD", "PATCH", "PUT"].into());
    let head = world.ask("HEAD", "/tasks", Value::Null).await;
    assert_eq!((head.status, head.body), (200, Value::Null));
    for (length, content_type, status) in
        [(10, "text/plain", 415), (70_000, "application/json", 413), (10, "application/json", 400)]
    {
        let mut request = world.request("POST", "ada", "/tasks", &json!({}));
        request.headers_mut().insert("content-type", content_type.parse().expect("a value"));
        *request.body_mut() = Body::from("[".repeat(length));
        assert_eq!(world.send(request).await.status, status, "{content_type} {length}");
    }
}

/// The body fits, the rpc's message with the user in it does not.
#[tokio::test]
async fn what_is_too_large_for_the_rpc_is_too_large() {
    let world = World::start().await;
    let user = "u".repeat(200);
    let body = json!({"title": "t", "description": "x".repeat(MAX_REQUEST_BYTES - 30)});
    assert_eq!(body.to_string().len(), MAX_REQUEST_BYTES);
    let answer = world.send(world.request("POST", &user, "/tasks", &body)).await;
    assert_eq!((answer.status, &answer.body["error_code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
}

#[test]
fn every_rpc_has_a_route() {
    use prost::Message;
    /// ToggleTask, CompleteTask and ReopenTask share the route `…/complete`.
    const ROUTES: [(&str, &str); 21] = [
        ("ListSecurityEvents", "listTaskSecurityEvents"),
        ("CreateTask", "createTask"),
        ("GetTask", "getTask"),
        ("ListTasks", "listTasks"),
        ("CountTasks", "countTasks"),
        ("UpdateTask", "updateTask"),
        ("DeleteTask", "deleteTask"),
        ("CompleteTask", "completeTask"),
        ("ReopenTask", "completeTask"),
        ("ToggleTask", "completeTask"),
        ("MoveTask", "moveTask"),
        ("SkipTask", "skipTask"),
        ("UndeleteTask", "undeleteTask"),
        ("SyncTasks", "syncTasks"),
        ("BatchCreateTasks", "batchCreateTasks"),
        ("BatchUpdateTasks", "batchUpdateTasks"),
        ("BatchCompleteTasks", "batchCompleteTasks"),
        ("BatchDeleteTasks", "batchDeleteTasks"),
        ("ExportTasks", "exportTasks"),
        ("ImportTasks", "importTasks"),
        ("WatchTasks", "watchTasks"),
    ];
    /// Services speak gRPC to each other.
    const NONE: [&str; 1] = ["task.v1.TaskAdminService"];
    let api = serde_json::to_string(&openapi::document(&routes())).expect("JSON");
    let files = prost_types::FileDescriptorSet::decode(proto::DESCRIPTORS).expect("files");
    let files = files.file.iter().filter(|file| file.package() == "task.v1");
    let routed = |name: &str| !NONE.contains(&format!("task.v1.{name}").as_str());
    let services = files.flat_map(|file| &file.service).filter(|service| routed(service.name()));
    let rpcs: Vec<_> = services.flat_map(|service| &service.method).collect();
    assert_eq!(rpcs.len(), ROUTES.len());
    assert!(api.contains(&format!("\"{UPLOAD}\":")));
    for rpc in rpcs {
        let route = ROUTES.iter().find(|(name, _)| *name == rpc.name());
        let operation = route.map(|(_, operation)| format!("\"operationId\":\"{operation}\""));
        assert!(operation.is_some_and(|operation| api.contains(&operation)), "{}", rpc.name());
    }
}
