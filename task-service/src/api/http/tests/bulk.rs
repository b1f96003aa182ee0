//! The routes of many tasks at once.

use super::*;

impl World {
    async fn upload(&self, user: &str, path: &str, lines: &str) -> Answer {
        let mut request = self.request("POST", user, path, &json!({}));
        let content_type = "application/x-ndjson".parse().expect("a value");
        request.headers_mut().insert("content-type", content_type);
        *request.body_mut() = Body::from(lines.to_owned());
        self.send(request).await
    }

    /// All tasks of `user`, as text.
    async fn download(&self, user: &str) -> String {
        let request = self.request("GET", user, "/tasks/export", &Value::Null);
        let response = self.routes().oneshot(request).await.expect("an answer");
        assert_eq!(response.headers()["content-type"], "application/x-ndjson");
        assert_eq!(response.extensions().get(), Some(&server::StreamKind::Export));
        let text = to_bytes(response.into_body(), usize::MAX).await.expect("a body");
        String::from_utf8(text.into()).expect("text")
    }
}

fn fields(answer: &Answer) -> Vec<String> {
    let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
    errors.iter().map(|e| e["field"].as_str().unwrap_or_default().to_owned()).collect()
}

fn ids(answer: &Answer) -> Vec<String> {
    let tasks = answer.body.as_array().expect("a list");
    tasks.iter().map(|task| task["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn tasks_live_through_every_batch() {
    let world = World::start().await;
    let new = json!({"tasks": [{"title": "a", "description": "x"}, {"title": "b", "tags": ["t"]}]});
    let made = world.ask("POST", "/tasks/batch/create", new).await;
    assert_eq!((made.status, &made.body[1]["title"]), (201, &json!("b")));
    let ids = ids(&made);
    let changes = json!({"ids": ids, "changes": {
        "description": null, "dueAt": "2026-11-25T09:00:00Z", "dueZone": "Europe/Berlin",
    }});
    let after = world.ask("POST", "/tasks/batch/update", changes).await;
    assert_eq!((after.status, &after.body[0]["description"]), (200, &json!("")));
    assert_eq!(after.body[0]["title"], "a");
    assert_eq!(after.body[1]["due_zone"], "Europe/Berlin");
    assert_eq!(after.body[1]["tags"], json!(["t"]), "left out, so left alone");
    let done = world.ask("POST", "/tasks/batch/complete", json!({"ids": ids})).await;
    assert_eq!((done.status, &done.body[1]["completed"]), (200, &json!(true)));
    let gone = world.ask("POST", "/tasks/batch/delete", json!({"ids": ids})).await;
    assert_eq!((gone.status, &gone.body), (204, &Value::Null));
    let missing = world.ask("POST", "/tasks/batch/delete", json!({"ids": ids})).await;
    assert_eq!((missing.status, &missing.body["error_code"]), (404, &json!("TASK_NOT_FOUND")));
    assert_eq!(fields(&missing), ["ids[0]", "ids[1]"]);
}

#[tokio::test]
async fn every_fault_of_a_batch_is_named_with_its_index() {
    let world = World::start().await;
    let strange = json!({"tasks": [{"title": "a"}, {"title": 5, "user_id": "ada"}, 3]});
    let answer = world.ask("POST", "/tasks/batch/create", strange).await;
    assert_eq!(answer.status, 400);
    assert_eq!(fields(&answer), ["tasks[1].title", "tasks[1].user_id", "tasks[2]"]);
    let faulty = json!({"tasks": [{"title": "a"}, {"title": ""}, {"title": "a", "tags": [""]}]});
    let answer = world.ask("POST", "/tasks/batch/create", faulty).await;
    assert_eq!(fields(&answer), ["tasks[1].title", "tasks[2].tags"]);
    for (body, faults) in [
        (json!({}), &["ids", "changes"][..]),
        (json!({"ids": ["a"], "changes": {}}), &["changes"]),
        (json!({"ids": ["a", "a"], "changes": {"title": null}}), &["ids[1]", "changes.title"]),
        (json!({"ids": ["a"], "changes": {"titel": "a"}}), &["changes.titel"]),
        (json!({"ids": [1], "changes": {"title": "a"}}), &["ids[0]"]),
    ] {
        let answer = world.ask("POST", "/tasks/batch/update", body.clone()).await;
        assert_eq!(
            (answer.status, fields(&answer)),
            (400, faults.iter().map(|f| (*f).to_owned()).collect()),
            "{body}"
        );
    }
    assert_eq!(world.download("ada").await, "");
}

#[tokio::test]
async fn a_batch_with_a_key_is_safe_to_repeat() {
    let world = World::start().await;
    let send = async |path: &str, body: Value| {
        let mut request = world.request("POST", "ada", path, &body);
        request.headers_mut().insert("idempotency-key", "k".parse().expect("a value"));
        world.send(request).await
    };
    let new = json!({"tasks": [{"title": "a"}]});
    let first = send("/tasks/batch/create", new.clone()).await;
    let again = send("/tasks/batch/create", new).await;
    assert_eq!((again.status, &again.body), (201, &first.body));
    for (path, body) in [
        ("/tasks/batch/create", json!({"tasks": [{"title": "b"}]})),
        ("/tasks/batch/delete", json!({"ids": ids(&first)})),
        ("/tasks", json!({"title": "a"})),
    ] {
        let reused = send(path, body).await;
        assert_eq!((reused.status, &reused.body["error_code"]), (409, &json!("REQUEST_ID_REUSED")));
    }
}

#[tokio::test]
async fn an_export_is_the_json_of_each_task_and_can_be_imported() {
    let world = World::start().await;
    let new = json!({"tasks": [
        {"title": "a", "due_date": "2026-11-25", "recurrence": {"rule": "FREQ=DAILY"}},
        {"title": "b", "dueAt": "2026-11-25T09:00:00Z", "reminders": [{"minutes_before": 5}]},
        {"title": "c", "priority": "urgent", "tags": ["x"]},
    ]});
    let made = ids(&world.ask("POST", "/tasks/batch/create", new).await);
    world.ask("POST", "/tasks/batch/complete", json!({"ids": made[..1]})).await;
    let text = world.download("ada").await;
    assert_eq!(text.lines().count(), 4);
    for line in text.lines() {
        let task: Value = serde_json::from_str(line).expect("JSON");
        let path = format!("/tasks/{}", task["id"].as_str().expect("an id"));
        assert_eq!(world.ask("GET", &path, Value::Null).await.body, task);
    }
    let report = world.upload("bob", "/tasks/import", &text).await;
    assert_eq!((report.status, &report.body["imported"]), (200, &json!(4)));
    let theirs = |text: &str| -> Vec<Value> {
        let parse = |line: &str| {
            let mut task: Value = serde_json::from_str(line).expect("JSON");
            task["user_id"] = Value::Null;
            task["etag"] = Value::Null;
            // Hers were hers alone; his stand in the same order (see the store's tests).
            task["position"] = Value::Null;
            task
        };
        text.lines().map(parse).collect()
    };
    assert_eq!(theirs(&world.download("bob").await), theirs(&text));
    let again = world.upload("bob", "/tasks/import?dry_run=true", &text).await;
    assert_eq!(
        again.body,
        json!({"received": 4, "imported": 0, "skipped": 4, "faulty": 0, "faults": [], "dry_run": true})
    );
}

#[tokio::test]
async fn faulty_lines_have_numbers_and_nothing_is_stored() {
    let world = World::start().await;
    let lines = "{\"title\": \"a\"}\n\n{\"titel\": \"b\"}\nnonsense\n{\"title\": \"\"}\n[]\n\
                 {\"title\": \"c\", \"deletedAt\": \"2026-11-25T09:00:00Z\"}";
    let refused = world.upload("ada", "/tasks/import", lines).await;
    assert_eq!((refused.status, &refused.body["error_code"]), (400, &json!("INVALID_ARGUMENT")));
    let expected =
        ["line 3: titel", "line 4: body", "line 5: title", "line 6: body", "line 7: deleted_at"];
    assert_eq!(fields(&refused), expected);
    let detail = refused.body["detail"].as_str().expect("a sentence");
    assert!(detail.starts_with("5 of 6 tasks are faulty, and nothing was imported"), "{detail}");
    assert_eq!(world.download("ada").await, "");
    let dry = world.upload("ada", "/tasks/import?dry_run=true", lines).await;
    assert_eq!((dry.status, &dry.body["faulty"]), (200, &json!(5)));
    assert_eq!(dry.body["faults"][0]["line"], 3);
    let sound = world.upload("ada", "/tasks/import?dry_run=true", "{\"title\":\"a\"}").await;
    assert_eq!((sound.status, &sound.body["imported"]), (200, &json!(1)));
    // As editors save it that say how the text is encoded.
    let marked = "\u{feff}{\"title\":\"a\"}\r\n{\"title\":\"b\"}\r\n";
    let sound = world.upload("ada", "/tasks/import?dry_run=true", marked).await;
    assert_eq!((sound.status, &sound.body["imported"]), (200, &json!(2)));
    assert_eq!(world.download("ada").await, "");
}

#[tokio::test]
async fn an_import_checks_caller_and_content_type_first() {
    let world = World::start().await;
    let foreign = world.request("POST", "ada", "/tasks/import", &json!({"title": "a"}));
    let (mut parts, body) = foreign.into_parts();
    parts.headers.insert("authorization", world.bearer("eve").parse().expect("a value"));
    let answer = world.send(Request::from_parts(parts, body)).await;
    assert_eq!(answer.status, 403);
    let json = world.ask("POST", "/tasks/import", json!({"title": "a"})).await;
    assert_eq!((json.status, &json.body["error_code"]), (415, &json!("UNSUPPORTED_MEDIA_TYPE")));
    let strange = world.upload("ada", "/tasks/import?dryrun=true", "{\"title\":\"a\"}").await;
    assert_eq!((strange.status, fields(&strange)), (400, vec!["dryrun".to_owned()]));
    let long = format!("{{\"title\":\"a\",\"description\":\"{}\"}}", "x".repeat(140_000));
    assert_eq!(world.upload("ada", "/tasks/import", &long).await.status, 413);
    let largest = json!({"title": "🦀".repeat(200), "description": "\u{1}".repeat(10_000)});
    assert_eq!(world.upload("ada", "/tasks/import", &largest.to_string()).await.status, 200);
    assert_eq!(world.download("ada").await.lines().count(), 1);
}
