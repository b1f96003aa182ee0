//! Export and import of all tasks.

use futures_util::stream;
use proto::task::v1::{
    ExportTasksRequest, ImportTasksRequest, ImportTasksResponse, Recurrence, Reminder, Task,
};
use tonic::{Code, Status};

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::in_both_worlds,
    world::World,
};

in_both_worlds!(
    what_is_exported_can_be_imported_elsewhere_as_it_was,
    an_import_is_safe_to_repeat,
    a_dry_run_reports_what_would_happen_and_does_nothing,
    faults_are_reported_by_line_and_nothing_is_stored,
    a_task_may_leave_out_all_but_its_title,
    what_is_long_is_exported_whole,
    nothing_comes_from_or_goes_to_others,
);

async fn export(caller: &SignedIn) -> Vec<Task> {
    let request = ExportTasksRequest { user_id: caller.id(), everything: false };
    let mut pages = caller.bulk().export_tasks(request).await.expect("an export").into_inner();
    let mut tasks = Vec::new();
    while let Some(page) = pages.message().await.expect("a page") {
        tasks.extend(page.tasks);
    }
    tasks
}

/// Imports `tasks`, some at a time.
async fn import(
    caller: &SignedIn,
    tasks: &[Task],
    dry_run: bool,
) -> Result<ImportTasksResponse, Status> {
    let message = |tasks: &[Task]| ImportTasksRequest {
        user_id: caller.id(),
        tasks: tasks.to_vec(),
        dry_run,
    };
    let mut messages: Vec<_> = tasks.chunks(3).map(message).collect();
    if messages.is_empty() {
        messages.push(message(&[]));
    }
    Ok(caller.bulk().import_tasks(stream::iter(messages)).await?.into_inner())
}

fn titled(title: &str) -> Task {
    Task { title: title.into(), ..Task::default() }
}

/// Tasks with everything that tasks can have, and one in the trash.
async fn variety(caller: &SignedIn) {
    let made = caller.make("Water the plants", |new| {
        new.description = "two\nlines, \"quoted\" \u{2028} 🦀".into();
        new.tags = vec!["Home".into(), "Café".into()];
        new.due_at = Some(at("2031-01-31T08:00:00.123456Z"));
        new.due_zone = Some("Europe/Berlin".into());
        new.reminders = vec![Reminder { minutes_before: Some(10), ..Reminder::default() }];
        new.recurrence = Some(Recurrence { rule: "FREQ=MONTHLY".into(), ..Recurrence::default() });
        new.set_priority(proto::task::v1::Priority::Urgent);
    });
    let first = made.await.expect("a task");
    caller.complete(&first.id).await.expect("completed");
    let plain = caller.create("plain").await;
    let dated = caller.make("dated", |new| new.due_date = Some("2031-11-25".into())).await;
    caller.put(&dated.expect("a task").id, Some(&plain.id), None).await.expect("moved");
    let gone = caller.create("gone").await;
    caller.delete(&gone.id).await.expect("deleted");
}

/// `tasks`, but for whose they are and which version, and counted as they stand: where that
/// is, is their account's.
fn bare(mut tasks: Vec<Task>) -> Vec<Task> {
    tasks.sort_by(|one, other| one.position.cmp(&other.position));
    for (number, task) in tasks.iter_mut().enumerate() {
        task.position = number.to_string();
        task.user_id.clear();
        task.etag.clear();
    }
    tasks.sort_by(|one, other| one.id.cmp(&other.id));
    tasks
}

async fn what_is_exported_can_be_imported_elsewhere_as_it_was(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    variety(&alice).await;
    let exported = export(&alice).await;
    assert_eq!(bare(exported.clone()), bare(alice.all_tasks().await), "all but the trash");
    assert!(exported.is_sorted_by_key(|task| task.created_at.map(|at| (at.seconds, at.nanos))));
    let report = import(&bob, &exported, false).await.expect("imported");
    let expected =
        ImportTasksResponse { received: 4, imported: 4, ..ImportTasksResponse::default() };
    assert_eq!(report, expected);
    assert_eq!(bare(export(&bob).await), bare(exported));
    // It goes on there as it would have gone on here: from the 31st, not from the 28th.
    for caller in [&alice, &bob] {
        let open = caller.page(0, "", Some(false)).await.expect("a page").tasks;
        let second = open.iter().find(|task| task.recurrence.is_some()).expect("the second");
        assert_eq!(second.due_at, Some(at("2031-02-28T08:00:00.123456Z")));
        caller.complete(&second.id).await.expect("completed");
        let open = caller.page(0, "", Some(false)).await.expect("a page").tasks;
        let third = open.iter().find(|task| task.recurrence.is_some()).expect("the third");
        assert_eq!(third.due_at, Some(at("2031-03-31T07:00:00.123456Z")));
        assert_eq!(third.occurrence, Some(3));
    }
    // A client that syncs receives the imported tasks.
    assert_eq!(bob.sync("", 0).await.expect("all there is").tasks.len(), 5);
}

