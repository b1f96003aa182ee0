//! Imports of exported tasks, all or none.

use chrono::Datelike;
use fixtures::{FreshDatabase, on_both_databases};
use proto::task::v1 as pb;
use shared::auth::Owner;

use super::world::{World, every_user, owner, titled};
use crate::{
    api::wire,
    domain::{
        due::Due,
        import::Report,
        recurrence::{RepeatFrom, Rule},
        task::{Content, Position, Priority, Reminder, Reminders, Repeat, Tags, Task, TaskPatch},
        timestamp::Timestamp,
        zone::Zone,
    },
    error::Error,
    query::sync::SyncRequest,
    store::{MoveTarget, system_queries::outdated},
};

on_both_databases!(
    an_export_turns_every_page_oldest_first,
    an_import_is_equal_to_what_was_exported,
    an_import_goes_on_as_if_nothing_had_happened,
    twice_is_once,
    a_faulty_line_in_the_middle_leaves_nothing,
    a_dry_run_reports_the_same_and_stores_nothing,
    a_task_whose_id_or_occurrence_exists_is_skipped,
    what_comes_twice_is_faulty,
    tasks_without_a_position_are_appended_in_order,
    what_stood_elsewhere_stands_behind_what_is_here,
    an_import_is_one_change_and_of_one_owner,
    an_import_that_is_left_stores_nothing,
);

async fn exported(world: &World, owner: &Owner) -> Vec<Task> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let (tasks, next) = world.tasks.export(owner, cursor).await.expect("a page");
        assert!(tasks.len() <= 100);
        all.extend(tasks);
        if next.is_none() {
            return all;
        }
        cursor = next;
    }
}

async fn import(
    world: &World,
    owner: &Owner,
    tasks: Vec<pb::Task>,
    dry_run: bool,
) -> Result<Report, Error> {
    let mut import = world.tasks.import(owner.clone(), None, dry_run).expect("begun");
    for (line, task) in (1..).zip(tasks) {
        import.take(line, wire::import_task(task)).await?;
    }
    import.finish().await
}

fn messages(tasks: &[Task]) -> Vec<pb::Task> {
    tasks.iter().cloned().map(pb::Task::from).collect()
}

fn named(title: &str) -> pb::Task {
    pb::Task { title: title.into(), ..Default::default() }
}

/// The same as if `owner` had imported them as change `revision`: in the same order, at the
/// end of what is there.
fn of(owner: &Owner, tasks: &[Task], revision: i64) -> Vec<Task> {
    let stands_before = |task: &Task| tasks.iter().filter(|t| t.position < task.position).count();
    let theirs = |task: &Task| Task {
        user_id: owner.user().to_string(),
        revision,
        position: Position::at_end(revision, stands_before(task)),
        ..task.clone()
    };
    tasks.iter().map(theirs).collect()
}

fn numbers(report: &Report) -> [u64; 4] {
    [report.received, report.imported, report.skipped, report.faulty]
}

/// One of each kind, with a history.
async fn everything(world: &World, owner: &Owner) -> Vec<Task> {
    let date = Due::parse_date("2026-01-31").map(Due::Date).expect("a date");
    let zone = Zone::parse("Europe/Berlin").expect("a zone");
    let at = Due::At { moment: Timestamp::from_micros(1_900_000_000_000_000), zone: zone.clone() };
    let rule = |text| Rule::parse(text).expect("a rule");
    let repeat = |text, from| Some(Repeat { rule: rule(text), from, zone: zone.clone() });
    let both =
        vec![Reminder::Before(10), Reminder::At(Timestamp::from_micros(1_890_000_000_000_000))];
    let new = vec![
        titled("plain"),
        Content {
            priority: Priority::Urgent,
            tags: Tags::parse(vec!["Home".into(), "ümläut".into()]).expect("tags"),
            due: Some(at.clone()),
            reminders: Reminders::new(both).expect("two"),
            ..titled("full")
        },
        Content {
            due: Some(date.clone()),
            recurrence: repeat("FREQ=MONTHLY;COUNT=5", RepeatFrom::Due),
            ..titled("rent")
        },
        Content {
            due: Some(at),
            recurrence: repeat("FREQ=WEEKLY", RepeatFrom::Completion),
            ..titled("plants")
        },
        titled("done"),
        titled("gone"),
        Content {
            due: Some(date),
            recurrence: repeat("FREQ=DAILY;UNTIL=20260201", RepeatFrom::Due),
            ..titled("ended")
        },
    ];
    let made = world.tasks.create_all(owner, new, None).await.expect("created");
    world.later(60);
    for done in [2, 3, 4] {
        world.tasks.complete(owner, made[done].id).await.expect("completed");
        world.later(1);
    }
    world.tasks.reopen(owner, made[3].id).await.expect("reopened");
    world.tasks.skip(owner, made[6].id, None).await.expect("to the last one");
    world.tasks.delete(owner, made[5].id, None).await.expect("deleted");
    let first = MoveTarget::Before(made[0].id);
    world.tasks.move_task(owner, made[4].id, first, None).await.expect("moved");
    exported(world, owner).await
}

