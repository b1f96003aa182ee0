//! Recurrence: completing a task creates the next one, once.

use std::collections::HashSet;

use futures_util::future::join_all;
use proto::task::v1::{Recurrence, Reminder, RepeatFrom, Task, ToggleTaskRequest};
use shared::clock::{Clock, ManualClock};
use tonic::Code;

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::{in_both_worlds, in_both_worlds_with_manual_clock},
    world::World,
};

in_both_worlds!(
    completing_makes_the_next_one_as_this_one_was,
    of_many_completions_at_once_one_makes_the_next,
    reopened_and_done_again_it_makes_no_second_one,
    every_way_to_complete_makes_the_next_one,
    a_week_has_the_chosen_days,
    the_thirty_first_is_the_last_day_of_shorter_months,
    nine_stays_nine_when_the_clocks_change,
    a_fraction_of_a_second_is_kept_and_counts_for_nothing,
    a_skipped_task_moves_on_and_is_not_done,
    a_series_ends_where_its_rule_says,
    a_series_that_is_ended_keeps_its_task_and_its_history,
    a_rule_counts_from_the_due_time_when_it_is_set,
);

in_both_worlds_with_manual_clock!(counted_from_completion_the_day_it_was_done_counts);

fn rule(rule: &str) -> Recurrence {
    Recurrence { rule: rule.into(), ..Recurrence::default() }
}

/// A task due on this date, repeating by this rule.
async fn repeating(caller: &SignedIn, date: &str, by: &str) -> Task {
    let made = caller.make("Water the plants", |new| {
        (new.due_date, new.recurrence) = (Some(date.into()), Some(rule(by)));
    });
    made.await.expect("a task")
}

/// The one open task of a user.
async fn open(caller: &SignedIn) -> Task {
    let mut open = caller.page(0, "", Some(false)).await.expect("a page").tasks;
    assert_eq!(open.len(), 1, "{open:?}");
    open.remove(0)
}

/// Completes the one open task and finds the next.
async fn next(caller: &SignedIn) -> Task {
    let task = open(caller).await;
    caller.complete(&task.id).await.expect("completed");
    open(caller).await
}

async fn completing_makes_the_next_one_as_this_one_was(world: &World) {
    let alice = world.alice().await;
    let made = alice.make("Call the bank", |new| {
        new.description = "about the loan".into();
        new.priority = 4;
        new.tags = vec!["Money".into()];
        new.due_at = Some(at("2031-11-24T08:00:00Z"));
        new.due_zone = Some("Europe/Berlin".into());
        new.reminders = vec![
            Reminder { minutes_before: Some(30), ..Reminder::default() },
            Reminder { at: Some(at("2031-11-23T18:00:00Z")), ..Reminder::default() },
        ];
        new.recurrence = Some(rule("rrule:freq=weekly"));
    });
    let first = made.await.expect("a task");
    let spelled = Recurrence {
        rule: "FREQ=WEEKLY".into(),
        from: RepeatFrom::Due.into(),
        start: "2031-11-24T09:00:00".into(),
        ..Recurrence::default()
    };
    assert_eq!(first.recurrence.as_ref(), Some(&spelled), "in one spelling");
    assert_eq!((first.series_id.as_ref(), first.occurrence), (Some(&first.id), Some(1)));

    let done = alice.complete(&first.id).await.expect("completed");
    assert_eq!((done.completed, done.due_at, done.occurrence), (true, first.due_at, Some(1)));
    let second = open(&alice).await;
    let moved = Reminder { at: Some(at("2031-11-30T18:00:00Z")), ..Reminder::default() };
    let expected = Task {
        id: second.id.clone(),
        due_at: Some(at("2031-12-01T08:00:00Z")),
        occurrence: Some(2),
        reminders: vec![first.reminders[0], moved],
        created_at: second.created_at,
        updated_at: second.updated_at,
        etag: second.etag.clone(),
        ..first.clone()
    };
    assert_eq!(second, expected, "in its place, with its words, a week later");
    assert_ne!(second.id, first.id);
    // Completed tasks stay readable.
    assert_eq!(alice.get(&first.id).await.expect("the task"), done);
    let history = alice.page(0, "", Some(true)).await.expect("a page").tasks;
    assert_eq!(history, [done]);
}

