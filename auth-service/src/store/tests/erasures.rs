//! The erasure outbox: inserted with the deletion, claimed by one replica at a time, removed when
//! finished.

use super::*;
use crate::{entity::erasure, store::NewErasure};

on_both_databases!(
    an_erasure_exists_if_and_only_if_the_account_is_gone,
    an_order_is_lent_to_one_at_a_time_and_comes_back,
    an_order_that_was_carried_out_waits_for_the_last_time_and_goes,
    an_order_of_an_earlier_user_gives_way_to_that_of_a_later_one,
    what_was_done_in_another_database_is_ordered_again,
);

impl Scene {
    fn order(&self) -> NewErasure {
        let requested_at = self.clock.now();
        NewErasure { requested_at, last_at: requested_at + TimeDelta::minutes(30) }
    }

    async fn delete(&self, id: &str) -> PreconditionCheck {
        let deleted = self
            .store
            .delete_user(
                id,
                Precondition::default(),
                &record(EventKind::AccountDeleted),
                Some(self.order()),
            )
            .await;
        deleted.expect("writes")
    }

    async fn claim(&self, limit: u64) -> Vec<erasure::Model> {
        let now = self.clock.now();
        let claimed = self.store.claim_erasures(now, now + TimeDelta::seconds(6), limit).await;
        claimed.expect("writes")
    }
}

async fn an_erasure_exists_if_and_only_if_the_account_is_gone(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    for (id, email) in [("u1", "a@example.com"), ("u2", "b@example.com"), ("u3", "c@example.com")] {
        scene.sign_up(id, email).await.expect("free");
    }
    let ended = Precondition { password_hash: None, session_id: Some("none") };
    let held = scene
        .store
        .delete_user("u1", ended, &record(EventKind::AccountDeleted), Some(scene.order()))
        .await
        .expect("writes");
    assert_eq!(held, PreconditionCheck::SessionEnded);
    assert!(scene.column("user_id", "erasure").await.is_empty());
    let silent = scene
        .store
        .delete_user("u3", Precondition::default(), &record(EventKind::AccountDeleted), None)
        .await
        .expect("writes");
    assert_eq!(silent, PreconditionCheck::Met);
    assert!(scene.column("user_id", "erasure").await.is_empty());

    // Where the erasure cannot be stored the account stays, whole.
    let hide = "ALTER TABLE erasure RENAME TO hidden";
    scene.store.database.writer().execute_unprepared(hide).await.expect("renamed");
    let failed = scene
        .store
        .delete_user(
            "u2",
            Precondition::default(),
            &record(EventKind::AccountDeleted),
            Some(scene.order()),
        )
        .await;
    assert!(failed.is_err());
    for (table, column) in [("user", "id"), ("account", "userId"), ("session", "userId")] {
        let mut left = scene.column(column, table).await;
        left.sort_unstable();
        assert_eq!(left, ["u1", "u2"], "{table}");
    }
    let show = "ALTER TABLE hidden RENAME TO erasure";
    scene.store.database.writer().execute_unprepared(show).await.expect("renamed");
    assert_eq!(scene.delete("u2").await, PreconditionCheck::Met);
    assert_eq!(scene.column("id", "user").await, ["u1"]);
    assert_eq!(scene.column("user_id", "erasure").await, ["u2"]);
    if scene.store.database.backend() == DbBackend::Sqlite {
        assert_eq!(scene.column("next_at", "erasure").await, ["2026-11-20T22:22:04.773Z"]);
    }
}

async fn an_order_is_lent_to_one_at_a_time_and_comes_back(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    for n in 0..5 {
        scene.sign_up(&format!("u{n}"), &format!("a{n}@example.com")).await.expect("free");
        scene.delete(&format!("u{n}")).await;
    }
    let (one, two, three) = tokio::join!(scene.claim(2), scene.claim(2), scene.claim(2));
    let mut claimed: Vec<_> = [one, two, three].concat();
    claimed.extend(scene.claim(8).await);
    claimed.sort_by(|a, b| a.user_id.cmp(&b.user_id));
    let ids: Vec<_> = claimed.iter().map(|order| order.user_id.as_str()).collect();
    assert_eq!(ids, ["u0", "u1", "u2", "u3", "u4"]);
    assert!(claimed.iter().all(|order| order.attempts == 1 && order.first_done_at.is_none()));
    assert!(scene.claim(8).await.is_empty(), "all of them are leased");
    let next = scene.store.next_erasure().await.expect("reads").expect("some");
    assert_eq!(next, scene.clock.now() + TimeDelta::seconds(6));

    // One is postponed, the others are leased to a replica that is gone.
    scene.store.postpone_erasure(&claimed[3], scene.clock.now()).await.expect("writes");
    let again = scene.claim(8).await;
    assert_eq!((again.len(), again[0].user_id.as_str(), again[0].attempts), (1, "u3", 2));
    scene.clock.advance(TimeDelta::seconds(6));
    assert_eq!(scene.claim(8).await.len(), 5);
}

