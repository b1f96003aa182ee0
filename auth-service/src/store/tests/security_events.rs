//! Security events: who sees them, and their retention.

use std::sync::Arc;

use chrono::TimeDelta;
use fixtures::{FreshDatabase, on_both_databases};
use server::{
    ClientInfo,
    audit_log::{self, AuditLog, Event, EventKind, Page, PageRequest, Record, SecurityEvents},
};
use shared::clock::Clock;

use super::Scene;
use crate::{
    session_token::AtRest,
    store::{Precondition, PreconditionCheck},
};

on_both_databases!(
    users_read_their_own_events_newest_first_page_by_page,
    a_user_with_a_reused_id_sees_no_events_of_the_deleted_one,
    an_event_is_written_once_however_often_it_is_written,
    an_event_is_removed_after_its_retention_and_not_before,
    a_change_that_does_not_happen_leaves_no_event,
    the_first_use_of_a_secret_is_recorded_once,
);

impl Scene {
    fn audit_log(&self) -> AuditLog {
        AuditLog::new(self.store.security_events(), self.clock.clone()).0
    }

    async fn keep(&self, records: &[Record]) {
        audit_log::insert(self.store.database.writer(), records).await.expect("writes");
    }

    async fn page(&self, user_id: &str, size: i32, token: &str) -> Page {
        let request = PageRequest::read(size, token, user_id).expect("a page");
        self.store.security_events().list(user_id, &request).await.expect("reads")
    }
}

fn details(page: &Page) -> Vec<&str> {
    page.events.iter().map(|event| event.detail.as_deref().expect("a detail")).collect()
}

async fn users_read_their_own_events_newest_first_page_by_page(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let audit_log = scene.audit_log();
    let mut records = Vec::new();
    for number in 0..6 {
        // Several in the same millisecond.
        scene.clock.advance(TimeDelta::milliseconds(number % 2));
        for user in ["ada", "Ada", "bob"] {
            let event = Event::of(EventKind::SessionEnded, user).in_session("s1");
            records.push(audit_log.new_record(event.with_detail(number.to_string())));
        }
        records.push(audit_log.new_record(Event::new(EventKind::SignInFailed)));
    }
    scene.keep(&records).await;

    let first = scene.page("ada", 4, "").await;
    assert_eq!(details(&first), ["5", "4", "3", "2"]);
    let last = scene.page("ada", 4, first.next.as_deref().expect("more")).await;
    assert_eq!((details(&last), &last.next), (vec!["1", "0"], &None));
    assert!(first.events.iter().all(|event| event.user_id.as_deref() == Some("ada")));
    assert_eq!(first.events[0].at, scene.clock.now());
    // A page token of one user is refused for another, and events without a user are shown to
    // none.
    let hers = first.next.as_deref().expect("more");
    assert!(PageRequest::read(100, hers, "bob").is_err());
    for nobody in ["", "eve", "%", "ADA"] {
        assert!(scene.page(nobody, 100, "").await.events.is_empty(), "{nobody:?}");
    }
    let whole = scene.page("ada", 6, "").await;
    assert_eq!((whole.events.len(), whole.next), (6, None));
}

/// A database with numeric ids may reuse the number of the newest user.
async fn a_user_with_a_reused_id_sees_no_events_of_the_deleted_one(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let audit_log = scene.audit_log();
    let event = |detail: &str| Event::of(EventKind::SessionEnded, "u1").with_detail(detail);
    let of_old = [audit_log.new_record(event("old")), audit_log.new_record(event("old"))];
    scene.keep(&of_old).await;
    scene.clock.advance(TimeDelta::milliseconds(1));
    let token = scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.keep(&[audit_log.new_record(event("new"))]).await;
    scene.clock.advance(TimeDelta::seconds(1));
    scene.keep(&[audit_log.new_record(event("newer"))]).await;

    let sessions = scene.sessions(AtRest::Hashed);
    let caller = sessions.resume(&token, &ClientInfo::default()).await.expect("live");
    let first = PageRequest::read(1, "", &caller.user().id).expect("a page");
    let page = sessions.security_events(&caller, &first).await.expect("reads");
    assert_eq!(details(&page), ["newer"]);
    let rest =
        PageRequest::read(100, &page.next.expect("more"), &caller.user().id).expect("a page");
    let page = sessions.security_events(&caller, &rest).await.expect("reads");
    assert_eq!((details(&page), &page.next), (vec!["new"], &None));
}

