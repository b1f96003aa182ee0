//! A member that is left out, one that is `null` and one that is empty are three things.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    caller::SignedIn,
    exchange::{HttpRequest, Reply},
    scenarios::over_http_alone,
    wire::Problem,
    world::World,
};

over_http_alone!(
    a_change_writes_what_is_there_and_null_clears_it,
    what_cannot_be_empty_is_a_fault_and_no_way_to_clear_it,
    a_replacement_clears_what_it_leaves_out,
    members_have_a_second_spelling_but_come_once,
    a_fault_of_type_is_named_by_its_path,
);

/// A task with every field.
fn whole() -> Value {
    json!({
        "title": "Water the plants",
        "description": "twice",
        "priority": "high",
        "tags": ["Home", "garden"],
        "due_at": "2031-11-25T10:00:00+01:00",
        "due_zone": "Europe/Berlin",
        "reminders": [{ "minutes_before": 10 }, { "at": "2031-11-24T18:00:00Z" }],
        "recurrence": { "rule": "FREQ=DAILY", "from": "completion", "time_zone": "Asia/Tokyo" },
    })
}

async fn sent(world: &World, caller: &SignedIn, method: Method, id: &str, body: &Value) -> Reply {
    let path = format!("/api/{}/tasks{id}", caller.id());
    let asked = HttpRequest::new(method, &path).bearer(&caller.access_token).json(body);
    asked.send(world.tasks_http()).await
}

/// A new task with every field, and its path.
async fn made(world: &World, caller: &SignedIn) -> (Value, String) {
    let reply = sent(world, caller, Method::POST, "", &whole()).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let task = reply.json();
    let id = format!("/{}", task["id"].as_str().expect("an id"));
    (task, id)
}

/// `task` with these members, but for what every change moves.
#[track_caller]
fn assert_only(reply: &Reply, before: &Value, changes: &Value) {
    assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
    let (mut expected, after) = (before.clone(), reply.json());
    for name in ["updated_at", "etag"] {
        expected[name] = after[name].clone();
    }
    for (name, value) in changes.as_object().expect("members") {
        expected[name] = value.clone();
    }
    assert_eq!(after, expected);
}

#[track_caller]
fn assert_faulty(reply: &Reply, fields: &[&str]) {
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    let faults = Problem::read(reply).faults;
    let named: Vec<_> = faults.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(named, fields, "{reply:?}");
}

async fn a_change_writes_what_is_there_and_null_clears_it(world: &World) {
    let alice = world.alice().await;
    for (body, changes) in [
        (json!({ "title": "Rest" }), json!({ "title": "Rest" })),
        (json!({ "description": null }), json!({ "description": "" })),
        (json!({ "description": "" }), json!({ "description": "" })),
        (json!({ "priority": null }), json!({ "priority": "medium" })),
        (json!({ "tags": null }), json!({ "tags": [] })),
        (json!({ "tags": [] }), json!({ "tags": [] })),
        (json!({ "reminders": null }), json!({ "reminders": [] })),
        (json!({ "reminders": [] }), json!({ "reminders": [] })),
        (json!({ "recurrence": null }), json!({ "recurrence": null })),
        (json!({ "due_date": null }), json!({})),
        (
            json!({ "due_zone": null }),
            json!({ "due_zone": "UTC", "recurrence": {
                "rule": "FREQ=DAILY", "from": "completion", "time_zone": "Asia/Tokyo",
                "start": "2031-11-25T09:00:00",
            } }),
        ),
        (
            json!({ "due_at": null, "reminders": null, "recurrence": null }),
            json!({ "due_at": null, "due_zone": null, "reminders": [], "recurrence": null }),
        ),
        (
            json!({ "due_date": "2031-12-01", "reminders": [] }),
            json!({
                "due_date": "2031-12-01", "due_at": null, "due_zone": null, "reminders": [],
                "recurrence": {
                    "rule": "FREQ=DAILY", "from": "completion", "time_zone": "Asia/Tokyo",
                    "start": "2031-12-01T00:00:00",
                },
            }),
        ),
        (
            json!({ "recurrence": { "rule": "FREQ=WEEKLY" } }),
            json!({ "recurrence": {
                "rule": "FREQ=WEEKLY", "from": "due", "start": "2031-11-25T10:00:00",
            } }),
        ),
    ] {
        let (before, id) = made(world, &alice).await;
        let reply = sent(world, &alice, Method::PATCH, &id, &body).await;
        assert_only(&reply, &before, &changes);
    }
}

