//! Every status of the table of errors, provoked once at task-service, and the words of
//! auth-service for requests that reach no route.

use fixtures::Backend;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use server::MAX_REQUEST_BYTES;

use crate::{
    caller::SignedIn,
    exchange::{HttpRequest, Reply},
    scenarios::over_http_alone,
    wire::{Problem, Wire, assert_surrounded},
    world::World,
};

over_http_alone!(
    what_is_answered_and_what_is_refused_has_its_status,
    a_body_is_small_json_with_its_content_type,
    unknown_paths_and_methods_have_statuses_of_their_own,
    an_internal_error_is_500_an_unavailable_database_503_and_both_keep_the_cause,
    auth_service_refuses_in_better_auths_words,
);

/// A request by `caller` under its own path.
fn asked(caller: &SignedIn, method: Method, path: &str) -> HttpRequest {
    let path = format!("/api/{}/tasks{path}", caller.id());
    HttpRequest::new(method, &path).bearer(&caller.access_token)
}

#[track_caller]
fn assert_problem(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status.as_u16(), status, "{reply:?}");
    assert_eq!(Problem::read(reply).code, code);
}

async fn what_is_answered_and_what_is_refused_has_its_status(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let address = world.tasks_http();
    let new = json!({ "title": "Water the plants" });
    let made = asked(&alice, Method::POST, "").json(&new).header("idempotency-key", "k-1");
    let made = made.send(address).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let place = made.text("location").to_owned();
    let path = place.split_once("/tasks").expect("a task").1;

    let read = asked(&alice, Method::GET, path).send(address).await;
    assert_eq!((read.status, &read.body), (StatusCode::OK, &made.body));
    let fresh = asked(&alice, Method::GET, path).header("if-none-match", read.text("etag"));
    let fresh = fresh.send(address).await;
    assert_eq!((fresh.status, fresh.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(fresh.text("etag"), read.text("etag"));

    let faulty = asked(&alice, Method::POST, "").json(&json!({ "title": "", "colour": 1 }));
    assert_problem(&faulty.send(address).await, 400, "INVALID_ARGUMENT");
    let stranger = HttpRequest::new(Method::GET, &place).send(address).await;
    assert_problem(&stranger, 401, "MISSING_TOKEN");
    let other = HttpRequest::new(Method::GET, &place).bearer(&bob.access_token).send(address).await;
    assert_problem(&other, 403, "FORBIDDEN_USER_ACCESS");
    let his = asked(&bob, Method::GET, path).send(address).await;
    assert_problem(&his, 404, "TASK_NOT_FOUND");
    let reused = json!({ "title": "Feed the cat" });
    let reused = asked(&alice, Method::POST, "").json(&reused).header("idempotency-key", "k-1");
    assert_problem(&reused.send(address).await, 409, "REQUEST_ID_REUSED");
    let stale = asked(&alice, Method::DELETE, path).header("if-match", "\"nonsense\"");
    assert_problem(&stale.send(address).await, 412, "STALE_ETAG");

    let gone = asked(&alice, Method::DELETE, path).header("if-match", made.text("etag"));
    let gone = gone.send(address).await;
    assert_eq!((gone.status, gone.body.len()), (StatusCode::NO_CONTENT, 0));
    assert_surrounded(&gone);
}

async fn a_body_is_small_json_with_its_content_type(world: &World) {
    let alice = world.alice().await;
    let post = || asked(&alice, Method::POST, "");
    let json = |body: String| post().header("content-type", "application/json").body(body);
    for (body, status, code) in [
        (post().body("{\"title\": \"x\"}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (post().header("content-type", "text/plain").body("{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (json("{}".into()).header("content-encoding", "gzip"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (json(String::new()), 400, "INVALID_ARGUMENT"),
        (json("{\"title\"".into()), 400, "INVALID_ARGUMENT"),
        (json("[\"title\"]".into()), 400, "INVALID_ARGUMENT"),
        (json("{\"title\": \"x\", \"title\": \"y\"}".into()), 400, "INVALID_ARGUMENT"),
        (json("[".repeat(10_000)), 400, "INVALID_ARGUMENT"),
        (json(format!("{{\"title\": {:0>10000}}}", "1")), 400, "INVALID_ARGUMENT"),
        (json(" ".repeat(MAX_REQUEST_BYTES)), 400, "INVALID_ARGUMENT"),
        (json(" ".repeat(MAX_REQUEST_BYTES + 1)), 413, "PAYLOAD_TOO_LARGE"),
        (json(" ".repeat(1 << 20)), 413, "PAYLOAD_TOO_LARGE"),
    ] {
        assert_problem(&body.send(world.tasks_http()).await, status, code);
    }
    assert!(alice.all_tasks().await.is_empty());
}

async fn unknown_paths_and_methods_have_statuses_of_their_own(world: &World) {
    let alice = world.alice().await;
    for path in ["/", "/api", "/api/x", "/api/x/tasks/", "/api/x/tasks/y/z", "/API/x/tasks", "//"] {
        let reply = HttpRequest::new(Method::GET, path).send(world.tasks_http()).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.json()["error_code"], "NOT_FOUND", "{path}");
    }
    for (method, path) in [
        (Method::DELETE, ""),
        (Method::PATCH, ""),
        (Method::POST, "/x"),
        (Method::GET, "/x/complete"),
        (Method::TRACE, ""),
        (Method::CONNECT, "/x"),
        ("PROPFIND".parse().expect("a method"), ""),
    ] {
        let reply = asked(&alice, method.clone(), path).send(world.tasks_http()).await;
        assert_problem(&reply, 405, "METHOD_NOT_ALLOWED");
        assert!(!reply.text("allow").is_empty(), "{method} {path}");
    }
}

async fn an_internal_error_is_500_an_unavailable_database_503_and_both_keep_the_cause(
    world: &World,
) {
    let alice = world.alice().await;
    let list = async || asked(&alice, Method::GET, "").send(world.tasks_http()).await;
    alice.create("Water the plants").await;
    let tasks = world.task_table("task").await;
    tasks.spoil("priority", 77).await;
    let reply = list().await;
    assert_problem(&reply, 500, "INTERNAL");
    assert_eq!(reply.json()["detail"], "internal error");
    tasks.hide().await;
    let reply = list().await;
    assert_problem(&reply, 503, "UNAVAILABLE");
    assert_eq!(reply.json()["detail"], "temporarily unavailable, try again");

    world.auth_table("session").await.hide().await;
    for path in ["/api/auth/get-session", "/api/auth/token", "/api/auth/list-sessions"] {
        let asked = HttpRequest::new(Method::GET, path).bearer(&alice.session_token);
        let reply = asked.send(world.auth_http()).await;
        assert_surrounded(&reply);
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        let expected = json!({
            "message": "temporarily unavailable, try again",
            "code": "SERVICE_UNAVAILABLE",
        });
        assert_eq!(reply.json(), expected, "{path}");
    }
}

async fn auth_service_refuses_in_better_auths_words(world: &World) {
    let address = world.auth_http();
    let sign_in = || HttpRequest::new(Method::POST, "/api/auth/sign-in/email");
    let json = |body: String| sign_in().header("content-type", "application/json").body(body);
    for (asked, status, code) in [
        (json("{".into()), 400, "BAD_REQUEST"),
        (json("[]".into()), 400, "VALIDATION_ERROR"),
        (json("{\"email\": 5}".into()), 400, "VALIDATION_ERROR"),
        (sign_in().header("content-type", "text/plain").body("{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (json(" ".repeat(MAX_REQUEST_BYTES + 1)), 413, "PAYLOAD_TOO_LARGE"),
        (HttpRequest::new(Method::GET, "/api/auth/token"), 401, "UNAUTHORIZED"),
        (HttpRequest::new(Method::GET, "/api/auth/list-sessions"), 401, "UNAUTHORIZED"),
    ] {
        let reply = asked.send(address).await;
        assert_surrounded(&reply);
        assert_eq!(reply.text("content-type"), "application/json");
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (status, &json!(code)));
        assert!(reply.json()["message"].is_string(), "{reply:?}");
    }
    for (method, path) in [
        (Method::GET, "/api/auth/sign-in/email"),
        (Method::POST, "/api/auth/token"),
        (Method::HEAD, "/api/auth/ok"),
        (Method::GET, "/api/auth/ok/"),
        (Method::GET, "/api/auth/nothing"),
        (Method::GET, "/api/auth"),
    ] {
        let reply = HttpRequest::new(method.clone(), path).send(address).await;
        assert_eq!((reply.status.as_u16(), reply.body.len()), (404, 0), "{method} {path}");
        if path != "/api/auth" {
            assert_surrounded(&reply);
        }
    }
}

/// Unavailable is 503, too many requests 429; both with the time to retry after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_held_is_503_sqlite() {
    a_database_that_is_held_is_503(Backend::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_is_held_is_503_postgres() {
    a_database_that_is_held_is_503(Backend::Postgres).await;
}

async fn a_database_that_is_held_is_503(backend: Backend) {
    let settings = [("REQUEST_TIMEOUT", "2")];
    let Some(world) = World::start_with(backend, Wire::Http, &settings).await else { return };
    let alice = world.alice().await;
    let create = || asked(&alice, Method::POST, "").json(&json!({ "title": "x" }));
    let lock = world.task_table("task").await;
    let held = lock.lock().await;
    let reply = create().send(world.tasks_http()).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{reply:?}");
    let code = Problem::read(&reply).code;
    assert!(["UNAVAILABLE", "DEADLINE_EXCEEDED"].contains(&code.as_str()), "{code}");

    let lock = world.auth_table("user").await;
    let held_too = lock.lock().await;
    let update =
        HttpRequest::new(Method::POST, "/api/auth/update-user").bearer(&alice.session_token);
    let reply = update.json(&json!({ "name": "Alice" })).send(world.auth_http()).await;
    assert_surrounded(&reply);
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.json()["code"], "SERVICE_UNAVAILABLE");
    assert_eq!(reply.text("x-retry-after"), reply.text("retry-after"));

    held.rollback().await.expect("the lock is gone");
    held_too.rollback().await.expect("the lock is gone");
    assert_eq!(create().send(world.tasks_http()).await.status, StatusCode::CREATED);
    let health = HttpRequest::new(Method::GET, "/health").send(world.tasks_http()).await;
    assert_eq!((health.status, health.json()), (StatusCode::OK, serving()));
    world.stop().await;
}

fn serving() -> Value {
    json!({ "status": "SERVING" })
}
