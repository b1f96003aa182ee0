//! Entity tags: every change of one task can name the versions it is based on.

use proto::task::v1::{
    CompleteTaskRequest, DeleteTaskRequest, MoveTaskRequest, ReopenTaskRequest, SkipTaskRequest,
    Task, ToggleTaskRequest, UndeleteTaskRequest, UpdateTaskRequest,
};
use tonic::{Code, Status};

use crate::{answer::Refused, caller::SignedIn, scenarios::in_both_worlds, world::World};

in_both_worlds!(no_change_is_made_to_another_version, a_change_may_name_several_versions,);

type Made = Result<Option<Task>, Status>;

/// Every rpc that changes one task that is there, with this etag.
async fn changes(alice: &SignedIn, id: &str, etag: &str) -> Vec<(&'static str, Made)> {
    let (user_id, id, etag) = (alice.id(), id.to_owned(), etag.to_owned());
    let mut rpcs = alice.tasks();
    let mut made = Vec::new();
    macro_rules! call {
        ($rpc:ident, $request:ident { $($more:tt)* }) => {{
            let (user_id, id, etag) = (user_id.clone(), id.clone(), etag.clone());
            let answer = rpcs.$rpc($request { user_id, id, etag, $($more)* }).await;
            made.push((stringify!($rpc), answer.map(|answer| answer.into_inner().task)));
        }};
    }
    call!(update_task, UpdateTaskRequest { title: Some("Rest".into()), ..Default::default() });
    call!(complete_task, CompleteTaskRequest {});
    call!(reopen_task, ReopenTaskRequest {});
    call!(toggle_task, ToggleTaskRequest {});
    call!(move_task, MoveTaskRequest { ..Default::default() });
    call!(skip_task, SkipTaskRequest {});
    call!(undelete_task, UndeleteTaskRequest {});
    let delete = DeleteTaskRequest { user_id, id, etag };
    made.push(("delete_task", rpcs.delete_task(delete).await.map(|_| None)));
    made
}

async fn no_change_is_made_to_another_version(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    for etag in ["nonsense", "\"a\", \"b\"", "W/\"a\""] {
        for (rpc, answer) in changes(&alice, &task.id, etag).await {
            let status = answer.expect_err(rpc);
            assert_eq!(status.code(), Code::Aborted, "{rpc} {etag}: {status:?}");
        }
    }
    assert_eq!(alice.get(&task.id).await.expect("the task"), task);
    // In the trash it has a version too.
    let delete =
        DeleteTaskRequest { user_id: alice.id(), id: task.id.clone(), etag: task.etag.clone() };
    alice.tasks().delete_task(delete).await.expect("deleted");
    let back = UndeleteTaskRequest { user_id: alice.id(), id: task.id, etag: task.etag };
    alice.tasks().undelete_task(back).await.refused(Code::Aborted, "STALE_ETAG");
}

async fn a_change_may_name_several_versions(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    let complete = |etag: String| {
        let request = CompleteTaskRequest { user_id: alice.id(), id: task.id.clone(), etag };
        let mut rpcs = alice.tasks();
        async move { rpcs.complete_task(request).await }
    };
    let done = complete(format!("\"a\", \"{}\"", task.etag)).await.expect("done").into_inner();
    let etag = done.task.expect("a task").etag;
    complete(task.etag.clone()).await.refused(Code::Aborted, "STALE_ETAG");
    complete(etag).await.expect("the same again");
}