async fn of_many_completions_at_once_one_makes_the_next(world: &World) {
    let alice = world.alice().await;
    let first = repeating(&alice, "2031-11-24", "FREQ=DAILY").await;
    let answers = join_all((0..20).map(|_| alice.complete(&first.id))).await;
    let versions: HashSet<String> =
        answers.into_iter().map(|answer| answer.expect("completed").etag).collect();
    assert_eq!(versions.len(), 1, "completed once");
    assert_eq!(open(&alice).await.due_date.as_deref(), Some("2031-11-25"));
    assert_eq!(alice.all_tasks().await.len(), 2);
}

async fn reopened_and_done_again_it_makes_no_second_one(world: &World) {
    let alice = world.alice().await;
    let first = repeating(&alice, "2031-11-24", "FREQ=DAILY").await;
    let second = next(&alice).await;
    for _ in 0..3 {
        alice.reopen(&first.id).await.expect("reopened");
        alice.complete(&first.id).await.expect("completed");
    }
    assert_eq!(open(&alice).await, second);
    // Nor when the next one is in the trash.
    alice.delete(&second.id).await.expect("deleted");
    alice.reopen(&first.id).await.expect("reopened");
    alice.complete(&first.id).await.expect("completed");
    assert_eq!(alice.all_tasks().await.len(), 1);
    // An old one that is open again is no place to go on from.
    alice.reopen(&first.id).await.expect("reopened");
    alice.skip(&first.id, "").await.refused(Code::FailedPrecondition, "NOT_REPEATING");
    assert_eq!(alice.undelete(&second.id).await.expect("as it was").due_date, second.due_date);
}

async fn every_way_to_complete_makes_the_next_one(world: &World) {
    let alice = world.alice().await;
    let first = repeating(&alice, "2031-11-24", "FREQ=DAILY").await;
    let request =
        ToggleTaskRequest { user_id: alice.id(), id: first.id.clone(), etag: String::new() };
    alice.tasks().toggle_task(request).await.expect("toggled");
    let second = open(&alice).await;
    assert_eq!(second.due_date.as_deref(), Some("2031-11-25"));
    // An update that renames and completes: what follows has the new name.
    let renamed = alice.change(&second.id, &["title", "completed"], |it| {
        (it.title, it.completed) = (Some("Feed the cat".into()), Some(true));
    });
    renamed.await.expect("updated");
    let third = open(&alice).await;
    assert_eq!((third.title.as_str(), third.occurrence), ("Feed the cat", Some(3)));
    assert_eq!(third.series_id, first.series_id);
}

async fn a_week_has_the_chosen_days(world: &World) {
    let alice = world.alice().await;
    // A Monday.
    repeating(&alice, "2031-11-24", "FREQ=WEEKLY;BYDAY=FR,MO,WE").await;
    for date in ["2031-11-26", "2031-11-28", "2031-12-01", "2031-12-03"] {
        assert_eq!(next(&alice).await.due_date.as_deref(), Some(date));
    }
    let last = open(&alice).await;
    assert_eq!(last.recurrence.expect("a rule").rule, "FREQ=WEEKLY;BYDAY=MO,WE,FR");
}

async fn the_thirty_first_is_the_last_day_of_shorter_months(world: &World) {
    let alice = world.alice().await;
    repeating(&alice, "2031-12-31", "FREQ=MONTHLY").await;
    for date in ["2032-01-31", "2032-02-29", "2032-03-31", "2032-04-30", "2032-05-31"] {
        assert_eq!(next(&alice).await.due_date.as_deref(), Some(date));
    }
    // Unless the rule names the day.
    let bob = world.bob().await;
    repeating(&bob, "2031-12-31", "FREQ=MONTHLY;BYMONTHDAY=31").await;
    for date in ["2032-01-31", "2032-03-31", "2032-05-31"] {
        assert_eq!(next(&bob).await.due_date.as_deref(), Some(date));
    }
}

