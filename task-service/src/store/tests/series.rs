//! A task that repeats: the next one comes once, in the same step.

use fixtures::{FreshDatabase, on_both_databases};
use shared::{auth::Owner, error::Refusal};

use super::world::{World, owner, titled};
use crate::{
    domain::{
        due::Due,
        etag::Etag,
        recurrence::{RepeatFrom, Rule},
        task::{Content, Reminder, Reminders, Repeat, RuleChange, Tags, Task, TaskPatch},
        zone::Zone,
    },
    error::Error,
    query::sync::SyncRequest,
    store::Tasks,
};

on_both_databases!(
    completing_makes_the_next_one_and_keeps_the_done_one,
    however_many_complete_it_at_once_there_is_one_next,
    reopened_and_done_again_it_is_not_followed_twice,
    skipping_moves_on_and_the_series_can_be_ended,
    the_month_ends_do_not_drift,
);

fn daily(rule: &str, date: &str) -> Content {
    let due = Due::parse_date(date).map(Due::Date).expect("a date");
    let rule = Rule::parse(rule).expect("a rule");
    Content {
        due: Some(due),
        recurrence: Some(Repeat { rule, from: RepeatFrom::Due, zone: Zone::UTC }),
        tags: Tags::parse(vec!["Health".into()]).expect("tags"),
        ..titled("Pills")
    }
}

/// The tasks of `owner`, by occurrence.
async fn series(tasks: &Tasks, owner: &Owner) -> Vec<Task> {
    let all = SyncRequest { size: 200, after: None };
    let mut tasks = tasks.sync(owner, &all).await.expect("all").tasks;
    tasks.sort_by_key(|task| task.series.map(|series| series.occurrence));
    tasks
}

fn date(task: &Task) -> String {
    task.content.due.as_ref().map_or_else(String::new, |due| due.local().date().to_string())
}

// The world's clock begins on 14 November 2023.

async fn completing_makes_the_next_one_and_keeps_the_done_one(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let new = Content {
        reminders: Reminders::new(vec![Reminder::At(
            crate::domain::timestamp::Timestamp::from_micros(1_700_006_400_000_000),
        )])
        .expect("one"),
        ..daily("FREQ=DAILY", "2023-11-15")
    };
    let made = world.tasks.create(&alice, new).await.expect("created");
    let done = world.tasks.complete(&alice, made.id).await.expect("completed");
    let both = series(&world.tasks, &alice).await;
    let [first, second] = &both[..] else { panic!("{both:?}") };
    assert_eq!((first, date(second).as_str()), (&done, "2023-11-16"));
    assert_eq!(first.revision, second.revision, "one step");
    assert_eq!(
        (&second.content.title, &second.content.tags),
        (&made.content.title, &made.content.tags)
    );
    assert_eq!(second.position, made.position, "it stands where the done one stood");
    assert!(first.position > second.position);
    let moved =
        crate::domain::timestamp::Timestamp::from_micros(1_700_006_400_000_000 + 86_400_000_000);
    assert_eq!(second.content.reminders.as_slice(), [Reminder::At(moved)]);
}

async fn however_many_complete_it_at_once_there_is_one_next(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let other = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.tasks.create(&alice, daily("FREQ=DAILY", "2023-11-15")).await;
    let id = made.expect("created").id;
    let calls = (0..12).map(|n| {
        let tasks = if n % 2 == 0 { world.tasks.clone() } else { other.tasks.clone() };
        tokio::spawn(async move { tasks.complete(&owner("alice"), id).await })
    });
    for call in calls.collect::<Vec<_>>() {
        assert!(call.await.expect("no panic").expect("completed").completed());
    }
    assert_eq!(series(&world.tasks, &alice).await.len(), 2);
}

async fn reopened_and_done_again_it_is_not_followed_twice(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.tasks.create(&alice, daily("FREQ=DAILY", "2023-11-15")).await;
    let id = made.expect("created").id;
    for _ in 0..4 {
        world.tasks.toggle(&alice, id, None).await.expect("toggled");
    }
    let next = series(&world.tasks, &alice).await[1].id;
    world.tasks.delete(&alice, next, None).await.expect("deleted");
    for _ in 0..4 {
        world.tasks.toggle(&alice, id, None).await.expect("toggled");
    }
    assert_eq!(series(&world.tasks, &alice).await.len(), 1, "deleted is deleted");
    world.tasks.undelete(&alice, next, None).await.expect("back");
    assert_eq!(series(&world.tasks, &alice).await.len(), 2);
}

async fn skipping_moves_on_and_the_series_can_be_ended(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.tasks.create(&alice, daily("FREQ=DAILY;COUNT=3", "2023-11-15")).await;
    let made = made.expect("created");
    let etag = Etag::of(made.revision);
    let skipped = world.tasks.skip(&alice, made.id, Some(&etag)).await.expect("skipped");
    assert_eq!(date(&skipped), "2023-11-16");
    let again = world.tasks.skip(&alice, made.id, Some(&etag)).await;
    assert!(matches!(again, Err(Error::Refused(Refusal::StaleEtag))), "a repeat skips nothing");
    world.tasks.skip(&alice, made.id, None).await.expect("skipped");
    let over = world.tasks.skip(&alice, made.id, None).await;
    assert!(matches!(over, Err(Error::Refused(Refusal::SeriesEnded))));
    let end = TaskPatch { recurrence: Some(RuleChange::End), ..TaskPatch::default() };
    world.tasks.update(&alice, made.id, end, None).await.expect("ended");
    world.tasks.complete(&alice, made.id).await.expect("completed");
    assert_eq!(series(&world.tasks, &alice).await.len(), 1);
    let single = world.made(&alice, "once").await;
    let skip = world.tasks.skip(&alice, single.id, None).await;
    assert!(matches!(skip, Err(Error::Refused(Refusal::NotRepeating))));
}

async fn the_month_ends_do_not_drift(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let made = world.tasks.create(&alice, daily("FREQ=MONTHLY", "2024-01-31")).await;
    let mut task = made.expect("created");
    let mut dates = Vec::new();
    for _ in 0..4 {
        world.tasks.complete(&alice, task.id).await.expect("completed");
        task = series(&world.tasks, &alice).await.pop().expect("a next one");
        dates.push(date(&task));
    }
    assert_eq!(dates, ["2024-02-29", "2024-03-31", "2024-04-30", "2024-05-31"]);
    assert_eq!(series(&world.tasks, &alice).await.len(), 5, "the history stays");
}
