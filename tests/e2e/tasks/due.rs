//! Due dates: a date that is the same everywhere, or an instant in a zone.

use prost_types::Timestamp;
use proto::task::v1::{CreateTaskRequest, Task};
use tonic::Status;

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::in_both_worlds,
    world::World,
};

in_both_worlds!(
    a_date_is_the_same_date_in_every_zone,
    an_instant_keeps_its_zone_and_its_microseconds,
    a_date_and_an_instant_replace_each_other,
    an_instant_that_moves_stays_in_its_zone_unless_set,
    a_due_is_cleared_by_its_name_and_by_nothing_else,
    what_is_no_date_no_instant_or_no_zone_is_refused,
);

/// The due fields of a task.
fn due(task: &Task) -> (Option<&str>, Option<Timestamp>, Option<&str>) {
    (task.due_date.as_deref(), task.due_at, task.due_zone.as_deref())
}

async fn on(caller: &SignedIn, date: &str) -> Task {
    let made = caller.make("Pay the rent", |new| new.due_date = Some(date.into())).await;
    made.expect("a task")
}

async fn in_berlin(caller: &SignedIn) -> Task {
    let made = caller.make("Call the bank", |new| {
        (new.due_at, new.due_zone) = (Some(at(NINE)), Some("Europe/Berlin".into()));
    });
    made.await.expect("a task")
}

const NINE: &str = "2026-11-25T09:00:00Z";

async fn a_date_is_the_same_date_in_every_zone(world: &World) {
    let alice = world.alice().await;
    for date in ["1970-01-01", "2026-11-25", "2028-02-29", "2026-03-29", "9999-12-31"] {
        let task = on(&alice, date).await;
        assert_eq!(due(&task), (Some(date), None, None));
        assert_eq!(alice.get(&task.id).await.expect("the task"), task);
        // No change of anything else moves it, however often.
        for round in 0..3 {
            let title = format!("round {round}");
            let changed = alice.change(&task.id, &[], |it| it.title = Some(title)).await;
            assert_eq!(due(&changed.expect("updated")), (Some(date), None, None));
        }
        let done = alice.complete(&task.id).await.expect("completed");
        assert_eq!(due(&done), (Some(date), None, None));
    }
    let listed = alice.all_tasks().await;
    assert!(listed.iter().all(|task| task.due_date.is_some() && task.due_at.is_none()));
}

async fn an_instant_keeps_its_zone_and_its_microseconds(world: &World) {
    let alice = world.alice().await;
    for (instant, zone) in [
        ("2026-11-25T09:00:00.123456Z", "Europe/Berlin"),
        ("2026-11-25T23:59:59.999999Z", "Pacific/Kiritimati"),
        ("1970-01-01T00:00:00Z", "America/Argentina/Buenos_Aires"),
        ("9999-12-31T23:59:59Z", "UTC"),
    ] {
        let made = alice.make("Call the bank", |new| {
            (new.due_at, new.due_zone) = (Some(at(instant)), Some(zone.into()));
        });
        let task = made.await.expect("a task");
        assert_eq!(due(&task), (None, Some(at(instant)), Some(zone)));
        assert_eq!(alice.get(&task.id).await.expect("the task"), task);
    }
    // The default zone is UTC; an offset means the same instant; nanoseconds are cut off.
    let made = alice.make("Call", |new| new.due_at = Some(at("2026-11-25T10:00:00.1234567+01:00")));
    let same = at("2026-11-25T09:00:00.123456Z");
    assert_eq!(due(&made.await.expect("a task")), (None, Some(same), Some("UTC")));
}

async fn a_date_and_an_instant_replace_each_other(world: &World) {
    let alice = world.alice().await;
    let task = on(&alice, "2026-11-25").await;
    let switched = alice.change(&task.id, &[], |it| {
        (it.due_at, it.due_zone) = (Some(at(NINE)), Some("Asia/Tokyo".into()));
    });
    let switched = switched.await.expect("updated");
    assert_eq!(due(&switched), (None, Some(at(NINE)), Some("Asia/Tokyo")));
    let back = alice.change(&task.id, &["due_date"], |it| it.due_date = Some("2026-12-01".into()));
    let back = back.await.expect("updated");
    assert_eq!(due(&back), (Some("2026-12-01"), None, None));
    // It has no zone left that an instant could take over.
    let again = alice.change(&task.id, &["due_at"], |it| it.due_at = Some(at(NINE))).await;
    assert_eq!(due(&again.expect("updated")), (None, Some(at(NINE)), Some("UTC")));
}

