//! Tests of the audit log's queue and dedup window; `auth-service` tests the table on both
//! databases.

use std::{collections::BTreeSet, fs, net::Ipv4Addr, path::PathBuf, sync::Arc, time::Instant};

use http::{HeaderValue, Request};
use sea_orm::ConnectionTrait;
use shared::clock::SystemClock;

use crate::ClientInfo;

use super::{AuditLog, Event, EventKind, PageRequest, SecurityEvents, Source, Writer, migration};
use crate::db::{Database, DatabaseUrl};

/// A table of its own, and the way to it.
struct Scene {
    database: Database,
    events: SecurityEvents,
    audit_log: AuditLog,
    writer: Option<Writer>,
    folder: PathBuf,
}

impl Scene {
    async fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("audit-{name}-{}", std::process::id()));
        let url = format!("sqlite://{}/events.db", folder.display());
        let url = DatabaseUrl::parse(&url, 4).expect("an address");
        let database = Database::connect(&url).await.expect("connects");
        let table = migration("").sqlite;
        database.writer().execute_unprepared(table).await.expect("a table");
        let events = SecurityEvents::new(database.clone());
        let (audit_log, writer) = AuditLog::new(events.clone(), Arc::new(SystemClock));
        Self { database, events, audit_log, writer: Some(writer), folder }
    }

    fn write(&mut self) -> tokio::task::JoinHandle<()> {
        tokio::spawn(self.writer.take().expect("the first time").run())
    }

    async fn kinds(&self, user_id: &str) -> Vec<String> {
        let all = PageRequest::read(100, "", user_id).expect("a page");
        let page = self.events.list(user_id, &all).await.expect("reads");
        page.events.into_iter().map(|event| event.kind).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Programs compare them, and rows of years have them.
#[test]
fn names_never_change() {
    let names: Vec<_> = EventKind::ALL.iter().map(|kind| kind.as_str()).collect();
    assert_eq!(
        names,
        [
            "signed_up",
            "sign_in_succeeded",
            "sign_in_failed",
            "password_refused",
            "attempts_limited",
            "user_updated",
            "password_changed",
            "session_ended",
            "session_token_reused",
            "sessions_ended_by_operator",
            "ownership_refused",
            "account_deleted",
            "data_exported",
            "secret_first_used",
            "secret_rotated",
        ]
    );
    assert_eq!(BTreeSet::from_iter(&names).len(), EventKind::ALL.len());
}

/// Those that a user may read: nobody reads the events of a secret, or of a deleted account.
#[test]
fn the_contract_lists_every_kind() {
    let contract = include_str!("../../../proto/audit/v1/security_event.proto");
    let users = EventKind::ALL.iter().filter(|kind| kind.source() != Source::Secrets);
    for kind in users.filter(|kind| **kind != EventKind::AccountDeleted) {
        let name = kind.as_str();
        let is_listed =
            contract.split(|c: char| c != '_' && !c.is_ascii_lowercase()).any(|w| w == name);
        assert!(is_listed, "{name}");
    }
}

#[tokio::test]
async fn events_that_cannot_be_written_take_bounded_memory_and_no_time() {
    let mut scene = Scene::new("full").await;
    let begun = Instant::now();
    for _ in 0..10_000 {
        scene.audit_log.record(Event::of(EventKind::SignInFailed, "ada"));
    }
    assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    let inner = scene.audit_log.0.clone().expect("a table");
    assert_eq!((inner.queue.capacity(), inner.queue.max_capacity()), (0, 1024));

    let writing = scene.write();
    scene.audit_log.flush().await;
    let mut token = String::new();
    let mut listed = 0;
    loop {
        let request = PageRequest::read(100, &token, "ada").expect("a page");
        let page = scene.events.list("ada", &request).await.expect("reads");
        listed += page.events.len();
        match page.next {
            Some(next) => token = next,
            None => break,
        }
    }
    assert_eq!((listed, inner.take_unwritten()), (1024, 0), "the rest was told of");
    writing.abort();
}

#[tokio::test]
async fn recorded_events_are_written_when_the_shutdown_flushes() {
    let mut scene = Scene::new("flush").await;
    scene.audit_log.record(Event::of(EventKind::SignedUp, "ada"));
    scene.audit_log.record(Event::new(EventKind::SignInFailed));
    scene.audit_log.record(Event::of(EventKind::SessionEnded, "ada"));
    assert_eq!(scene.kinds("ada").await, [""; 0]);
    let writing = scene.write();
    scene.audit_log.clone().flushed().await;
    assert_eq!(scene.kinds("ada").await, ["session_ended", "signed_up"]);
    writing.abort();
}

#[tokio::test]
async fn the_shutdown_does_not_wait_for_a_database_that_is_unavailable() {
    let mut scene = Scene::new("away").await;
    scene.database.clone().close().await.expect("closes");
    let writing = scene.write();
    scene.audit_log.record(Event::of(EventKind::SignedUp, "ada"));
    let begun = Instant::now();
    scene.audit_log.flush().await;
    assert!((1..4).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
    writing.abort();
}

#[tokio::test]
async fn repeated_events_are_written_once_a_minute() {
    let mut scene = Scene::new("repeated").await;
    let writing = scene.write();
    for key in ["ada", "ada", "bob", "ada", "bob"] {
        scene.audit_log.record_deduplicated(Event::of(EventKind::OwnershipRefused, "ada"), key);
    }
    scene.audit_log.flush().await;
    assert_eq!(scene.kinds("ada").await, ["ownership_refused"; 2]);
    writing.abort();
}

#[tokio::test]
async fn an_event_has_the_client_of_its_call() {
    let mut request = Request::new(());
    let agent = format!("{}\t\u{7e}", "a".repeat(600));
    request.headers_mut().insert("user-agent", HeaderValue::from_str(&agent).expect("a value"));
    let address = Ipv4Addr::LOCALHOST.to_ipv6_mapped().into();
    let id = HeaderValue::from_static("call-1");
    let client = ClientInfo::new(id, Some(address), &request);
    let note = async { AuditLog::default().new_record(Event::new(EventKind::SignInFailed)) };
    let record = client.during(note).await;
    assert_eq!(record.request_id.as_deref(), Some("call-1"));
    assert_eq!(record.address, Some(Ipv4Addr::LOCALHOST.into()), "as people write it");
    assert_eq!(record.user_agent, Some("a".repeat(512)));
    let outside = AuditLog::default().new_record(Event::new(EventKind::SecretRotated));
    assert_eq!((outside.request_id, outside.address, outside.user_agent), (None, None, None));
}
