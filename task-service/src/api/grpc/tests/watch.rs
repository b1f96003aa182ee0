//! Watches: missed changes come first, then live ones, and the end has a reason.

mod outage;

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta};
use proto::task::v1::watch_tasks_response::Event;
use server::StreamKind;
use shared::clock::ManualClock;
use tokio::time::timeout;
use tonic::Streaming;

use super::*;
use crate::world::every_user;

/// Short, so that tests see some.
const BEAT: Duration = Duration::from_millis(50);

type Client = TaskServiceClient<Guarded>;
type Events = Streaming<pb::WatchTasksResponse>;

impl World {
    fn watchers(&self, beat: Duration) -> Client {
        TaskServiceClient::new(guarded(&self.gate, Rpcs::with_heartbeat(self.tasks(), beat)))
    }

    async fn made(&self, user: &str, title: &str) -> pb::Task {
        let new = pb::CreateTaskRequest {
            user_id: user.into(),
            title: title.into(),
            ..Default::default()
        };
        let made = self.client().create_task(self.by(user, new)).await.expect("created");
        made.into_inner().task.expect("a task")
    }

    async fn open(&self, client: &mut Client, user: &str, token: &str) -> Result<Events, Status> {
        let message = pb::WatchTasksRequest { user_id: user.into(), sync_token: token.into() };
        let answer = client.watch_tasks(self.by(user, message)).await?;
        assert_eq!(answer.extensions().get(), Some(&StreamKind::Watch));
        Ok(answer.into_inner())
    }
}

async fn next(reply: &mut Events) -> Result<(Event, String), Status> {
    let message = timeout(Duration::from_secs(5), reply.message()).await.expect("in time")?;
    let message = message.expect("it ends with a status");
    Ok((message.event.expect("an event"), message.sync_token))
}

/// In words, with the token behind it.
async fn word(reply: &mut Events) -> (String, String) {
    let (event, token) = next(reply).await.expect("an event");
    let word = match event {
        Event::Changed(task) => task.title,
        Event::Deleted(_) => "gone".into(),
        Event::Reminder(reminder) => {
            format!("remember {}", reminder.task.expect("a task").title)
        }
        Event::Heartbeat(beat) => {
            assert!(beat.at.is_some());
            "nothing".into()
        }
    };
    (word, token)
}

async fn words(reply: &mut Events, count: usize) -> Vec<String> {
    let mut words = Vec::new();
    for _ in 0..count {
        words.push(word(reply).await.0);
    }
    words
}

#[tokio::test]
async fn what_was_missed_comes_first_then_what_happens() {
    let world = World::start().await;
    let mut client = world.watchers(Duration::from_secs(15));
    world.made("alice", "one").await;
    let two = world.made("alice", "two").await;
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    let (_, behind_one) = word(&mut reply).await;
    assert_eq!(words(&mut reply, 1).await, ["two"]);
    world.made("bob", "his").await;
    world.made("alice", "three").await;
    assert_eq!(words(&mut reply, 1).await, ["three"]);
    let delete = pb::DeleteTaskRequest { user_id: "alice".into(), id: two.id, etag: String::new() };
    client.delete_task(world.by("alice", delete)).await.expect("deleted");
    assert_eq!(words(&mut reply, 1).await, ["gone"]);
    // Each token resumes the stream.
    let mut again = world.open(&mut client, "alice", &behind_one).await.expect("a stream");
    assert_eq!(words(&mut again, 2).await, ["three", "gone"]);
}

#[tokio::test]
async fn a_heartbeat_has_a_cursor() {
    let world = World::start().await;
    let mut client = world.watchers(BEAT);
    world.made("alice", "one").await;
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    assert_eq!(words(&mut reply, 2).await, ["one", "nothing"]);
    let (beat, token) = word(&mut reply).await;
    assert_eq!(beat, "nothing");
    world.made("bob", "his").await;
    assert_eq!(words(&mut reply, 2).await, ["nothing", "nothing"]);
    drop(reply);
    world.made("alice", "two").await;
    let mut again = world.open(&mut client, "alice", &token).await.expect("a stream");
    assert_eq!(words(&mut again, 2).await, ["two", "nothing"]);
}

/// Over a store of its own, so that nothing wakes the watcher.
#[tokio::test]
async fn a_change_whose_notification_was_lost_is_sent_with_the_next_heartbeat() {
    let world = World::start().await;
    let mut client = world.watchers(BEAT);
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    assert_eq!(words(&mut reply, 1).await, ["nothing"]);
    let elsewhere = Tasks::new(world.database.clone(), world.clock.clone());
    let mut other = TaskServiceClient::new(guarded(&world.gate, Rpcs::new(elsewhere)));
    let new = pb::CreateTaskRequest {
        user_id: "alice".into(),
        title: "unheard of".into(),
        ..Default::default()
    };
    other.create_task(world.by("alice", new)).await.expect("created");
    assert!(words(&mut reply, 10).await.contains(&"unheard of".to_owned()));
}

#[tokio::test]
async fn a_slow_client_gets_the_last_state_and_not_each() {
    let world = World::start().await;
    let mut client = world.watchers(Duration::from_secs(15));
    let task = world.made("alice", "0").await;
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    for number in 1..=100 {
        let update = pb::UpdateTaskRequest {
            user_id: "alice".into(),
            id: task.id.clone(),
            title: Some(number.to_string()),
            ..Default::default()
        };
        client.update_task(world.by("alice", update)).await.expect("updated");
    }
    let mut seen = Vec::new();
    while seen.last().is_none_or(|last| last != "100") {
        seen.push(word(&mut reply).await.0);
    }
    assert!(seen.len() <= 3, "{seen:?}");
}

