//! A user reads everything that is held about them, as one document, and nothing of others.

use chrono::TimeDelta;
use proto::{
    auth::v1::ExportUserDataRequest,
    task::v1::{BatchCreateTasksRequest, CreateTaskRequest, Reminder},
};
use serde_json::{Value, json};
use shared::clock::ManualClock;
use tonic::{Code, Status};

use crate::{
    answer::Refused,
    caller::{PASSWORD, SignedIn, at},
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    world::World,
};

in_both_worlds!(
    everything_of_a_user_is_in_the_document_and_nothing_else,
    a_long_document_is_whole,
    without_a_task_service_the_document_says_so,
);

in_both_worlds_with_manual_clock!(only_a_recently_signed_in_user_gets_it);

/// The document as it came.
pub async fn exported(caller: &SignedIn) -> Result<Vec<u8>, Status> {
    let answer = caller.sessions().export_user_data(ExportUserDataRequest {}).await?;
    let (mut chunks, mut document) = (answer.into_inner(), Vec::new());
    while let Some(message) = chunks.message().await? {
        document.extend(message.chunk);
    }
    Ok(document)
}

async fn document(caller: &SignedIn) -> Value {
    let text = exported(caller).await.expect("a document");
    serde_json::from_slice(&text).expect("one JSON document")
}

fn members(value: &Value) -> Vec<&str> {
    let mut names: Vec<_> =
        value.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

fn titles(document: &Value) -> Vec<&str> {
    let tasks = document["tasks"].as_array().expect("a list").iter();
    let mut titles: Vec<_> = tasks.map(|task| task["title"].as_str().expect("a title")).collect();
    titles.sort_unstable();
    titles
}

async fn everything_of_a_user_is_in_the_document_and_nothing_else(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let empty = document(&alice).await;
    assert_eq!((&empty["tasks"], &empty["past_reminders"]), (&json!([]), &json!([])));

    world.stranger().sign_in("alice@example.com").await;
    let late = Reminder { at: Some(at("2101-01-31T08:00:00Z")), minutes_before: None };
    let made = alice.make("remind me, \"Ünï\" \u{2028}", |new| new.reminders = vec![late]).await;
    let made = made.expect("a task");
    let gone = alice.create("gone").await;
    alice.delete(&gone.id).await.expect("deleted");
    bob.create("his").await;

    let export = document(&alice).await;
    assert_eq!(
        members(&export),
        [
            "accounts",
            "exported_at",
            "past_reminders",
            "security_events",
            "sessions",
            "task_security_events",
            "tasks",
            "user",
        ]
    );
    assert_eq!(export["user"]["id"], alice.id());
    assert_eq!(export["user"]["email"], "alice@example.com");
    assert_eq!(export["accounts"].as_array().map(Vec::len), Some(1));
    assert_eq!(export["accounts"][0]["provider_id"], "credential");
    let sessions = export["sessions"].as_array().expect("a list");
    assert_eq!(sessions.len(), 2);
    for session in sessions {
        let moment = |name: &str| session[name].as_str().expect("a moment");
        assert!(moment("last_used_at") >= moment("created_at"));
    }
    assert_eq!(titles(&export), ["gone", &made.title]);
    let tasks = export["tasks"].as_array().expect("a list");
    for task in tasks {
        assert_eq!(task["user_id"], alice.id());
        assert_eq!(task["deleted_at"].is_string(), task["title"] == "gone");
        let reminders = usize::from(task["title"] != "gone");
        assert_eq!(task["reminders"].as_array().map(Vec::len), Some(reminders));
    }
    // No secret, in whatever form it is stored, and no other user.
    let text = export.to_string();
    let hashes: Vec<String> = world.auth_table("account").await.column("password").await;
    let tokens: Vec<String> = world.auth_table("session").await.column("token").await;
    let secrets = [PASSWORD.to_owned(), alice.session_token.clone(), alice.access_token.clone()];
    let others = [bob.id(), "bob@example.com".to_owned()];
    for hidden in hashes.iter().chain(&tokens).chain(&secrets).chain(&others) {
        assert!(!text.contains(hidden.as_str()));
    }
}

async fn a_long_document_is_whole(world: &World) {
    let alice = world.alice().await;
    let made: Vec<_> = (0..450).map(|n| format!("task {n:03}")).collect();
    let tasks =
        made.iter().map(|title| CreateTaskRequest { title: title.clone(), ..Default::default() });
    let request = BatchCreateTasksRequest {
        user_id: alice.id(),
        tasks: tasks.collect(),
        request_id: String::new(),
    };
    alice.bulk().batch_create_tasks(request).await.expect("created");
    assert_eq!(titles(&document(&alice).await), made);
}

async fn without_a_task_service_the_document_says_so(world: &World) {
    let alone = world.another(&[("TASK_SERVICE_URL", "off")]).await;
    let export = document(&alone.alice().await).await;
    for elsewhere in ["tasks", "past_reminders", "task_security_events"] {
        assert_eq!(export.get(elsewhere), Some(&Value::Null), "{elsewhere}");
    }
    assert_eq!(export["user"]["email"], "alice@example.com");
    alone.stop().await;
}

async fn only_a_recently_signed_in_user_gets_it(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    exported(&alice).await.expect("a document");
    clock.advance(TimeDelta::hours(25));
    exported(&alice).await.refused(Code::PermissionDenied, "SESSION_NOT_FRESH");
    let again = world.stranger().sign_in("alice@example.com").await;
    exported(&again).await.expect("a document");
}