async fn nine_stays_nine_when_the_clocks_change(world: &World) {
    let alice = world.alice().await;
    let made = alice.make("Stand-up", |new| {
        new.due_at = Some(at("2031-03-28T09:00:00+01:00"));
        new.due_zone = Some("Europe/Berlin".into());
        new.recurrence = Some(rule("FREQ=DAILY"));
    });
    made.await.expect("a task");
    // The clocks went forward in the night to the 30th.
    for instant in
        ["2031-03-29T09:00:00+01:00", "2031-03-30T09:00:00+02:00", "2031-03-31T09:00:00+02:00"]
    {
        assert_eq!(next(&alice).await.due_at, Some(at(instant)));
    }
    // And half past two, which there was not that night, comes back the day after.
    let bob = world.bob().await;
    let made = bob.make("Backup", |new| {
        new.due_at = Some(at("2031-03-29T02:30:00+01:00"));
        new.due_zone = Some("Europe/Berlin".into());
        new.recurrence = Some(rule("FREQ=DAILY"));
    });
    made.await.expect("a task");
    for instant in ["2031-03-30T03:30:00+02:00", "2031-03-31T02:30:00+02:00"] {
        assert_eq!(next(&bob).await.due_at, Some(at(instant)));
    }
}

async fn a_fraction_of_a_second_is_kept_and_counts_for_nothing(world: &World) {
    let alice = world.alice().await;
    let made = alice.make("Stand-up", |new| {
        new.due_at = Some(at("2031-11-24T08:00:00.123456Z"));
        new.recurrence = Some(rule("FREQ=DAILY;COUNT=3"));
    });
    made.await.expect("a task");
    for instant in ["2031-11-25T08:00:00.123456Z", "2031-11-26T08:00:00.123456Z"] {
        assert_eq!(next(&alice).await.due_at, Some(at(instant)));
    }
    alice.complete(&open(&alice).await.id).await.expect("completed");
    assert!(alice.page(0, "", Some(false)).await.expect("a page").tasks.is_empty());
}

async fn a_skipped_task_moves_on_and_is_not_done(world: &World) {
    let alice = world.alice().await;
    let first = repeating(&alice, "2031-11-24", "FREQ=WEEKLY;COUNT=3").await;
    let skipped = alice.skip(&first.id, &first.etag).await.expect("skipped");
    assert_eq!((skipped.id.as_str(), skipped.completed), (first.id.as_str(), false));
    assert_eq!((skipped.due_date.as_deref(), skipped.occurrence), (Some("2031-12-01"), Some(2)));
    // Sent twice with its version it is skipped once.
    alice.skip(&first.id, &first.etag).await.refused(Code::Aborted, "STALE_ETAG");
    let last = alice.skip(&first.id, "").await.expect("skipped");
    assert_eq!((last.due_date.as_deref(), last.occurrence), (Some("2031-12-08"), Some(3)));
    alice.skip(&first.id, "").await.refused(Code::FailedPrecondition, "SERIES_ENDED");
    assert_eq!(alice.all_tasks().await, std::slice::from_ref(&last));

    let single = alice.create("Once").await;
    alice.skip(&single.id, "").await.refused(Code::FailedPrecondition, "NOT_REPEATING");
    alice.complete(&last.id).await.expect("completed");
    alice.skip(&last.id, "").await.refused(Code::FailedPrecondition, "NOT_REPEATING");
    alice.skip("nonsense", "").await.refused(Code::NotFound, "TASK_NOT_FOUND");
}

