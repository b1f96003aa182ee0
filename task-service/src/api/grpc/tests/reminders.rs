//! The reminder stream of all users, for services alone.

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, TimeDelta};
use proto::task::v1::task_admin_service_client::TaskAdminServiceClient;
use sea_orm::ConnectionTrait;
use server::tls::ClientNames;
use shared::{
    auth::{ServiceGate, ServiceTokenIssuer},
    clock::ManualClock,
};
use tokio::time::timeout;
use tonic::Streaming;

use super::{
    super::{
        AdminGate,
        admin::{GuardedAdmin, guarded_admin_with},
    },
    *,
};
use crate::world::every_user;

const BEAT: Duration = Duration::from_millis(50);

type Client = TaskAdminServiceClient<GuardedAdmin>;
type Events = Streaming<pb::WatchRemindersResponse>;

struct Service {
    world: World,
    clock: Arc<ManualClock>,
    issuer: ServiceTokenIssuer,
    gate: AdminGate,
}

impl Service {
    async fn start() -> Self {
        let start = DateTime::from_timestamp(1_700_000_000, 0).expect("a time");
        let clock = Arc::new(ManualClock::at(start));
        let world = World::at(clock.clone()).await;
        let (keys, leeway) = (world.keys.clone(), Duration::ZERO);
        let issuer = ServiceTokenIssuer::new(keys.clone(), "mailer", AUDIENCE, clock.clone());
        let gate = ServiceGate::new(keys, AUDIENCE, leeway, clock.clone());
        let gate = AdminGate::new(gate, ClientNames::default());
        Self { world, clock, issuer: issuer.expect("a name"), gate }
    }

    fn client(&self, beat: Duration) -> Client {
        TaskAdminServiceClient::new(guarded_admin_with(self.gate.clone(), self.world.tasks(), beat))
    }

    async fn open(&self, client: &mut Client, token: &str) -> Result<Events, Status> {
        let mut request = Request::new(pb::WatchRemindersRequest { resume_token: token.into() });
        let bearer = format!("Bearer {}", self.issuer.issue().expect("a token"));
        request.metadata_mut().insert("authorization", bearer.parse().expect("a value"));
        Ok(client.watch_reminders(request).await?.into_inner())
    }

    /// A task of `user` that is reminded of now.
    async fn reminded(&self, user: &str, title: &str) -> pb::Task {
        let at = self.world.tasks().now().plus_seconds(1);
        let (seconds, _) = at.seconds_and_nanos();
        let reminder = pb::Reminder {
            at: Some(prost_types::Timestamp { seconds, nanos: 0 }),
            minutes_before: None,
        };
        let new = pb::CreateTaskRequest {
            user_id: user.into(),
            title: title.into(),
            reminders: vec![reminder],
            ..Default::default()
        };
        let made = self.world.client().create_task(self.world.by(user, new)).await;
        self.clock.advance(TimeDelta::seconds(1));
        self.world.tasks().fire_due(every_user()).await.expect("fired");
        made.expect("created").into_inner().task.expect("a task")
    }
}

/// Whose reminder of what, and the token behind it.
async fn next(reply: &mut Events) -> (Option<(String, String)>, String) {
    let message = timeout(Duration::from_secs(5), reply.message()).await.expect("in time");
    let message = message.expect("no end").expect("a message");
    let task = message.reminder.map(|reminder| reminder.task.expect("a task"));
    (task.map(|task| (task.user_id, task.title)), message.resume_token)
}

fn of(user: &str, title: &str) -> Option<(String, String)> {
    Some(user.into()).zip(Some(title.into()))
}

#[tokio::test]
async fn a_service_gets_the_reminders_of_all_users_from_its_cursor() {
    let service = Service::start().await;
    let mut client = service.client(Duration::from_secs(15));
    service.reminded("alice", "one").await;
    let mut reply = service.open(&mut client, "").await.expect("a stream");
    let (one, behind_one) = next(&mut reply).await;
    assert_eq!(one, of("alice", "one"));
    service.reminded("bob", "two").await;
    assert_eq!(next(&mut reply).await.0, of("bob", "two"));
    let mut again = service.open(&mut client, &behind_one).await.expect("a stream");
    assert_eq!(next(&mut again).await.0, of("bob", "two"));
    let mut anew = service.open(&mut client, "").await.expect("a stream");
    assert_eq!([next(&mut anew).await.0, next(&mut anew).await.0], [one, of("bob", "two")]);
}

#[tokio::test]
async fn a_task_that_is_gone_is_passed_over_and_silence_has_a_heartbeat() {
    let service = Service::start().await;
    let mut client = service.client(BEAT);
    let gone = service.reminded("alice", "gone").await;
    let delete =
        pb::DeleteTaskRequest { user_id: "alice".into(), id: gone.id, etag: String::new() };
    let world = &service.world;
    world.client().delete_task(world.by("alice", delete)).await.expect("deleted");
    let mut reply = service.open(&mut client, "").await.expect("a stream");
    let (nothing, token) = next(&mut reply).await;
    assert_eq!(nothing, None);
    service.reminded("alice", "kept").await;
    let mut deliver = Vec::new();
    for _ in 0..5 {
        deliver.push(next(&mut reply).await.0);
    }
    assert!(deliver.contains(&of("alice", "kept")));
    let mut again = service.open(&mut client, &token).await.expect("a stream");
    assert_eq!(next(&mut again).await.0, of("alice", "kept"));
}

#[tokio::test]
async fn a_reminder_whose_task_cannot_be_read_is_sent_after_the_outage() {
    let service = Service::start().await;
    let mut client = service.client(BEAT);
    service.reminded("alice", "one").await;
    let rename = async |name: &str, to: &str| {
        let rename = format!("ALTER TABLE {name} RENAME TO {to}");
        service.world.database.writer().execute_unprepared(&rename).await.expect("renamed");
    };
    rename("task", "away").await;
    let mut reply = service.open(&mut client, "").await.expect("a stream");
    for _ in 0..5 {
        assert_eq!(next(&mut reply).await.0, None);
    }
    rename("away", "task").await;
    let mut sent = next(&mut reply).await.0;
    while sent.is_none() {
        sent = next(&mut reply).await.0;
    }
    assert_eq!(sent, of("alice", "one"));
}

#[tokio::test]
async fn only_a_service_gets_in_and_only_with_a_token_that_is_one() {
    let service = Service::start().await;
    let mut client = service.client(BEAT);
    let message = pb::WatchRemindersRequest { resume_token: "nonsense".into() };
    let reply = client.watch_reminders(Request::new(message.clone())).await.expect_err("nobody");
    assert_eq!(reply.code(), Code::Unauthenticated);
    let user = service.world.by("alice", message);
    let reply = client.watch_reminders(user).await.expect_err("a user");
    assert_eq!(reply.code(), Code::Unauthenticated);
    let reply = service.open(&mut client, "nonsense").await.expect_err("no token");
    assert_eq!(reply.code(), Code::InvalidArgument);
    // One firing ahead of a database that has seen none.
    let ahead = "AQAAAAAAAAAB";
    let reply = service.open(&mut client, ahead).await.expect_err("of another database");
    assert_eq!(reply.code(), Code::OutOfRange);
    assert_eq!(reply.get_details_error_info().expect("a reason").reason, "RESUME_TOKEN_UNKNOWN");
}
