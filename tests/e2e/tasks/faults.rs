//! Faulty fields: all at once, by the same names on both wires, and no effect.

use proto::task::v1::{CreateTaskRequest, Recurrence, Reminder, UpdateTaskRequest};

use crate::{
    answer::Refused, caller::at, scenarios::in_both_worlds, wire::Difference, world::World,
};

in_both_worlds!(
    a_creation_names_every_faulty_field,
    a_change_names_every_faulty_field,
    rules_between_fields_are_checked_together,
    what_is_no_rule_or_follows_none_is_refused,
);

/// Every field of a schedule at fault, in the order of the contract.
const ALL: [&str; 8] = [
    "tags",
    "due_date",
    "due_at",
    "due_zone",
    "due_at",
    "reminders",
    "recurrence.rule",
    "recurrence.time_zone",
];

fn recurrence() -> Recurrence {
    Recurrence {
        rule: "daily".into(),
        from: 0,
        time_zone: "Mars/Olympus".into(),
        ..Recurrence::default()
    }
}

fn create(new: &mut CreateTaskRequest) {
    new.tags = vec!["fine".into(), String::new()];
    new.due_date = Some("2026-11-31".into());
    new.due_at = Some(at("1969-12-31T23:59:59Z"));
    new.due_zone = Some("Berlin".into());
    new.reminders = vec![Reminder::default(), Reminder::default()];
    new.recurrence = Some(recurrence());
}

fn change(it: &mut UpdateTaskRequest) {
    it.tags = vec!["fine".into(), String::new()];
    it.due_date = Some("2026-11-31".into());
    it.due_at = Some(at("1969-12-31T23:59:59Z"));
    it.due_zone = Some("Berlin".into());
    it.reminders = vec![Reminder::default(), Reminder::default()];
    it.recurrence = Some(recurrence());
}

async fn a_creation_names_every_faulty_field(world: &World) {
    let alice = world.alice().await;
    let faulty = alice.make(" \u{200b}\u{3164}", |new| {
        create(new);
        new.description = "\0".into();
        new.request_id = "two words".into();
    });
    let expected = [&["title", "description"][..], &ALL, &["request_id"]].concat();
    assert_eq!(faulty.await.faulty(), expected);
    if !world.differs(Difference::PrioritiesHaveNames) {
        let faulty = alice.make("Water the plants", |new| {
            new.priority = 9;
            new.recurrence = Some(Recurrence { from: 9, ..recurrence() });
        });
        let expected = ["priority", "recurrence.rule", "recurrence.from", "recurrence.time_zone"];
        assert_eq!(faulty.await.faulty(), expected);
    }
    assert!(alice.all_tasks().await.is_empty());
}

async fn a_change_names_every_faulty_field(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    let expected = ["title", "tags", "reminders", "recurrence.rule", "recurrence.time_zone"];
    let expected = [&expected[..], &["due_date", "due_at", "due_zone", "due_at"]].concat();
    for mask in [&[][..], &["*"]] {
        let answer = alice.change(&task.id, mask, |it| {
            change(it);
            it.title = Some(String::new());
        });
        assert_eq!(answer.await.faulty(), expected, "{mask:?}");
    }
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
}

async fn rules_between_fields_are_checked_together(world: &World) {
    let alice = world.alice().await;
    let before = vec![Reminder { minutes_before: Some(5), ..Reminder::default() }];
    let daily = Some(Recurrence { rule: "FREQ=DAILY".into(), ..Recurrence::default() });
    let without_due = alice.make("Water the plants", |new| {
        (new.reminders, new.recurrence) = (before.clone(), daily.clone());
    });
    assert_eq!(without_due.await.faulty(), ["reminders", "recurrence"]);
    let task = alice.create("Water the plants").await;
    let without_due = alice.change(&task.id, &[], |it| {
        (it.reminders, it.recurrence) = (before.clone(), daily.clone());
    });
    assert_eq!(without_due.await.faulty(), ["reminders", "recurrence"]);
    assert_eq!(alice.all_tasks().await, [task]);
}

async fn what_is_no_rule_or_follows_none_is_refused(world: &World) {
    let alice = world.alice().await;
    let long = format!("FREQ=DAILY;BYMONTH={}1", "1,".repeat(300));
    for rule in [
        "",
        "daily",
        "FREQ=HOURLY",
        "FREQ=SECONDLY;INTERVAL=1",
        "FREQ=DAILY;COUNT=0",
        "FREQ=DAILY;COUNT=99999999999",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=DAILY;COUNT=2;UNTIL=20320101",
        "FREQ=DAILY;FREQ=DAILY",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "INTERVAL=2",
        "DTSTART:20260101\nRRULE:FREQ=DAILY",
        "FREQ=DAILY;EXDATE=20260101",
        "FREQ=DAILY;X-MINE=1",
        "FREQ=DAILY\0",
        "every day, please",
        &long,
    ] {
        let made = alice.make("Water the plants", |new| {
            new.due_date = Some("2031-11-25".into());
            new.recurrence = Some(Recurrence { rule: rule.into(), ..Recurrence::default() });
        });
        assert_eq!(made.await.faulty(), ["recurrence.rule"], "{rule:.60}");
    }
    assert!(alice.all_tasks().await.is_empty());
}
