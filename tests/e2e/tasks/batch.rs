//! Many tasks at once: all of them or none.

use prost_types::FieldMask;
use proto::task::v1::{
    BatchCompleteTasksRequest, BatchCreateTasksRequest, BatchDeleteTasksRequest,
    BatchUpdateTasksRequest, CreateTaskRequest, Recurrence, Reminder, Task, UpdateTaskRequest,
};
use tonic::{Code, Status};

use crate::{answer::Refused, caller::SignedIn, scenarios::in_both_worlds, world::World};

in_both_worlds!(
    a_batch_of_new_tasks_comes_back_in_its_order,
    one_faulty_element_keeps_all_out,
    a_schedule_that_needs_a_due_is_refused_without_one,
    the_same_change_is_written_into_each,
    a_batch_is_completed_or_deleted_as_one,
    a_task_that_is_missing_keeps_all_as_they_were,
    a_batch_with_a_request_id_happens_once,
    a_batch_has_one_to_five_hundred_elements,
    a_batch_may_be_larger_than_a_single_task,
);

fn new(title: &str) -> CreateTaskRequest {
    CreateTaskRequest { title: title.into(), ..CreateTaskRequest::default() }
}

async fn create(
    caller: &SignedIn,
    tasks: Vec<CreateTaskRequest>,
    key: &str,
) -> Result<Vec<Task>, Status> {
    let request = BatchCreateTasksRequest { user_id: caller.id(), tasks, request_id: key.into() };
    Ok(caller.bulk().batch_create_tasks(request).await?.into_inner().tasks)
}

async fn update(
    caller: &SignedIn,
    ids: &[&str],
    changes: UpdateTaskRequest,
    key: &str,
) -> Result<Vec<Task>, Status> {
    let request = BatchUpdateTasksRequest {
        user_id: caller.id(),
        ids: ids.iter().map(ToString::to_string).collect(),
        changes: Some(changes),
        request_id: key.into(),
    };
    Ok(caller.bulk().batch_update_tasks(request).await?.into_inner().tasks)
}

async fn complete(caller: &SignedIn, ids: &[&str], key: &str) -> Result<Vec<Task>, Status> {
    let ids = ids.iter().map(ToString::to_string).collect();
    let request = BatchCompleteTasksRequest { user_id: caller.id(), ids, request_id: key.into() };
    Ok(caller.bulk().batch_complete_tasks(request).await?.into_inner().tasks)
}

async fn delete(caller: &SignedIn, ids: &[&str], key: &str) -> Result<(), Status> {
    let ids = ids.iter().map(ToString::to_string).collect();
    let request = BatchDeleteTasksRequest { user_id: caller.id(), ids, request_id: key.into() };
    caller.bulk().batch_delete_tasks(request).await.map(drop)
}

/// Three tasks: a, b and c.
async fn three(caller: &SignedIn) -> Vec<Task> {
    create(caller, ["a", "b", "c"].map(new).to_vec(), "").await.expect("tasks")
}

/// All tasks in the user's order, in which those of a batch stand as they came.
async fn ordered(caller: &SignedIn) -> Vec<Task> {
    let mut tasks = caller.all_tasks().await;
    tasks.sort_by(|one, other| one.position.cmp(&other.position));
    tasks
}

fn ids(tasks: &[Task]) -> Vec<&str> {
    tasks.iter().map(|task| task.id.as_str()).collect()
}

async fn a_batch_of_new_tasks_comes_back_in_its_order(world: &World) {
    let alice = world.alice().await;
    let many: Vec<_> = (0..500).map(|number| new(&format!("number {number}"))).collect();
    let made = create(&alice, many.clone(), "").await.expect("tasks");
    let titles: Vec<_> = made.iter().map(|task| task.title.clone()).collect();
    assert_eq!(titles, many.iter().map(|task| task.title.clone()).collect::<Vec<_>>());
    assert!(made.windows(2).all(|pair| pair[0].position < pair[1].position), "in their order");
    assert_eq!(ordered(&alice).await, made);
    // A copy takes a batch in as many pages as it likes.
    let (mut token, mut received) = (String::new(), 0);
    loop {
        let changes = alice.sync(&token, 200).await.expect("changes");
        received += changes.tasks.len();
        token = changes.next_sync_token;
        if !changes.more {
            break;
        }
    }
    assert_eq!(received, 500);
}