async fn an_export_turns_every_page_oldest_first(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    assert_eq!(exported(&world, &alice).await, []);
    for count in [100, 150] {
        let new = (0..count).map(|n| titled(&n.to_string())).collect();
        world.tasks.create_all(&alice, new, None).await.expect("created");
        world.later(1);
        world.made(&owner("bob"), "his").await;
        let all = exported(&world, &alice).await;
        assert!(all.is_sorted_by_key(|task| (task.created_at, task.id)));
        assert!(all.iter().all(|task| task.user_id == "alice"));
        assert_eq!(all.len() % 50, 0, "{}", all.len());
    }
    assert_eq!(exported(&world, &alice).await.len(), 250);
}

async fn an_import_is_equal_to_what_was_exported(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = everything(&world, &alice).await;
    assert_eq!(hers.len(), 8);
    let report = import(&world, &bob, messages(&hers), false).await.expect("imported");
    assert_eq!(numbers(&report), [8, 8, 0, 0]);
    assert_eq!(exported(&world, &bob).await, of(&bob, &hers, 1));
    assert_eq!(exported(&world, &alice).await, hers);
    let outdated = outdated(every_user(), 1).all(world.database.reader()).await.expect("rows");
    assert!(outdated.is_empty(), "an answer means that it can be found");
}

async fn an_import_goes_on_as_if_nothing_had_happened(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = everything(&world, &alice).await;
    import(&world, &bob, messages(&hers), false).await.expect("imported");
    for owner in [&alice, &bob] {
        for task in &hers {
            world.tasks.complete(owner, task.id).await.expect("completed");
        }
    }
    let summary = |tasks: Vec<Task>| {
        let one =
            |task: Task| (task.content.title, task.content.due, task.series.map(|s| s.occurrence));
        let mut all: Vec<_> = tasks.into_iter().map(one).collect();
        all.sort_by_key(|one| format!("{one:?}"));
        all
    };
    let [hers, his] = [exported(&world, &alice).await, exported(&world, &bob).await].map(summary);
    assert_eq!(hers, his);
    // Paid late: the last day of the month, however short the one before.
    let rents = hers.iter().filter(|(title, ..)| title.as_str() == "rent");
    let days: Vec<_> = rents.filter_map(|(_, due, _)| Some(due.as_ref()?.local().day())).collect();
    assert!(days.len() >= 2 && days.iter().all(|day| *day >= 28), "{days:?}");
}

async fn twice_is_once(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = everything(&world, &alice).await;
    import(&world, &bob, messages(&hers), false).await.expect("imported");
    let report = import(&world, &bob, messages(&hers), false).await.expect("imported");
    assert_eq!(numbers(&report), [8, 0, 8, 0]);
    assert_eq!(exported(&world, &bob).await, of(&bob, &hers, 1));
    let own = import(&world, &alice, messages(&hers), false).await.expect("imported");
    assert_eq!(numbers(&own), [8, 0, 8, 0]);
    assert_eq!(exported(&world, &alice).await, hers);
    assert_eq!(world.made(&bob, "next").await.revision, 2, "what changes nothing has no number");
}

async fn a_faulty_line_in_the_middle_leaves_nothing(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut tasks: Vec<_> = (0..150).map(|n| named(&n.to_string())).collect();
    tasks[70] = pb::Task { title: String::new(), due_date: Some("soon".into()), ..named("") };
    tasks[90] = pb::Task { id: "x".into(), ..named("a") };
    let Err(Error::NotImported { received, faulty, faults }) =
        import(&world, &alice, tasks.clone(), false).await
    else {
        panic!("not refused")
    };
    assert_eq!((received, faulty), (150, 2));
    let fields: Vec<_> = faults.0.iter().map(|fault| fault.field.as_ref()).collect();
    assert_eq!(fields, ["line 71: title", "line 71: due_date", "line 91: id"]);
    let dry = import(&world, &alice, tasks, true).await.expect("a report");
    assert_eq!((numbers(&dry), dry.faults.len()), ([150, 0, 0, 2], 3));
    assert_eq!(world.titles(&alice).await, [""; 0]);
    assert_eq!(world.made(&alice, "first").await.revision, 1);
}