async fn an_event_is_written_once_however_often_it_is_written(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let record = scene.audit_log().new_record(Event::of(EventKind::SignedUp, "ada"));
    for _ in 0..2 {
        scene.keep(std::slice::from_ref(&record)).await;
    }
    scene.keep(&[]).await;
    assert_eq!(scene.column("kind", "security_event").await, ["signed_up"]);
}

async fn an_event_is_removed_after_its_retention_and_not_before(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    let (audit_log, events) = (scene.audit_log(), scene.store.security_events());
    events.record_signing_key("eb8006ca", &audit_log).await.expect("notes");
    let start = scene.clock.now();
    // More than one statement removes them.
    for _ in 0..12 {
        let event = Event::of(EventKind::SignInFailed, "ada");
        let records: Vec<_> = (0..100).map(|_| audit_log.new_record(event.clone())).collect();
        scene.keep(&records).await;
    }
    scene.clock.advance(TimeDelta::milliseconds(1));
    scene.keep(&[audit_log.new_record(Event::of(EventKind::SignedUp, "ada"))]).await;
    let forget = async |until| events.delete_before(until).await.expect("forgets");
    assert_eq!(forget(start).await, 0);
    assert_eq!(forget(start + TimeDelta::milliseconds(1)).await, 1200);
    let mut kinds = scene.column("kind", "security_event").await;
    kinds.sort();
    assert_eq!(kinds, ["secret_first_used", "signed_up"], "what is known of the secret stays");
}

async fn a_change_that_does_not_happen_leaves_no_event(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    let (audit_log, now) = (scene.audit_log(), scene.clock.now());
    let changed = audit_log.new_record(Event::of(EventKind::PasswordChanged, "u1"));
    let deleted = audit_log.new_record(Event::of(EventKind::AccountDeleted, "u1"));
    for (verified, held) in
        [("salt:old", PreconditionCheck::PasswordChanged), ("salt:key", PreconditionCheck::Met)]
    {
        let precondition = Precondition { password_hash: Some(verified), session_id: None };
        let same = "salt:key".to_owned();
        let change = scene.store.change_password("u1", precondition, same, None, &changed, now);
        assert_eq!(change.await.expect("answers"), held);
        let noted = scene.column("kind", "security_event").await.len();
        assert_eq!(noted, usize::from(held == PreconditionCheck::Met));
    }
    let precondition = Precondition { password_hash: Some("salt:old"), session_id: None };
    scene.store.delete_user("u1", precondition, &deleted, None).await.expect("answers");
    assert_eq!(scene.column("kind", "security_event").await, ["password_changed"]);
}

async fn the_first_use_of_a_secret_is_recorded_once(database: FreshDatabase) {
    let scene = Arc::new(Scene::new(database).await);
    let start = async |key: &'static str| {
        scene.clock.advance(TimeDelta::seconds(1));
        // Several replicas at once.
        let replicas = (0..4).map(|_| {
            let (events, audit_log): (SecurityEvents, AuditLog) =
                (scene.store.security_events(), scene.audit_log());
            tokio::spawn(async move { events.record_signing_key(key, &audit_log).await })
        });
        for replica in replicas.collect::<Vec<_>>() {
            replica.await.expect("runs").expect("notes");
        }
        let mut noted = scene.column("detail", "security_event").await;
        noted.sort();
        noted
    };
    assert_eq!(start("1111").await, ["1111"]);
    assert_eq!(start("1111").await, ["1111"]);
    assert_eq!(start("2222").await, ["1111", "2222"]);
    assert_eq!(start("1111").await, ["1111", "1111", "2222"], "back again");
    let mut kinds = scene.column("kind", "security_event").await;
    kinds.sort();
    assert_eq!(kinds, ["secret_first_used", "secret_rotated", "secret_rotated"]);
}