async fn one_faulty_element_keeps_all_out(world: &World) {
    let alice = world.alice().await;
    let mut tasks = ["a", " ", "c", "d"].map(new).to_vec();
    tasks[0].due_zone = Some("UTC".into());
    tasks[2].tags = vec![String::new()];
    tasks[3].recurrence = Some(Recurrence { rule: "daily".into(), ..Recurrence::default() });
    let faulty = create(&alice, tasks, "two words").await.faulty();
    let expected = [
        "tasks[0].due_zone",
        "tasks[1].title",
        "tasks[2].tags",
        "tasks[3].recurrence.rule",
        "request_id",
    ];
    assert_eq!(faulty, expected);
    assert!(alice.all_tasks().await.is_empty());
}

async fn a_schedule_that_needs_a_due_is_refused_without_one(world: &World) {
    let alice = world.alice().await;
    let daily = Recurrence { rule: "FREQ=DAILY".into(), ..Recurrence::default() };
    let before = Reminder { minutes_before: Some(5), ..Reminder::default() };
    let mut tasks = ["a", "b", "c"].map(new).to_vec();
    tasks[0].recurrence = Some(daily.clone());
    tasks[1].reminders = vec![before];
    (tasks[2].due_date, tasks[2].recurrence) = (Some("2031-11-25".into()), Some(daily.clone()));
    tasks[2].reminders = vec![before];
    let faulty = create(&alice, tasks, "").await.faulty();
    assert_eq!(faulty, ["tasks[0].recurrence", "tasks[1].reminders", "tasks[2].reminders"]);
    assert!(alice.all_tasks().await.is_empty());
    let made = three(&alice).await;
    let changes = UpdateTaskRequest { recurrence: Some(daily), ..UpdateTaskRequest::default() };
    let faulty = update(&alice, &ids(&made[..2]), changes, "").await.faulty();
    assert_eq!(faulty, ["ids[0].recurrence", "ids[1].recurrence"]);
    let changes = UpdateTaskRequest { reminders: vec![before], ..UpdateTaskRequest::default() };
    let faulty = update(&alice, &ids(&made[..1]), changes, "").await.faulty();
    assert_eq!(faulty, ["ids[0].reminders"]);
    assert_eq!(ordered(&alice).await, made);
}

async fn the_same_change_is_written_into_each(world: &World) {
    let alice = world.alice().await;
    let made = three(&alice).await;
    let both = UpdateTaskRequest {
        tags: vec!["home".into()],
        due_date: Some("2031-11-25".into()),
        ..UpdateTaskRequest::default()
    };
    let named = [&*made[2].id, &made[0].id];
    let written = update(&alice, &named, both, "").await.expect("updated");
    assert_eq!(ids(&written), named, "in the order of the request");
    for task in &written {
        assert_eq!(
            (&task.tags[..], task.due_date.as_deref()),
            (&["home".into()][..], Some("2031-11-25"))
        );
        assert_eq!(alice.get(&task.id).await.expect("the task"), *task);
    }
    assert_eq!(alice.get(&made[1].id).await.expect("the task"), made[1], "not named");
    // What is named and not set is cleared, what is not named stays.
    let mask = FieldMask { paths: vec!["tags".into()] };
    let cleared = UpdateTaskRequest { update_mask: Some(mask), ..UpdateTaskRequest::default() };
    for task in update(&alice, &ids(&made), cleared, "").await.expect("updated") {
        assert!(task.tags.is_empty());
    }
    assert_eq!(alice.get(&made[0].id).await.expect("the task").due_date, written[1].due_date);
    let faulty = UpdateTaskRequest {
        title: Some(String::new()),
        due_date: Some("soon".into()),
        ..UpdateTaskRequest::default()
    };
    let faulty = update(&alice, &ids(&made), faulty, "").await.faulty();
    assert_eq!(faulty, ["changes.title", "changes.due_date"]);
    let nothing = update(&alice, &ids(&made), UpdateTaskRequest::default(), "").await;
    assert_eq!(nothing.faulty(), ["changes.update_mask"]);
}

async fn a_batch_is_completed_or_deleted_as_one(world: &World) {
    let alice = world.alice().await;
    let mut tasks = ["a", "b"].map(new).to_vec();
    tasks[0].due_date = Some("2031-11-24".into());
    tasks[0].recurrence = Some(Recurrence { rule: "FREQ=DAILY".into(), ..Recurrence::default() });
    let made = create(&alice, tasks, "").await.expect("tasks");
    let done = complete(&alice, &ids(&made), "").await.expect("completed");
    assert!(done.iter().all(|task| task.completed) && ids(&done) == ids(&made));
    assert_eq!(complete(&alice, &ids(&made), "").await.expect("the same"), done);
    let open = alice.page(0, "", Some(false)).await.expect("a page").tasks;
    let dates: Vec<_> = open.iter().map(|task| task.due_date.as_deref()).collect();
    assert_eq!(dates, [Some("2031-11-25")], "the next one, once");
    delete(&alice, &ids(&made), "").await.expect("deleted");
    assert_eq!(alice.all_tasks().await, open);
    for task in &done {
        assert_eq!(alice.undelete(&task.id).await.expect("it is back").title, task.title);
    }
}

