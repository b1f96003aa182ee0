//! Tasks live: what was missed, then what happens, as it happens.

use std::time::Duration;

use chrono::TimeDelta;
use fixtures::{Backend, FreshDatabase};
use proto::task::v1::{
    FiredReminder, Reminder, WatchTasksRequest, WatchTasksResponse, watch_tasks_response::Event,
};
use shared::clock::{Clock, ManualClock};
use tonic::{Code, Status, Streaming};

use super::sync::ahead_of_all;
use crate::{
    answer::Refused,
    binary::Binary,
    caller::{SignedIn, Stranger},
    process::{Server, Starting},
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock, tests},
    wire::{Transport, Wire},
    world::World,
};

in_both_worlds!(
    what_was_missed_comes_first_and_then_what_happens,
    a_watch_goes_on_from_where_another_one_ended,
    of_a_task_that_changes_quickly_the_last_state_is_sent,
    changes_of_others_are_never_sent,
    a_token_that_is_none_or_too_old_is_refused,
    a_reminder_is_sent_when_it_is_due,
);

in_both_worlds_with_manual_clock!(a_watch_ends_with_its_token);

/// Longer than any event takes on a busy machine, and than a lost wake-up is late.
const PATIENCE: Duration = Duration::from_mins(1);

/// A client that watches.
struct Line(Streaming<WatchTasksResponse>);

impl Line {
    async fn open(caller: &SignedIn, token: &str) -> Result<Self, Status> {
        let request = WatchTasksRequest { user_id: caller.id(), sync_token: token.into() };
        Ok(Self(caller.tasks().watch_tasks(request).await?.into_inner()))
    }

    /// The next message that is no heartbeat, or how it ended.
    async fn hear(&mut self) -> Result<(Event, String), Status> {
        loop {
            let response = tokio::time::timeout(PATIENCE, self.0.message()).await;
            let response =
                response.expect("an event in time")?.expect("a stream ends with a reason");
            assert!(!response.sync_token.is_empty());
            match response.event.expect("an event") {
                Event::Heartbeat(beat) => assert!(beat.at.is_some()),
                event => return Ok((event, response.sync_token)),
            }
        }
    }

    /// The next event in a few words, and the token behind it.
    async fn next(&mut self) -> (String, String) {
        let (event, token) = self.hear().await.expect("an event");
        let words = match event {
            Event::Changed(task) => format!("changed {}", task.title),
            Event::Deleted(task) => format!("deleted {}", task.id),
            Event::Reminder(fired) => format!("reminder {}", fired.task.expect("a task").title),
            Event::Heartbeat(_) => unreachable!("heartbeats are passed over"),
        };
        (words, token)
    }
}

async fn what_was_missed_comes_first_and_then_what_happens(world: &World) {
    let alice = world.alice().await;
    let a = alice.create("a").await;
    alice.create("b").await;
    let mut line = Line::open(&alice, "").await.expect("a line");
    let (first, _) = line.hear().await.expect("an event");
    assert_eq!(first, Event::Changed(a.clone()), "the whole task");
    assert_eq!(line.next().await.0, "changed b");
    alice.create("c").await;
    assert_eq!(line.next().await.0, "changed c");
    let done = alice.complete(&a.id).await.expect("completed");
    assert_eq!(line.hear().await.expect("an event").0, Event::Changed(done));
    alice.delete(&a.id).await.expect("deleted");
    let Event::Deleted(gone) = line.hear().await.expect("an event").0 else {
        panic!("it is deleted");
    };
    assert_eq!((&gone.id, gone.deleted_at.is_some()), (&a.id, true));
    alice.undelete(&a.id).await.expect("it is back");
    assert_eq!(line.next().await.0, "changed a");
}

async fn a_watch_goes_on_from_where_another_one_ended(world: &World) {
    let alice = world.alice().await;
    for title in ["a", "b"] {
        alice.create(title).await;
    }
    let mut line = Line::open(&alice, "").await.expect("a line");
    let (_, after_a) = line.next().await;
    let (_, after_b) = line.next().await;
    drop(line);
    alice.create("c").await;
    let mut line = Line::open(&alice, &after_b).await.expect("a line");
    assert_eq!(line.next().await.0, "changed c");
    let mut line = Line::open(&alice, &after_a).await.expect("a line");
    assert_eq!(line.next().await.0, "changed b");
    // A token of one is a token of the other.
    let synced = alice.sync(&after_b, 0).await.expect("changes");
    assert_eq!(synced.tasks.len(), 1);
    let mut line = Line::open(&alice, &synced.next_sync_token).await.expect("a line");
    alice.create("d").await;
    assert_eq!(line.next().await.0, "changed d");
}

async fn of_a_task_that_changes_quickly_the_last_state_is_sent(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("0").await;
    let mut line = Line::open(&alice, "").await.expect("a line");
    for number in 1..=20 {
        let title = Some(number.to_string());
        alice.change(&task.id, &[], |it| it.title = title).await.expect("updated");
    }
    let mut last = -1;
    while last < 20 {
        let (words, _) = line.next().await;
        let number = words.strip_prefix("changed ").and_then(|title| title.parse().ok());
        let number: i32 = number.expect("a number");
        assert!(number > last, "{number} after {last}");
        last = number;
    }
}

