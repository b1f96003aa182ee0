//! Preconditions (RFC 9110 section 13): every route honours each, or refuses it by name.

use http::{Method, StatusCode};

use super::parameters::routes;
use crate::{
    caller::SignedIn,
    exchange::{HttpRequest, Reply},
    scenarios::over_http_alone,
    wire::Problem,
    world::World,
};

over_http_alone!(
    no_route_passes_over_a_precondition,
    a_change_is_made_to_a_version_that_is_named,
    a_version_is_read_if_it_is_named_and_not_held,
);

const DATE: &str = "Sun, 29 Nov 2026 12:00:00 GMT";

/// A route about one task honours `If-Match`, and one that reads it `If-None-Match`.
async fn no_route_passes_over_a_precondition(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    for (address, credential) in
        [(world.tasks_http(), &alice.access_token), (world.auth_http(), &alice.session_token)]
    {
        for (method, path) in routes(address).await {
            let is_versioned = path.contains("{id}");
            let place = path.replace("{user_id}", &alice.id()).replace("{id}", &task.id);
            for (header, value) in [
                ("if-match", "\"nonsense\""),
                ("if-unmodified-since", DATE),
                ("if-none-match", "*"),
                ("if-none-match", "nonsense"),
                ("if-modified-since", DATE),
                ("if-range", "\"nonsense\""),
            ] {
                let what = format!("{method} {place} {header}: {value}");
                let saves = ["if-modified-since", "if-range"].contains(&header);
                if method == Method::GET && (saves || is_versioned && value == "*") {
                    // The response is the whole, or 304.
                    continue;
                }
                let asked = HttpRequest::new(method.clone(), &place).bearer(credential);
                let asked = match &place {
                    place if place.ends_with("/move") => asked.json(&serde_json::json!({})),
                    _ if [Method::PUT, Method::PATCH].contains(&method) && is_versioned => {
                        let member = if place.ends_with("/complete") { "completed" } else { "" };
                        asked.json(&match member {
                            "" => serde_json::json!({ "title": "Rest" }),
                            _ => serde_json::json!({ "completed": true }),
                        })
                    }
                    _ => asked,
                };
                let reply = asked.header(header, value).send(address).await;
                if is_versioned && header == "if-match" {
                    assert_stale(&reply);
                    continue;
                }
                assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{what}: {reply:?}");
                let named = reply.json().to_string().to_lowercase().contains(header);
                assert!(named, "{what}: {reply:?}");
            }
        }
    }
    assert_eq!(alice.all_tasks().await, [task]);
    assert!(alice.session_lives().await);
}

#[track_caller]
fn assert_stale(reply: &Reply) {
    assert_eq!(reply.status, StatusCode::PRECONDITION_FAILED, "{reply:?}");
    assert_eq!(Problem::read(reply).code, "STALE_ETAG");
}

/// Sends the lines as a header of a request about one task.
async fn sent(
    world: &World,
    alice: &SignedIn,
    method: Method,
    id: &str,
    header: &'static str,
    lines: &[&str],
) -> Reply {
    let path = format!("/api/{}/tasks/{id}", alice.id());
    let mut asked = HttpRequest::new(method.clone(), &path).bearer(&alice.access_token);
    if method == Method::PATCH {
        asked = asked.json(&serde_json::json!({ "title": "Rest" }));
    }
    for line in lines {
        asked = asked.header(header, line);
    }
    asked.send(world.tasks_http()).await
}

async fn a_change_is_made_to_a_version_that_is_named(world: &World) {
    let alice = world.alice().await;
    for is_made_by in 0..5 {
        let task = alice.create("Water the plants").await;
        let (tag, weak) = (format!("\"{}\"", task.etag), format!("W/\"{}\"", task.etag));
        for lines in [&["\"a\""][..], &["\"a\", \"b\""], &["\"a\"", "\"b\""], &["\"\""]] {
            let reply = sent(world, &alice, Method::PATCH, &task.id, "if-match", lines).await;
            assert_stale(&reply);
            assert!(!Problem::read(&reply).detail.contains("weak"));
        }
        // As a proxy makes it that compresses.
        let reply = sent(world, &alice, Method::PATCH, &task.id, "if-match", &[&weak]).await;
        assert_stale(&reply);
        assert!(Problem::read(&reply).detail.contains("send the task's `etag` in quotes"));
        let faulty = sent(world, &alice, Method::PATCH, &task.id, "if-match", &[&task.etag]).await;
        assert_eq!(Problem::read(&faulty).faults[0].0, "If-Match");
        let (listed, with_weak) = (format!("\"a\", {tag}"), format!("W/\"a\", {tag}"));
        let lines: &[&str] = match is_made_by {
            0 => &[&tag],
            1 => &[&listed],
            2 => &["\"a\"", &tag],
            3 => &[&with_weak],
            _ => &["*"],
        };
        let reply = sent(world, &alice, Method::PATCH, &task.id, "if-match", lines).await;
        assert_eq!(reply.status, StatusCode::OK, "{lines:?}: {reply:?}");
        // What is not there has no version; that it is not there comes first.
        let unknown = unknown_uuid();
        let reply = sent(world, &alice, Method::PATCH, &unknown, "if-match", lines).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{lines:?}: {reply:?}");
    }
}

fn unknown_uuid() -> String {
    "018bcfe5-687b-7aaa-8bbb-0123456789ab".to_owned()
}

async fn a_version_is_read_if_it_is_named_and_not_held(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    let (tag, weak) = (format!("\"{}\"", task.etag), format!("W/\"{}\"", task.etag));
    let listed = format!("\"a\", {weak}");
    for method in [Method::GET, Method::HEAD] {
        for (header, lines, status) in [
            ("if-none-match", &[&*tag][..], 304),
            ("if-none-match", &[&weak], 304),
            ("if-none-match", &[&listed], 304),
            ("if-none-match", &["\"a\"", &tag], 304),
            ("if-none-match", &["*"], 304),
            ("if-none-match", &["\"a\""], 200),
            ("if-none-match", &["a"], 400),
            ("if-match", &[&tag], 200),
            ("if-match", &["*"], 200),
            ("if-match", &[&weak], 412),
            ("if-match", &["\"a\""], 412),
            ("if-modified-since", &[DATE], 200),
            ("if-range", &[&tag], 200),
            ("if-unmodified-since", &[DATE], 400),
        ] {
            let reply = sent(world, &alice, method.clone(), &task.id, header, lines).await;
            assert_eq!(reply.status.as_u16(), status, "{method} {header}: {lines:?}");
            let has_body = method == Method::GET && status != 304;
            assert_eq!(!reply.body.is_empty(), has_body, "{method} {header}: {lines:?}");
            if [200, 304].contains(&status) {
                assert_eq!(reply.text("etag"), tag);
            }
        }
    }
}