async fn an_instant_that_moves_stays_in_its_zone_unless_set(world: &World) {
    let alice = world.alice().await;
    let task = in_berlin(&alice).await;
    let (ten, eleven) = (at("2026-11-25T10:00:00Z"), at("2026-11-25T11:00:00Z"));
    let moved = alice.change(&task.id, &[], |it| it.due_at = Some(ten)).await.expect("updated");
    assert_eq!(due(&moved), (None, Some(ten), Some("Europe/Berlin")));
    let moved = alice.change(&task.id, &["due_at"], |it| it.due_at = Some(eleven)).await;
    assert_eq!(due(&moved.expect("updated")), (None, Some(eleven), Some("Europe/Berlin")));
    // Named and absent it gets its default, as every field does.
    let named = alice.change(&task.id, &["due_at", "due_zone"], |it| it.due_at = Some(ten)).await;
    assert_eq!(due(&named.expect("updated")), (None, Some(ten), Some("UTC")));
}

async fn a_due_is_cleared_by_its_name_and_by_nothing_else(world: &World) {
    let alice = world.alice().await;
    let (dated, timed) = (on(&alice, "2026-11-25").await, in_berlin(&alice).await);
    // The name of the kind that a task has not clears nothing.
    let kept = alice.change(&dated.id, &["due_at"], |_| ()).await.expect("updated");
    assert_eq!(kept, dated);
    let kept = alice.change(&timed.id, &["due_date"], |_| ()).await.expect("updated");
    assert_eq!(kept, timed);
    for (task, names) in [(&dated, &["due_date"][..]), (&timed, &["due_at", "due_zone"])] {
        let cleared = alice.change(&task.id, names, |_| ()).await.expect("updated");
        assert_eq!(due(&cleared), (None, None, None));
        assert_eq!(alice.get(&task.id).await.expect("the task"), cleared);
    }
    for task in [on(&alice, "2026-11-25").await, in_berlin(&alice).await] {
        let both = alice.change(&task.id, &["due_date", "due_at"], |_| ()).await.expect("updated");
        assert_eq!(due(&both), (None, None, None), "either kind");
    }
    // An empty text is not an absent one.
    let empty = alice.change(&dated.id, &[], |it| it.due_date = Some(String::new())).await;
    assert_eq!(empty.faulty(), ["due_date"]);
}

async fn refused(caller: &SignedIn, say: impl Fn(&mut CreateTaskRequest)) -> Vec<String> {
    let made: Result<Task, Status> = caller.make("Pay the rent", say).await;
    made.faulty()
}

async fn what_is_no_date_no_instant_or_no_zone_is_refused(world: &World) {
    let alice = world.alice().await;
    for date in
        ["", "soon", "2026-02-29", "2026-11-31", "25.11.2026", "2026-11-25T09:00:00Z", "1969-12-31"]
    {
        let faulty = refused(&alice, |new| new.due_date = Some(date.into())).await;
        assert_eq!(faulty, ["due_date"], "{date}");
    }
    for zone in ["", "Berlin", "europe/berlin", "Europe/Atlantis", "+02:00", "\0", "../etc/passwd"]
    {
        let faulty = refused(&alice, |new| {
            (new.due_at, new.due_zone) = (Some(at(NINE)), Some(zone.into()));
        });
        assert_eq!(faulty.await, ["due_zone"], "{zone}");
    }
    let early = at("1969-12-31T23:59:59Z");
    assert_eq!(refused(&alice, |new| new.due_at = Some(early)).await, ["due_at"]);
    // Both kinds at once, and a zone of nothing.
    let both = refused(&alice, |new| {
        (new.due_date, new.due_at) = (Some("2026-11-25".into()), Some(at(NINE)));
    });
    assert_eq!(both.await, ["due_at"]);
    let alone = refused(&alice, |new| new.due_zone = Some("Europe/Berlin".into()));
    assert_eq!(alone.await, ["due_zone"]);
    let dated = refused(&alice, |new| {
        (new.due_date, new.due_zone) = (Some("2026-11-25".into()), Some("Europe/Berlin".into()));
    });
    assert_eq!(dated.await, ["due_zone"]);
    assert!(alice.all_tasks().await.is_empty());
}