async fn what_cannot_be_empty_is_a_fault_and_no_way_to_clear_it(world: &World) {
    let alice = world.alice().await;
    let (before, id) = made(world, &alice).await;
    for (body, fields) in [
        (json!({}), &["body"][..]),
        (json!({ "title": null }), &["title"]),
        (json!({ "title": "" }), &["title"]),
        (json!({ "due_date": "" }), &["due_date"]),
        (json!({ "due_at": "" }), &["due_at"]),
        (json!({ "due_at": "2031-11-25T09:00:00Z", "due_zone": "" }), &["due_zone"]),
        (json!({ "priority": "" }), &["priority"]),
        (json!({ "recurrence": { "rule": "" } }), &["recurrence.rule"]),
        (json!({ "due_at": null }), &["reminders", "recurrence"]),
    ] {
        assert_faulty(&sent(world, &alice, Method::PATCH, &id, &body).await, fields);
    }
    let now = sent(world, &alice, Method::GET, &id, &json!({})).await;
    assert_eq!(now.json(), before);
}

async fn a_replacement_clears_what_it_leaves_out(world: &World) {
    let alice = world.alice().await;
    let (before, id) = made(world, &alice).await;
    let reply = sent(world, &alice, Method::PUT, &id, &json!({ "title": "Rest" })).await;
    let changes = json!({
        "title": "Rest", "description": "", "priority": "medium", "tags": [],
        "due_at": null, "due_zone": null, "reminders": [], "recurrence": null,
    });
    assert_only(&reply, &before, &changes);
    // The same replacement leads to the same task, whatever was there before.
    let instant = json!({ "title": "Rest", "due_at": "2031-11-25T09:00:00Z" });
    let (before, id) = made(world, &alice).await;
    let reply = sent(world, &alice, Method::PUT, &id, &instant).await;
    let changes = json!({
        "title": "Rest", "description": "", "priority": "medium", "tags": [],
        "due_at": "2031-11-25T09:00:00.000000Z", "due_zone": "UTC", "reminders": [],
        "recurrence": null,
    });
    assert_only(&reply, &before, &changes);
}

async fn members_have_a_second_spelling_but_come_once(world: &World) {
    let alice = world.alice().await;
    let other = json!({
        "title": "Water the plants",
        "dueAt": "2031-11-25T09:00:00Z",
        "dueZone": "Europe/Berlin",
        "reminders": [{ "minutesBefore": 10 }],
        "recurrence": { "rule": "FREQ=DAILY", "timeZone": "Asia/Tokyo" },
    });
    let reply = sent(world, &alice, Method::POST, "", &other).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{reply:?}");
    let task = reply.json();
    assert_eq!(task["due_zone"], "Europe/Berlin");
    assert_eq!(task["reminders"], json!([{ "minutes_before": 10 }]));
    assert_eq!(task["recurrence"]["time_zone"], "Asia/Tokyo");
    let id = format!("/{}", task["id"].as_str().expect("an id"));
    let dated = json!({ "dueDate": "2031-12-01", "reminders": [] });
    let reply = sent(world, &alice, Method::PATCH, &id, &dated).await;
    assert_eq!(reply.json()["due_date"], "2031-12-01", "{reply:?}");
    let twice = json!({ "dueDate": "2031-12-01", "due_date": "2031-12-01" });
    let reply = sent(world, &alice, Method::PATCH, &id, &twice).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
}

async fn a_fault_of_type_is_named_by_its_path(world: &World) {
    let alice = world.alice().await;
    for (name, value) in [
        ("tags", json!("home")),
        ("due_date", json!(20_311_125)),
        ("due_at", json!("tomorrow")),
        ("due_at", json!("2031-11-25T09:00:00")),
        ("due_at", json!(1_795_600_000)),
        ("reminders", json!({ "minutes_before": 10 })),
    ] {
        let body = json!({ "title": "x", name: value });
        assert_faulty(&sent(world, &alice, Method::POST, "", &body).await, &[name]);
    }
    // Within a list or a rule the path is given as far as it is known.
    for (name, value) in [
        ("tags", json!(["home", 1])),
        ("reminders", json!([{ "minutes": 10 }])),
        ("reminders", json!([{ "minutes_before": 1e99 }])),
        ("recurrence", json!("FREQ=DAILY")),
        ("recurrence", json!({ "rule": "FREQ=DAILY", "from": "start" })),
        ("recurrence", json!({ "rule": "FREQ=DAILY", "since": "x" })),
    ] {
        let body = json!({ "title": "x", name: value });
        let reply = sent(world, &alice, Method::POST, "", &body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
        let faults = Problem::read(&reply).faults;
        let named = matches!(&faults[..], [(field, _)] if field.starts_with(name));
        assert!(named, "{reply:?}");
    }
    // Members that the server sets are refused.
    for name in ["series_id", "occurrence", "position", "deleted_at", "id", "completed_at"] {
        let body = json!({ "title": "x", name: "x" });
        assert_faulty(&sent(world, &alice, Method::POST, "", &body).await, &[name]);
    }
}