async fn changes_of_others_are_never_sent(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let mut line = Line::open(&alice, "").await.expect("a line");
    for number in 0..5 {
        let his = bob.create(&format!("his {number}")).await;
        bob.delete(&his.id).await.expect("deleted");
    }
    alice.create("hers").await;
    assert_eq!(line.next().await.0, "changed hers");
    let answer = Line::open(&SignedIn { user: bob.user.clone(), ..alice.clone() }, "").await;
    answer.map(drop).refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
}

async fn a_token_that_is_none_or_too_old_is_refused(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    for bad in ["x", "AAAA", "\0", "' --"] {
        let answer = Line::open(&alice, bad).await.map(drop);
        assert_eq!(answer.faulty(), ["sync_token"], "{bad:?}");
    }
    alice.create("hers").await;
    let token = alice.sync("", 0).await.expect("all there is").next_sync_token;
    let answer = Line::open(&bob, &token).await.map(drop);
    assert_eq!(answer.faulty(), ["sync_token"], "it is of another user");
    // A change that was never made, as after a database was put back to an older state.
    let answer = Line::open(&alice, &ahead_of_all(&token)).await.map(drop);
    answer.refused(Code::OutOfRange, "SYNC_TOKEN_TOO_OLD");
}

async fn a_reminder_is_sent_when_it_is_due(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let mut line = Line::open(&alice, "").await.expect("a line");
    let soon = shared::clock::SystemClock.now() + TimeDelta::milliseconds(1_500);
    let nanos = i32::try_from(soon.timestamp_subsec_micros() * 1_000).expect("less than a second");
    let soon = prost_types::Timestamp { seconds: soon.timestamp(), nanos };
    for caller in [&bob, &alice] {
        let made = caller.make("Breathe", |new| {
            new.reminders = vec![Reminder { at: Some(soon), ..Reminder::default() }];
        });
        made.await.expect("a task");
    }
    assert_eq!(line.next().await.0, "changed Breathe");
    let (event, token) = line.hear().await.expect("an event");
    let Event::Reminder(FiredReminder { task, at, fired_at, late }) = event else {
        panic!("it fires: {event:?}");
    };
    let task = task.expect("a task");
    assert_eq!((task.title.as_str(), &task.user_id), ("Breathe", &alice.id()));
    assert_eq!((at, late), (Some(soon), false));
    assert!(fired_at.is_some_and(|fired| fired.seconds >= soon.seconds));
    // It is sent once; a client that resumes behind it does not receive it again.
    let mut again = Line::open(&alice, &token).await.expect("a line");
    alice.create("next").await;
    for line in [&mut line, &mut again] {
        assert_eq!(line.next().await.0, "changed next");
    }
}

async fn a_watch_ends_with_its_token(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    let mut line = Line::open(&alice, "").await.expect("a line");
    alice.create("before").await;
    assert_eq!(line.next().await.0, "changed before");
    clock.advance(TimeDelta::hours(1));
    let fresh = world.stranger().sign_in("alice@example.com").await;
    fresh.create("after").await;
    line.hear().await.refused(Code::Unauthenticated, "TOKEN_EXPIRED");
    let mut line = Line::open(&fresh, "").await.expect("a line");
    assert_eq!(line.next().await.0, "changed before");
}

mod a_watch_ends_when_the_server_stops {
    use super::*;

    tests!(run: sqlite_grpc sqlite_http postgres_grpc postgres_http);

    async fn run(backend: Backend, wire: Wire) {
        let Some(world) = World::start(backend, wire).await else { return };
        let alice = world.alice().await;
        let mut line = Line::open(&alice, "").await.expect("a line");
        alice.create("before").await;
        assert_eq!(line.next().await.0, "changed before");
        let (ended, ()) = tokio::join!(line.hear(), world.stop());
        assert_eq!(ended.status().code(), Code::Unavailable);
    }
}

mod a_change_at_one_process_reaches_the_watchers_of_another {
    use super::*;

    tests!(run: postgres_grpc postgres_http);

    async fn run(backend: Backend, wire: Wire) {
        let Some(database) = FreshDatabase::new(backend).await else { return };
        let settings = [("DATABASE_URL", database.address()), ("DATABASE_MAX_CONNECTIONS", "4")];
        let starting = [(); 2].map(|()| Starting::new(Binary::Tasks, &settings));
        let servers = starting.map(Starting::wait);
        let way = |server: &Server| match wire {
            Wire::Grpc => Transport::Grpc(server.channel()),
            Wire::Http => Transport::Http(server.http_address()),
        };
        let [here, there] =
            servers.each_ref().map(|server| Stranger::new(way(server), way(server)).minted("ada"));
        let mut line = Line::open(&here, "").await.expect("a line");
        let mut other = Line::open(&there, "").await.expect("a line");
        for number in 0..3 {
            let maker = if number % 2 == 0 { &there } else { &here };
            let made = maker.create(&format!("number {number}")).await;
            for line in [&mut line, &mut other] {
                let response = tokio::time::timeout(Duration::from_secs(10), line.hear()).await;
                let (event, _) = response.expect("sooner than a heartbeat").expect("an event");
                assert_eq!(event, Event::Changed(made.clone()));
            }
        }
    }
}
