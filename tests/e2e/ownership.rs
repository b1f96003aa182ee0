//! Alice and Bob: what is his is neither hers to touch nor hers to know of.

use futures_util::stream;
use prost_types::FieldMask;
use proto::task::v1::{
    BatchCompleteTasksRequest, BatchCreateTasksRequest, BatchDeleteTasksRequest,
    BatchUpdateTasksRequest, CompleteTaskRequest, CountTasksRequest, CreateTaskRequest,
    DeleteTaskRequest, ExportTasksRequest, GetTaskRequest, ImportTasksRequest,
    ListSecurityEventsRequest, ListTasksRequest, MoveTaskRequest, ReopenTaskRequest,
    SkipTaskRequest, SyncTasksRequest, Task, ToggleTaskRequest, UndeleteTaskRequest,
    UpdateTaskRequest, WatchTasksRequest,
};
use tonic::{Code, Request, Status};

use crate::{
    answer::Refused,
    caller::{Bulk, SignedIn, Tasks},
    forge::{self, FOREIGN},
    raw,
    scenarios::in_both_worlds,
    wire::Difference,
    world::{SECRET, World},
};

in_both_worlds!(
    a_call_in_anothers_name_is_refused_whatever_its_other_fields,
    a_call_in_anothers_name_is_refused_before_any_database_work,
    anothers_task_is_answered_like_no_task_to_the_byte,
    a_user_in_the_metadata_can_only_refuse,
    a_bad_token_is_refused_before_ownership_is_checked,
);