async fn a_series_ends_where_its_rule_says(world: &World) {
    let alice = world.alice().await;
    for by in ["FREQ=DAILY;COUNT=3", "FREQ=DAILY;UNTIL=20311126"] {
        repeating(&alice, "2031-11-24", by).await;
        assert_eq!(next(&alice).await.due_date.as_deref(), Some("2031-11-25"));
        let last = next(&alice).await;
        assert_eq!((last.due_date.as_deref(), last.occurrence), (Some("2031-11-26"), Some(3)));
        alice.complete(&last.id).await.expect("completed");
        assert!(alice.page(0, "", Some(false)).await.expect("a page").tasks.is_empty(), "{by}");
    }
    assert_eq!(alice.all_tasks().await.len(), 6);
}

async fn a_series_that_is_ended_keeps_its_task_and_its_history(world: &World) {
    let alice = world.alice().await;
    let first = repeating(&alice, "2031-11-24", "FREQ=DAILY").await;
    let second = next(&alice).await;
    let ended = alice.change(&second.id, &["recurrence"], |_| ()).await.expect("updated");
    assert_eq!((ended.recurrence, ended.due_date), (None, second.due_date));
    assert_eq!((&ended.series_id, ended.occurrence), (&first.series_id, Some(2)));
    alice.complete(&second.id).await.expect("completed");
    assert!(alice.page(0, "", Some(false)).await.expect("a page").tasks.is_empty());
    assert_eq!(alice.all_tasks().await.len(), 2);
    // A task that repeats needs a due, so the due alone cannot go.
    let other = repeating(&alice, "2031-11-24", "FREQ=DAILY").await;
    let faulty = alice.change(&other.id, &["due_date"], |_| ()).await;
    assert_eq!(faulty.faulty(), ["recurrence"]);
    let both = alice.change(&other.id, &["due_date", "recurrence"], |_| ()).await;
    assert_eq!(both.expect("updated").due_date, None);
}

async fn a_rule_counts_from_the_due_time_when_it_is_set(world: &World) {
    let alice = world.alice().await;
    let plain = alice.make("Pay the rent", |new| new.due_date = Some("2031-11-24".into())).await;
    let plain = plain.expect("a task");
    assert_eq!((&plain.series_id, plain.occurrence), (&None, None));
    let repeating =
        alice.change(&plain.id, &[], |it| it.recurrence = Some(rule("FREQ=MONTHLY"))).await;
    let repeating = repeating.expect("updated");
    assert_eq!((repeating.series_id.as_ref(), repeating.occurrence), (Some(&plain.id), Some(1)));
    assert_eq!(next(&alice).await.due_date.as_deref(), Some("2031-12-24"));
    // Put off to another day, it goes on from there.
    let task = open(&alice).await;
    let later = alice.change(&task.id, &[], |it| it.due_date = Some("2031-12-30".into())).await;
    later.expect("updated");
    assert_eq!(next(&alice).await.due_date.as_deref(), Some("2032-01-30"));
}

async fn counted_from_completion_the_day_it_was_done_counts(world: &World, clock: &ManualClock) {
    let alice = world.alice().await;
    for zone in ["", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        let made = alice.make("Water the plants", |new| {
            new.due_date = Some("2031-11-24".into());
            new.recurrence = Some(Recurrence {
                rule: "FREQ=DAILY;INTERVAL=10".into(),
                from: RepeatFrom::Completion.into(),
                time_zone: zone.into(),
                ..Recurrence::default()
            });
        });
        let task = made.await.expect("a task");
        let hours = match zone {
            "Pacific/Kiritimati" => 14,
            "Pacific/Pago_Pago" => -11,
            _ => 0,
        };
        let today = (clock.now() + chrono::TimeDelta::hours(hours)).date_naive();
        let expected = (today + chrono::Days::new(10)).to_string();
        let next = next(&alice).await;
        assert_eq!((next.due_date, next.occurrence), (Some(expected), Some(2)), "{zone}");
        assert_eq!(next.series_id, Some(task.id));
        alice.delete(&next.id).await.expect("deleted");
    }
}