async fn an_import_is_safe_to_repeat(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    let exported = export(&alice).await;
    let before = alice.all_tasks().await;
    let report = import(&alice, &exported, false).await.expect("nothing is new");
    assert_eq!((report.received, report.imported, report.skipped), (4, 0, 4));
    assert_eq!(alice.all_tasks().await, before);
    // What is in the trash stays there.
    alice.delete(&exported[0].id).await.expect("deleted");
    let report = import(&alice, &exported, false).await.expect("nothing is new");
    assert_eq!((report.imported, report.skipped), (0, 4));
    assert_eq!(alice.all_tasks().await.len(), 3);
}

async fn a_dry_run_reports_what_would_happen_and_does_nothing(world: &World) {
    let alice = world.alice().await;
    let known = alice.create("known").await;
    let tasks = [titled("a"), known.clone(), titled("b")];
    let report = import(&alice, &tasks, true).await.expect("a report");
    let expected = ImportTasksResponse {
        received: 3,
        imported: 2,
        skipped: 1,
        dry_run: true,
        ..ImportTasksResponse::default()
    };
    assert_eq!(report, expected);
    assert_eq!(alice.all_tasks().await, [known]);
    let report = import(&alice, &tasks, false).await.expect("imported");
    assert_eq!(report, ImportTasksResponse { dry_run: false, ..expected });
    assert_eq!(alice.all_tasks().await.len(), 3);
}

async fn faults_are_reported_by_line_and_nothing_is_stored(world: &World) {
    let alice = world.alice().await;
    let id = "01890f3e-5a7d-7e9b-8c0f-46285a7d3e9b";
    let tasks = [
        titled("sound"),
        Task { due_zone: Some("Berlin".into()), ..titled(" ") },
        Task { id: "nonsense".into(), ..titled("x") },
        Task { id: id.into(), ..titled("first") },
        Task { id: id.into(), ..titled("twice") },
        Task { occurrence: Some(2), ..titled("of no series") },
    ];
    let report = import(&alice, &tasks, true).await.expect("a report");
    let found: Vec<_> = report.faults.iter().map(|it| (it.line, it.field.as_str())).collect();
    let expected =
        [(2, "title"), (2, "due_zone"), (2, "due_zone"), (3, "id"), (5, "id"), (6, "occurrence")];
    assert_eq!(found, expected, "{report:?}");
    assert_eq!((report.received, report.imported, report.faulty), (6, 0, 4));
    let status = import(&alice, &tasks, false).await.status();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let faulty = Err::<(), _>(status).faulty();
    let expected: Vec<_> =
        expected.iter().map(|(line, field)| format!("line {line}: {field}")).collect();
    assert_eq!(faulty, expected);
    assert!(alice.all_tasks().await.is_empty());
}

async fn a_task_may_leave_out_all_but_its_title(world: &World) {
    let alice = world.alice().await;
    let done = Task { completed: true, ..titled("done") };
    let report = import(&alice, &[titled("a"), done, titled("a")], false).await.expect("imported");
    assert_eq!((report.received, report.imported), (3, 3), "without an id each is new");
    let mut tasks = alice.all_tasks().await;
    tasks.sort_by(|one, other| one.position.cmp(&other.position));
    let titles: Vec<_> = tasks.iter().map(|task| task.title.as_str()).collect();
    assert_eq!(titles, ["a", "done", "a"], "in their order");
    assert!(tasks[1].completed && tasks[1].completed_at.is_some());
    assert_eq!(tasks[0].priority(), proto::task::v1::Priority::Medium);
    assert_eq!(import(&alice, &[], false).await.expect("nothing"), ImportTasksResponse::default());
}

async fn what_is_long_is_exported_whole(world: &World) {
    let alice = world.alice().await;
    let tasks: Vec<_> = (0..450)
        .map(|number| Task {
            description: "🦀".repeat(300), ..titled(&format!("number {number}"))
        })
        .collect();
    let report = import(&alice, &tasks, false).await.expect("imported");
    assert_eq!(report.imported, 450);
    let exported = export(&alice).await;
    assert_eq!(exported.len(), 450);
    assert!(exported.iter().all(|task| task.description == tasks[0].description));
}

async fn nothing_comes_from_or_goes_to_others(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let hers = alice.create("hers").await;
    assert!(export(&bob).await.is_empty());
    // Her id is no secret to know of and no place to write to.
    let stolen = Task { title: "his".into(), ..hers.clone() };
    let report = import(&bob, &[stolen], false).await.expect("imported");
    assert_eq!((report.imported, report.skipped), (1, 0));
    assert_eq!(alice.all_tasks().await, std::slice::from_ref(&hers));
    assert_eq!(bob.get(&hers.id).await.expect("his own").title, "his");
    let forger = SignedIn { user: alice.user.clone(), ..bob.clone() };
    let request = ExportTasksRequest { user_id: alice.id(), everything: false };
    let answer = forger.bulk().export_tasks(request).await.map(drop);
    answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
    let answer = import(&forger, &[titled("x")], false).await;
    answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
    assert_eq!(alice.all_tasks().await, [hers]);
}