#[tokio::test]
async fn a_watch_ends_when_its_token_does() {
    let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    let clock = Arc::new(ManualClock::at(start));
    let world = World::at(clock.clone()).await;
    let mut client = world.watchers(BEAT);
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    clock.advance(TimeDelta::seconds(15 * 60 - 1));
    assert_eq!(words(&mut reply, 2).await, ["nothing", "nothing"]);
    clock.advance(TimeDelta::seconds(1));
    world.tasks().pubsub().publish_change("alice");
    let end = loop {
        match next(&mut reply).await {
            Ok((Event::Heartbeat(_), _)) => {}
            Ok(_) => panic!("nothing happens"),
            Err(end) => break end,
        }
    };
    assert_eq!(end.code(), Code::Unauthenticated);
    assert_eq!(end.get_details_error_info().expect("a reason").reason, "TOKEN_EXPIRED");
    assert!(reply.message().await.expect("over").is_none());
}

/// Also a stream that always has an event.
#[tokio::test]
async fn a_busy_watch_ends_too() {
    let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    let clock = Arc::new(ManualClock::at(start));
    let world = World::at(clock.clone()).await;
    let mut client = world.watchers(Duration::from_secs(15));
    for _ in 0..20 {
        let new = pb::CreateTaskRequest {
            user_id: "alice".into(),
            title: "long".into(),
            description: "x".repeat(10_000),
            ..Default::default()
        };
        client.create_task(world.by("alice", new)).await.expect("created");
    }
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    word(&mut reply).await;
    clock.advance(TimeDelta::minutes(15));
    // Messages in the transport are still received.
    let mut more = 0;
    let end = loop {
        match next(&mut reply).await {
            Ok(_) => more += 1,
            Err(end) => break end,
        }
    };
    assert_eq!(end.code(), Code::Unauthenticated);
    assert!(more < 10, "{more}");
}

#[tokio::test]
async fn a_reminder_is_sent_with_its_task() {
    let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
    let clock = Arc::new(ManualClock::at(start));
    let world = World::at(clock.clone()).await;
    let mut client = world.watchers(Duration::from_secs(15));
    let at = prost_types::Timestamp { seconds: 1_700_000_060, nanos: 0 };
    let reminder = pb::Reminder { at: Some(at), minutes_before: None };
    let new = pb::CreateTaskRequest {
        user_id: "alice".into(),
        title: "water".into(),
        reminders: vec![reminder],
        ..Default::default()
    };
    client.create_task(world.by("alice", new)).await.expect("created");
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    let (_, token) = word(&mut reply).await;
    clock.advance(TimeDelta::seconds(200));
    world.tasks().fire_due(every_user()).await.expect("fired");
    let (event, behind) = next(&mut reply).await.expect("an event");
    let Event::Reminder(reminder) = event else { panic!("{event:?}") };
    assert_eq!(reminder.task.expect("a task").title, "water");
    assert_eq!((reminder.at, reminder.late), (Some(at), true));
    // A client that reconnects gets the reminder as well, once.
    let mut again = world.open(&mut client, "alice", &token).await.expect("a stream");
    assert_eq!(words(&mut again, 1).await, ["remember water"]);
    let mut anew = world.open(&mut client, "alice", "").await.expect("a stream");
    assert_eq!(words(&mut anew, 1).await, ["water"]);
    world.made("alice", "next").await;
    assert_eq!(words(&mut anew, 1).await, ["next"], "the reminder was before");
    let mut later = world.open(&mut client, "alice", &behind).await.expect("a stream");
    assert_eq!(words(&mut later, 1).await, ["next"]);
}

#[tokio::test]
async fn an_invalid_watch_is_refused_before_any_event() {
    let world = World::start().await;
    let mut client = world.watchers(BEAT);
    let hers = pb::WatchTasksRequest { user_id: "alice".into(), sync_token: "nonsense".into() };
    let reply = client.watch_tasks(Request::new(hers.clone())).await.expect_err("no token");
    assert_eq!(reply.code(), Code::Unauthenticated);
    let reply = client.watch_tasks(world.by("bob", hers.clone())).await.expect_err("not his");
    assert_eq!(reply.code(), Code::PermissionDenied);
    let reply = client.watch_tasks(world.by("alice", hers)).await.expect_err("no token");
    assert_eq!(reply.code(), Code::InvalidArgument);
    let violations = reply.get_details_bad_request().expect("violations").field_violations;
    assert_eq!(violations[0].field, "sync_token");
    let ahead = crate::query::sync::SyncCursor::start(7, 0).token("alice");
    let reply = world.open(&mut client, "alice", &ahead).await.expect_err("of another database");
    assert_eq!(reply.code(), Code::OutOfRange);
    assert_eq!(reply.get_details_error_info().expect("a reason").reason, "SYNC_TOKEN_TOO_OLD");
}

#[tokio::test]
async fn a_database_that_is_gone_ends_it_as_unavailable() {
    let world = World::start().await;
    let mut client = world.watchers(BEAT);
    let mut reply = world.open(&mut client, "alice", "").await.expect("a stream");
    word(&mut reply).await;
    world.database.clone().close().await.expect("closed");
    let end = loop {
        if let Err(end) = next(&mut reply).await {
            break end;
        }
    };
    assert_eq!(end.code(), Code::Unavailable);
}

#[tokio::test]
async fn a_dropped_watch_leaves_no_subscription() {
    let world = World::start().await;
    let mut client = world.watchers(BEAT);
    let reply = world.open(&mut client, "alice", "").await.expect("a stream");
    let tasks = world.tasks();
    assert_eq!(tasks.pubsub().subscribed_users(), 1);
    drop(reply);
    assert_eq!(tasks.pubsub().subscribed_users(), 0);
}
