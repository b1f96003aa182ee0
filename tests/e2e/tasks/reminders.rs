//! Reminders: at an instant, or so many minutes before one.

use proto::task::v1::{Reminder, Task};
use tonic::Status;

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::in_both_worlds,
    world::World,
};

in_both_worlds!(
    reminders_come_back_as_they_were_sent,
    a_reminder_has_one_time_within_bounds,
    minutes_before_nothing_are_refused_however_the_instant_is_cleared,
    reminders_change_as_a_whole_or_not_at_all,
);

const NINE: &str = "2031-11-25T09:00:00Z";

fn before(minutes: i32) -> Reminder {
    Reminder { minutes_before: Some(minutes), ..Reminder::default() }
}

fn fixed(text: &str) -> Reminder {
    Reminder { at: Some(at(text)), ..Reminder::default() }
}

/// A task that is due at nine, with these reminders.
async fn due_at_nine(caller: &SignedIn, reminders: Vec<Reminder>) -> Result<Task, Status> {
    let made = caller.make("Call the bank", |new| {
        (new.due_at, new.reminders) = (Some(at(NINE)), reminders);
    });
    made.await
}

async fn reminders_come_back_as_they_were_sent(world: &World) {
    let alice = world.alice().await;
    let ten: Vec<_> = (0..10).map(|number| before(number * 60)).collect();
    let past = fixed("1999-12-31T23:59:59.999999Z");
    for (given, kept) in [
        (vec![], vec![]),
        (
            vec![before(0), fixed(NINE), before(525_600)],
            vec![before(0), fixed(NINE), before(525_600)],
        ),
        (vec![before(5), before(5), before(1)], vec![before(5), before(1)]),
        (vec![past], vec![past]),
        (ten.clone(), ten),
    ] {
        let task = due_at_nine(&alice, given).await.expect("a task");
        assert_eq!(task.reminders, kept);
        assert_eq!(alice.get(&task.id).await.expect("the task"), task);
    }
    // A fixed one needs no due.
    let made = alice.make("Breathe", |new| new.reminders = vec![fixed(NINE)]).await;
    assert_eq!(made.expect("a task").reminders, [fixed(NINE)]);
}

async fn a_reminder_has_one_time_within_bounds(world: &World) {
    let alice = world.alice().await;
    let both = Reminder { minutes_before: Some(5), ..fixed(NINE) };
    for faulty in [
        vec![Reminder::default()],
        vec![both],
        vec![before(5), Reminder::default()],
        vec![before(-1)],
        vec![before(525_601)],
        vec![before(i32::MIN)],
        vec![fixed("1969-12-31T23:59:59Z")],
        (0..11).map(before).collect(),
    ] {
        let answer = due_at_nine(&alice, faulty.clone()).await;
        assert_eq!(answer.faulty(), ["reminders"], "{faulty:?}");
    }
    assert!(alice.all_tasks().await.is_empty());
}

async fn minutes_before_nothing_are_refused_however_the_instant_is_cleared(world: &World) {
    let alice = world.alice().await;
    for date in [None, Some("2031-11-25".to_owned())] {
        let made = alice.make("Call the bank", |new| {
            (new.due_date, new.reminders) = (date, vec![before(5)]);
        });
        assert_eq!(made.await.faulty(), ["reminders"]);
    }
    let task = due_at_nine(&alice, vec![before(5)]).await.expect("a task");
    let cleared = alice.change(&task.id, &["due_at"], |_| ()).await;
    assert_eq!(cleared.faulty(), ["reminders"]);
    let dated = alice.change(&task.id, &[], |it| it.due_date = Some("2031-11-25".into())).await;
    assert_eq!(dated.faulty(), ["reminders"]);
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
    let both = alice.change(&task.id, &["due_at", "reminders"], |_| ()).await.expect("updated");
    assert_eq!((both.due_at, both.reminders.len()), (None, 0));
}

async fn reminders_change_as_a_whole_or_not_at_all(world: &World) {
    let alice = world.alice().await;
    let task = due_at_nine(&alice, vec![before(5), fixed(NINE)]).await.expect("a task");
    let renamed = alice.change(&task.id, &[], |it| it.title = Some("Rest".into())).await;
    assert_eq!(renamed.expect("updated").reminders, task.reminders, "not set");
    let replaced = alice.change(&task.id, &[], |it| it.reminders = vec![before(1)]).await;
    assert_eq!(replaced.expect("updated").reminders, [before(1)]);
    let none = alice.change(&task.id, &["reminders"], |_| ()).await.expect("updated");
    assert!(none.reminders.is_empty());
    assert_eq!(none.due_at, task.due_at);
}