type Answers = Vec<(&'static str, Result<(), Status>)>;

/// Calls all rpcs with the credential of `caller`, in the name of `user`, about `id`.
async fn every_rpc(caller: &SignedIn, user: &str, id: &str) -> Answers {
    let mut tasks = caller.tasks();
    let create =
        CreateTaskRequest { user_id: user.into(), title: "x".into(), ..Default::default() };
    let list = ListTasksRequest { user_id: user.into(), ..Default::default() };
    let sync = SyncTasksRequest { user_id: user.into(), ..Default::default() };
    let count = CountTasksRequest { user_id: user.into(), ..Default::default() };
    let watch = WatchTasksRequest { user_id: user.into(), ..Default::default() };
    let events = ListSecurityEventsRequest { user_id: user.into(), ..Default::default() };
    let mut answers = vec![
        ("ListSecurityEvents", tasks.list_security_events(events).await.map(drop)),
        ("CreateTask", tasks.create_task(create).await.map(drop)),
        ("ListTasks", tasks.list_tasks(list).await.map(drop)),
        ("CountTasks", tasks.count_tasks(count).await.map(drop)),
        ("WatchTasks", tasks.watch_tasks(watch).await.map(drop)),
        ("SyncTasks", tasks.sync_tasks(sync).await.map(drop)),
    ];
    answers.extend(every_rpc_with_id(tasks, user, id).await);
    answers.extend(every_bulk_rpc(caller.bulk(), user, id).await);
    answers
}

/// Those for many tasks at once.
async fn every_bulk_rpc(mut bulk: Bulk, user: &str, id: &str) -> Answers {
    let (user_id, ids) = (user.to_owned(), vec![id.to_owned()]);
    let new = CreateTaskRequest { title: "x".into(), ..Default::default() };
    let create = BatchCreateTasksRequest {
        user_id: user_id.clone(),
        tasks: vec![new],
        ..Default::default()
    };
    let changes = UpdateTaskRequest { title: Some("hijacked".into()), ..Default::default() };
    let update = BatchUpdateTasksRequest {
        user_id: user_id.clone(),
        ids: ids.clone(),
        changes: Some(changes),
        ..Default::default()
    };
    let complete = BatchCompleteTasksRequest {
        user_id: user_id.clone(),
        ids: ids.clone(),
        ..Default::default()
    };
    let delete = BatchDeleteTasksRequest { user_id: user_id.clone(), ids, ..Default::default() };
    let export = ExportTasksRequest { user_id: user_id.clone(), everything: true };
    let planted = Task { title: "x".into(), ..Task::default() };
    let import = ImportTasksRequest { user_id, tasks: vec![planted], dry_run: false };
    let mut of_export = bulk.clone();
    let exported = async {
        let mut pages = of_export.export_tasks(export).await?.into_inner();
        while pages.message().await?.is_some() {}
        Ok(())
    };
    vec![
        ("BatchCreateTasks", bulk.batch_create_tasks(create).await.map(drop)),
        ("BatchUpdateTasks", bulk.batch_update_tasks(update).await.map(drop)),
        ("BatchCompleteTasks", bulk.batch_complete_tasks(complete).await.map(drop)),
        ("BatchDeleteTasks", bulk.batch_delete_tasks(delete).await.map(drop)),
        ("ExportTasks", exported.await),
        ("ImportTasks", bulk.import_tasks(stream::iter([import])).await.map(drop)),
    ]
}

/// Those of them that name a task.
pub async fn every_rpc_with_id(mut tasks: Tasks, user: &str, id: &str) -> Answers {
    let (user_id, id) = (user.to_owned(), id.to_owned());
    let update = UpdateTaskRequest {
        user_id: user_id.clone(),
        id: id.clone(),
        title: Some("hijacked".into()),
        update_mask: Some(FieldMask { paths: vec!["title".into()] }),
        ..Default::default()
    };
    let get = GetTaskRequest { user_id: user_id.clone(), id: id.clone() };
    let complete =
        CompleteTaskRequest { user_id: user_id.clone(), id: id.clone(), etag: String::new() };
    let reopen =
        ReopenTaskRequest { user_id: user_id.clone(), id: id.clone(), etag: String::new() };
    let toggle =
        ToggleTaskRequest { user_id: user_id.clone(), id: id.clone(), etag: String::new() };
    let reorder =
        MoveTaskRequest { user_id: user_id.clone(), id: id.clone(), ..Default::default() };
    let skip = SkipTaskRequest { user_id: user_id.clone(), id: id.clone(), ..Default::default() };
    let undelete =
        UndeleteTaskRequest { user_id: user_id.clone(), id: id.clone(), etag: String::new() };
    let delete = DeleteTaskRequest { user_id, id, etag: String::new() };
    vec![
        ("GetTask", tasks.get_task(get).await.map(drop)),
        ("UpdateTask", tasks.update_task(update).await.map(drop)),
        ("CompleteTask", tasks.complete_task(complete).await.map(drop)),
        ("ReopenTask", tasks.reopen_task(reopen).await.map(drop)),
        ("ToggleTask", tasks.toggle_task(toggle).await.map(drop)),
        ("MoveTask", tasks.move_task(reorder).await.map(drop)),
        ("SkipTask", tasks.skip_task(skip).await.map(drop)),
        ("UndeleteTask", tasks.undelete_task(undelete).await.map(drop)),
        ("DeleteTask", tasks.delete_task(delete).await.map(drop)),
    ]
}

/// The scenarios above call what there is today; this notices what there is tomorrow.
#[test]
fn every_rpc_about_tasks_is_among_the_calls_of_this_file() {
    let declared = raw::every_rpc();
    let count = |service: &str| declared.iter().filter(|rpc| rpc.service == service).count();
    let counts = (count("task.v1.TaskService"), count("task.v1.TaskBulkService"));
    assert_eq!(counts, (15, 6), "a new rpc: add it to `every_rpc`");
}

async fn a_call_in_anothers_name_is_refused_whatever_its_other_fields(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let his = bob.create("his").await;
    let hers = alice.create("hers").await;
    let mut ids = vec![his.id.as_str(), &hers.id, "nonsense", "\0"];
    ids.extend((!world.differs(Difference::EmptyIdsNameNoRoute)).then_some(""));
    for id in ids {
        for (rpc, answer) in every_rpc(&alice, &bob.id(), id).await {
            let status = answer.status();
            assert_eq!(
                status.message(),
                "Access denied: cannot access another user's resources",
                "{rpc} {id:?}"
            );
            Err::<(), _>(status).refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
        }
    }
    let padded = format!("{} ", alice.id());
    let recased = alice.id().to_lowercase();
    for spelling in ["", &padded, &recased, "*", "%", &format!("{}\0", alice.id())] {
        for (_, answer) in every_rpc(&alice, spelling, &hers.id).await {
            answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
        }
    }
    assert_eq!((alice.all_tasks().await, bob.all_tasks().await), (vec![hers], vec![his]));
}

async fn a_call_in_anothers_name_is_refused_before_any_database_work(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let his = bob.create("his").await;
    // From here on, every query fails.
    for table in ["task", "task_revision", "security_event"] {
        world.task_table(table).await.hide().await;
    }
    for (rpc, answer) in every_rpc(&bob, &bob.id(), &his.id).await {
        let code = answer.status().code();
        assert!(matches!(code, Code::Unavailable | Code::Internal), "{rpc}: {code:?}");
    }
    for id in [his.id.as_str(), "nonsense"] {
        for (_, answer) in every_rpc(&alice, &bob.id(), id).await {
            answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
        }
    }
}

async fn anothers_task_is_answered_like_no_task_to_the_byte(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let his = bob.create("his").await;
    alice.create("hers").await;
    let answers = async |id: &str| {
        let answers = every_rpc_with_id(alice.tasks(), &alice.id(), id).await;
        answers.into_iter().map(|(rpc, answer)| (rpc, answer.answer())).collect::<Vec<_>>()
    };
    let about_his = answers(&his.id).await;
    let unknown = answers("01890f3e-5a7d-7e9b-8c0f-46285a7d3e9b").await;
    assert_eq!(about_his, unknown);
    let nil = "00000000-0000-0000-0000-000000000000";
    let mut malformed = vec!["nonsense", nil, "' OR 1=1 --", "\0"];
    malformed.extend((!world.differs(Difference::EmptyIdsNameNoRoute)).then_some(""));
    for malformed in malformed {
        assert_eq!(answers(malformed).await, unknown, "{malformed:?}");
    }
    // His id in another spelling names nothing either.
    assert_eq!(answers(&his.id.to_uppercase()).await, unknown);
    assert_eq!(bob.get(&his.id).await.expect("the task"), his);
    assert_eq!(alice.all_tasks().await.len(), 1);
}

/// Lists as `tasks`, with these values of `x-user-id` beside the token.
async fn listed(mut tasks: Tasks, user: &str, named: &[&str]) -> Result<(), Status> {
    let message = ListTasksRequest { user_id: user.into(), ..Default::default() };
    let mut request = Request::new(message);
    for name in named {
        request.metadata_mut().append("x-user-id", name.parse().expect("a header value"));
    }
    tasks.list_tasks(request).await.map(drop)
}

async fn a_user_in_the_metadata_can_only_refuse(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let (hers, his) = (alice.id(), bob.id());
    listed(alice.tasks(), &hers, &[&hers]).await.expect("her own name");
    for named in [&[his.as_str()][..], &[""], &[&hers, &his], &[&his, &hers]] {
        let answer = listed(alice.tasks(), &hers, named).await;
        answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
    }
    // His name in the metadata does not make his tasks hers.
    let answer = listed(alice.tasks(), &his, &[&his]).await;
    answer.refused(Code::PermissionDenied, "FORBIDDEN_USER_ACCESS");
    // And a name alone is no credential.
    let message = ListTasksRequest { user_id: hers.clone(), ..Default::default() };
    let mut request = Request::new(message);
    request.metadata_mut().insert("x-user-id", hers.parse().expect("a header value"));
    let mut bare = proto::task::v1::task_service_client::TaskServiceClient::new(world.tasks());
    bare.list_tasks(request).await.refused(Code::Unauthenticated, "MISSING_TOKEN");
}

async fn a_bad_token_is_refused_before_ownership_is_checked(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let none = serde_json::json!({});
    for (token, reason) in [
        (forge::token(FOREIGN, &alice.id(), &none), "INVALID_TOKEN_SIGNATURE"),
        (forge::expired(SECRET, &alice.id()), "TOKEN_EXPIRED"),
        (forge::unsigned(SECRET, &bob.id()), "INVALID_TOKEN_SIGNATURE"),
    ] {
        let forger = SignedIn { access_token: token, ..alice.clone() };
        for (_, answer) in every_rpc(&forger, &bob.id(), "nonsense").await {
            answer.refused(Code::Unauthenticated, reason);
        }
    }
}