async fn a_dry_run_reports_the_same_and_stores_nothing(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = everything(&world, &alice).await;
    let some = messages(&hers[..3]);
    for (tasks, there) in [(some.clone(), 0), (messages(&hers), 3), (messages(&hers), 8)] {
        let dry = import(&world, &bob, tasks.clone(), true).await.expect("a report");
        assert_eq!(exported(&world, &bob).await.len(), there);
        let real = import(&world, &bob, tasks, false).await.expect("imported");
        assert_eq!(dry, Report { dry_run: true, ..real });
    }
}

async fn a_task_whose_id_or_occurrence_exists_is_skipped(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let all = everything(&world, &alice).await;
    for task in &all {
        world.tasks.delete(&alice, task.id, None).await.expect("deleted");
    }
    let rent = all.iter().find(|task| task.content.title.as_str() == "rent").expect("one");
    let fresh_id = uuid::Uuid::from_u128(9).to_string();
    let twin = pb::Task { id: fresh_id, ..pb::Task::from(rent.clone()) };
    for (tasks, expected) in
        [(messages(&all), [8, 0, 8, 0]), (vec![twin, named("new")], [2, 1, 1, 0])]
    {
        for dry_run in [true, false] {
            let report = import(&world, &alice, tasks.clone(), dry_run).await.expect("a report");
            assert_eq!(numbers(&report), expected);
        }
    }
    assert_eq!(world.titles(&alice).await, ["new"]);
}

async fn what_comes_twice_is_faulty(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = everything(&world, &alice).await;
    let rent = hers.iter().find(|task| task.content.title.as_str() == "rent").expect("one");
    let twin = pb::Task { id: String::new(), ..pb::Task::from(rent.clone()) };
    let tasks = [messages(&hers), messages(&hers[..1]), vec![twin]].concat();
    let report = import(&world, &bob, tasks, true).await.expect("a report");
    let told: Vec<_> = report.faults.iter().map(|f| (f.line, f.field.as_str())).collect();
    assert_eq!(told, [(9, "id"), (10, "occurrence")]);
}

async fn tasks_without_a_position_are_appended_in_order(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    world.made(&alice, "before").await;
    let tasks = (0..200).map(|n| named(&n.to_string())).collect();
    import(&world, &alice, tasks, false).await.expect("imported");
    world.made(&alice, "after").await;
    let mut all = exported(&world, &alice).await;
    all.sort_by(|one, other| one.position.cmp(&other.position));
    let titles: Vec<_> = all.iter().map(|task| task.content.title.as_str()).collect();
    let numbers: Vec<_> = (0..200).map(|n| n.to_string()).collect();
    assert_eq!((titles[0], titles[201]), ("before", "after"));
    assert_eq!(titles[1..201], numbers);
}

async fn an_import_is_one_change_and_of_one_owner(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    let hers = everything(&world, &alice).await;
    world.made(&bob, "his").await;
    import(&world, &bob, messages(&hers), false).await.expect("imported");
    let request = SyncRequest { size: 200, after: None };
    let changes = world.tasks.sync(&bob, &request).await.expect("all").tasks;
    let revisions: Vec<_> = changes.iter().map(|task| task.revision).collect();
    assert_eq!(revisions, [1, 2, 2, 2, 2, 2, 2, 2, 2]);
    let patch = TaskPatch::completed(false);
    world.tasks.update(&bob, hers[0].id, patch, None).await.expect("his own by now");
    assert_eq!(exported(&world, &alice).await, hers);
}

async fn an_import_that_is_left_stores_nothing(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let mut import = world.tasks.import(alice.clone(), None, false).expect("begun");
    import.take(1, wire::import_task(named("a"))).await.expect("taken");
    drop(import);
    assert_eq!(world.titles(&alice).await, [""; 0]);
}

async fn what_stood_elsewhere_stands_behind_what_is_here(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let (alice, bob) = (owner("alice"), owner("bob"));
    for title in ["1", "2", "3", "4"] {
        world.made(&alice, title).await;
        world.later(1);
    }
    let hers = exported(&world, &alice).await;
    let first = MoveTarget::Before(hers[0].id);
    world.tasks.move_task(&alice, hers[3].id, first, None).await.expect("moved");
    world.made(&bob, "here").await;
    let hers = messages(&exported(&world, &alice).await);
    import(&world, &bob, hers, false).await.expect("imported");
    world.made(&bob, "new").await;
    let mut his = exported(&world, &bob).await;
    his.sort_by(|one, other| one.position.cmp(&other.position));
    let titles: Vec<_> = his.iter().map(|task| task.content.title.as_str()).collect();
    assert_eq!(titles, ["here", "4", "1", "2", "3", "new"]);
}
