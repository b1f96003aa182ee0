//! Ids of tasks are read in any case, and written in small letters (RFC 9562 section 4).

use proto::task::v1::{
    BatchCompleteTasksRequest, MoveTaskRequest, UndeleteTaskRequest, UpdateTaskRequest,
};
use tonic::Code;

use crate::{answer::Refused, scenarios::in_both_worlds, world::World};

in_both_worlds!(an_id_names_its_task_in_capitals_too, an_id_is_spelled_in_one_way_alone);

async fn an_id_names_its_task_in_capitals_too(world: &World) {
    let alice = world.alice().await;
    let (task, other) = (alice.create("Water the plants").await, alice.create("Rest").await);
    let (id, other_id) = (task.id.to_uppercase(), other.id.to_uppercase());
    assert_eq!(alice.get(&id).await.expect("the task"), task);
    let renamed = UpdateTaskRequest {
        user_id: alice.id(),
        id: id.clone(),
        title: Some("Feed the cat".into()),
        ..Default::default()
    };
    let renamed = alice.tasks().update_task(renamed).await.expect("changed").into_inner();
    assert_eq!(renamed.task.expect("a task").id, task.id);
    let moved = MoveTaskRequest {
        user_id: alice.id(),
        id: id.clone(),
        after: Some(other_id.clone()),
        ..Default::default()
    };
    let moved = alice.tasks().move_task(moved).await.expect("moved").into_inner();
    assert!(moved.task.expect("a task").position > other.position);
    let complete = |ids: Vec<String>| {
        let request = BatchCompleteTasksRequest { user_id: alice.id(), ids, ..Default::default() };
        let mut bulk = alice.bulk();
        async move { bulk.batch_complete_tasks(request).await }
    };
    let done = complete(vec![id.clone(), other_id]).await.expect("completed").into_inner();
    let ids: Vec<_> = done.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(ids, [task.id.as_str(), other.id.as_str()]);
    assert_eq!(complete(vec![task.id.clone(), id]).await.faulty(), ["ids[1]"]);
}

async fn an_id_is_spelled_in_one_way_alone(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    for id in [
        format!("{{{}}}", task.id),
        format!("urn:uuid:{}", task.id),
        task.id.replace('-', ""),
        format!(" {}", task.id),
    ] {
        alice.get(&id).await.refused(Code::NotFound, "TASK_NOT_FOUND");
        let undelete = UndeleteTaskRequest { user_id: alice.id(), id, ..Default::default() };
        alice.tasks().undelete_task(undelete).await.refused(Code::NotFound, "TASK_NOT_FOUND");
    }
}