async fn an_order_that_was_carried_out_waits_for_the_last_time_and_goes(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("u1", "ada@example.com").await.expect("free");
    scene.delete("u1").await;
    let [order] = &scene.claim(8).await[..] else { panic!("one order") };
    scene.store.record_erasure(order, scene.clock.now()).await.expect("writes");
    scene.clock.advance(TimeDelta::seconds(30 * 60 - 1));
    assert!(scene.claim(8).await.is_empty());
    scene.clock.advance(TimeDelta::seconds(1));
    let [last] = &scene.claim(8).await[..] else { panic!("the last time") };
    assert_eq!((last.attempts, last.first_done_at), (1, Some(order.requested_at)));
    assert_eq!(last.last_at, scene.clock.now());
    scene.store.finish_erasure(last).await.expect("writes");
    assert!(scene.column("user_id", "erasure").await.is_empty());
    assert_eq!(scene.column("user_id", "finished_erasure").await, ["u1"]);
    assert_eq!(scene.store.next_erasure().await.expect("reads"), None);
}

async fn an_order_of_an_earlier_user_gives_way_to_that_of_a_later_one(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    scene.sign_up("7", "ada@example.com").await.expect("free");
    scene.delete("7").await;
    let [earlier] = &scene.claim(8).await[..] else { panic!("one order") };
    scene.clock.advance(TimeDelta::seconds(1));
    scene.sign_up("7", "bob@example.com").await.expect("free");
    scene.delete("7").await;
    // A replica that works on the first erasure changes nothing of the second.
    scene.store.discard_erasure(earlier).await.expect("writes");
    scene.store.postpone_erasure(earlier, DateTime::UNIX_EPOCH).await.expect("writes");
    let [later] = &scene.claim(8).await[..] else { panic!("one order") };
    assert_eq!((later.requested_at, later.attempts), (scene.clock.now(), 1));
}

async fn what_was_done_in_another_database_is_ordered_again(database: FreshDatabase) {
    let scene = Scene::new(database).await;
    for (n, id) in ["done", "pending", "back"].into_iter().enumerate() {
        scene.sign_up(id, &format!("{n}@example.com")).await.expect("free");
        scene.delete(id).await;
    }
    for order in scene.claim(8).await {
        match order.user_id.as_str() {
            "pending" => scene.store.record_erasure(&order, scene.clock.now()).await,
            _ => scene.store.finish_erasure(&order).await,
        }
        .expect("writes");
    }
    assert!(scene.claim(8).await.is_empty());
    assert_eq!(scene.store.erased_from().await.expect("reads"), None);
    let now = scene.clock.now();
    assert_eq!(scene.store.repeat_erasures("a", now).await.expect("writes"), 3);
    assert_eq!(scene.store.erased_from().await.expect("reads").as_deref(), Some("a"));
    let again = scene.claim(8).await;
    let mut ids: Vec<_> = again.iter().map(|order| order.user_id.as_str()).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["back", "done", "pending"]);
    for order in &again {
        // Access tokens of all users but one have expired.
        assert_eq!(order.last_at <= scene.clock.now(), order.user_id != "pending");
    }
    // A reused id is never erased.
    let back = again.iter().find(|order| order.user_id == "back").expect("one");
    scene.store.discard_erasure(back).await.expect("writes");
    assert_eq!(scene.column("user_id", "finished_erasure").await, ["done"]);
    assert_eq!(scene.store.repeat_erasures("b", now).await.expect("writes"), 2);
    assert_eq!(scene.store.erased_from().await.expect("reads").as_deref(), Some("b"));
}