async fn a_task_that_is_missing_keeps_all_as_they_were(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let (made, his) = (three(&alice).await, bob.create("his").await);
    let unknown = "01890f3e-5a7d-7e9b-8c0f-46285a7d3e9b";
    let answers = async |other: &str| {
        let named = [&*made[0].id, other, &made[2].id];
        let rename = UpdateTaskRequest { title: Some("x".into()), ..UpdateTaskRequest::default() };
        [
            update(&alice, &named, rename, "").await.answer(),
            complete(&alice, &named, "").await.answer(),
            delete(&alice, &named, "").await.answer(),
        ]
    };
    let missing = answers(unknown).await;
    assert_eq!(answers(&his.id).await, missing, "his is as missing as any");
    let status = complete(&alice, &[&made[0].id, unknown], "").await.status();
    let named = tonic_types::StatusExt::get_details_bad_request(&status).expect("which");
    let fields: Vec<_> = named.field_violations.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(fields, ["ids[1]"]);
    Err::<(), _>(status).refused(Code::NotFound, "TASK_NOT_FOUND");
    assert_eq!((ordered(&alice).await, bob.all_tasks().await), (made, vec![his]));
}

async fn a_batch_with_a_request_id_happens_once(world: &World) {
    let alice = world.alice().await;
    let tasks = ["a", "b", "c"].map(new).to_vec();
    let made = create(&alice, tasks.clone(), "k-1").await.expect("tasks");
    assert_eq!(create(&alice, tasks, "k-1").await.expect("the same"), made);
    let other = create(&alice, vec![new("d")], "k-1").await;
    other.refused(Code::AlreadyExists, "REQUEST_ID_REUSED");
    let rename = |title: &str| UpdateTaskRequest {
        title: Some(title.into()),
        ..UpdateTaskRequest::default()
    };
    update(&alice, &[&made[0].id], rename("x"), "k-2").await.expect("updated");
    alice.change(&made[0].id, &[], |it| it.title = Some("y".into())).await.expect("updated");
    let again = update(&alice, &[&made[0].id], rename("x"), "k-2").await.expect("nothing again");
    assert_eq!(again[0].title, "y", "as it is now");
    let other = update(&alice, &[&made[0].id], rename("z"), "k-2").await;
    other.refused(Code::AlreadyExists, "REQUEST_ID_REUSED");
    complete(&alice, &[&made[1].id], "k-3").await.expect("completed");
    alice.reopen(&made[1].id).await.expect("reopened");
    let again = complete(&alice, &[&made[1].id], "k-3").await.expect("nothing again");
    assert!(!again[0].completed);
    for _ in 0..2 {
        delete(&alice, &[&made[2].id], "k-4").await.expect("deleted once");
    }
    assert_eq!(alice.all_tasks().await.len(), 2);
}

async fn a_batch_has_one_to_five_hundred_elements(world: &World) {
    let alice = world.alice().await;
    let made = three(&alice).await;
    for count in [0, 501] {
        assert_eq!(create(&alice, vec![new("a"); count], "").await.faulty(), ["tasks"], "{count}");
        let many: Vec<_> = (0..count).map(|number| number.to_string()).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        assert_eq!(complete(&alice, &many, "").await.faulty(), ["ids"], "{count}");
        assert_eq!(delete(&alice, &many, "").await.faulty(), ["ids"], "{count}");
    }
    let twice = [&*made[0].id, &made[1].id, &made[0].id];
    assert_eq!(delete(&alice, &twice, "").await.faulty(), ["ids[2]"]);
    assert_eq!(alice.all_tasks().await.len(), 3);
}

async fn a_batch_may_be_larger_than_a_single_task(world: &World) {
    let alice = world.alice().await;
    let long = CreateTaskRequest { description: "x".repeat(10_000), ..new("long") };
    let made = create(&alice, vec![long.clone(); 100], "").await.expect("tasks");
    assert_eq!(made.len(), 100);
    let code = create(&alice, vec![long; 200], "").await.status().code();
    assert_eq!(code, Code::OutOfRange, "more than 1 MiB");
    assert_eq!(alice.all_tasks().await.len(), 100);
}
