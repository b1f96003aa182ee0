//! A database that is restored from a backup: nothing from before is taken for its own, and
//! who was deleted since is gone again. By the real binary on real files.

use std::{fs, path::Path, time::Duration};

use proto::task::v1::{ListTasksRequest, SyncTasksRequest, Task, UpdateTaskRequest};
use tonic::{Code, Status};

use crate::{
    answer::Refused,
    binary::Binary,
    caller::{SignedIn, Stranger},
    erasure::until,
    file_pair::FilePair,
    process::{Server, run},
};

impl FilePair {
    fn start(&self) -> (Server, Stranger) {
        let server = self.serve(&[]);
        let ways = Stranger::new(server.channel(), server.channel());
        (server, ways)
    }

    /// Stops the server, so that its files are whole.
    fn stop(&self, mut server: Server) {
        server.terminate();
        assert!(server.wait(Duration::from_secs(30)).expect("it ends").success());
        assert!(!self.file("tasks.db-wal").exists(), "its journal is folded back");
    }

    /// Says that the database of tasks was restored.
    fn restore(&self) {
        let mut command = Binary::Standalone.command();
        command.env("TASK_DATABASE_URL", &self.settings[1].1).arg("restore");
        let ended = run(command);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert_eq!(ended.stdout, "the database of tasks is taken up\n");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::copy(from, to).expect("a copy");
}

/// The caller of before, at a server that was started since.
fn at(ways: &Stranger, caller: &SignedIn) -> SignedIn {
    SignedIn { ways: ways.clone(), ..caller.clone() }
}

async fn synced(caller: &SignedIn, token: &str) -> Result<(Vec<Task>, String), Status> {
    let request =
        SyncTasksRequest { user_id: caller.id(), page_size: 200, sync_token: token.to_owned() };
    let answer = caller.tasks().sync_tasks(request).await?.into_inner();
    Ok((answer.tasks, answer.next_sync_token))
}

async fn next_page(caller: &SignedIn, token: &str) -> Result<String, Status> {
    let request = ListTasksRequest {
        user_id: caller.id(),
        page_size: 1,
        page_token: token.to_owned(),
        ..Default::default()
    };
    Ok(caller.tasks().list_tasks(request).await?.into_inner().next_page_token)
}

async fn renamed(caller: &SignedIn, id: &str, title: &str, etag: &str) -> Result<Task, Status> {
    let request = UpdateTaskRequest {
        user_id: caller.id(),
        id: id.to_owned(),
        title: Some(title.to_owned()),
        etag: etag.to_owned(),
        ..Default::default()
    };
    Ok(caller.tasks().update_task(request).await?.into_inner().task.expect("a task"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_from_before_a_restore_is_taken_for_its_own() {
    let pair = FilePair::new("restored-tokens");
    let (server, ways) = pair.start();
    let ada = ways.sign_up("ada@example.com").await;
    let bob = ways.sign_up("bob@example.com").await;
    let kept = ada.create("kept 1").await;
    for n in 2..=5 {
        ada.create(&format!("kept {n}")).await;
    }
    bob.create("his").await;
    let (_, at_backup) = synced(&ada, "").await.expect("all");
    pair.stop(server);
    copy(&pair.file("tasks.db"), &pair.file("backup.db"));

    let (server, ways) = pair.start();
    let (ada, bob) = (at(&ways, &ada), at(&ways, &bob));
    assert!(synced(&ada, &at_backup).await.expect("a restart is none").0.is_empty());
    let lost = renamed(&ada, &kept.id, "lost", "").await.expect("changed");
    for n in 7..=9 {
        ada.create(&format!("lost {n}")).await;
    }
    let (_, at_end) = synced(&ada, &at_backup).await.expect("the changes");
    let page = next_page(&ada, "").await.expect("a page");
    let request = proto::auth::v1::DeleteUserRequest { password: None };
    bob.sessions().delete_user(request).await.expect("deleted");
    let none = async || bob.page(0, "", None).await.expect("a page").tasks.is_empty();
    until("his tasks are gone", none).await;
    pair.stop(server);

    copy(&pair.file("backup.db"), &pair.file("tasks.db"));
    pair.restore();
    let (server, ways) = pair.start();
    let (ada, bob) = (at(&ways, &ada), at(&ways, &bob));
    next_page(&ada, &page).await.refused(Code::OutOfRange, "PAGE_TOKEN_TOO_OLD");
    // As many changes as there had been, and more: the numbers alone would be known again.
    let mut now = ada.get(&kept.id).await.expect("the task");
    for n in 0..6 {
        for token in [&at_backup, &at_end] {
            synced(&ada, token).await.refused(Code::OutOfRange, "SYNC_TOKEN_TOO_OLD");
        }
        renamed(&ada, &kept.id, "never", &lost.etag).await.refused(Code::Aborted, "STALE_ETAG");
        now = renamed(&ada, &kept.id, &format!("again {n}"), &now.etag).await.expect("changed");
        ada.create(&format!("new {n}")).await;
    }
    let (all, token) = synced(&ada, "").await.expect("all");
    assert_eq!(all.len(), 5 + 6);
    assert!(synced(&ada, &token).await.expect("nothing new").0.is_empty());
    // A user without a history begins behind everything that there was.
    let eve = ways.sign_up("eve@example.com").await;
    let (_, empty) = synced(&eve, "").await.expect("nothing");
    let first = eve.create("first").await;
    assert_eq!(synced(&eve, &empty).await.expect("one").0, [first]);

    let none = async || bob.page(0, "", None).await.expect("a page").tasks.is_empty();
    until("his tasks are gone again", none).await;
    pair.stop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_server_notices_a_restore() {
    let pair = FilePair::new("restored-running");
    let (server, ways) = pair.start();
    let ada = ways.sign_up("ada@example.com").await;
    ada.create("a").await;
    ada.create("b").await;
    let (_, token) = synced(&ada, "").await.expect("all");
    let page = next_page(&ada, "").await.expect("a page");
    pair.restore();
    // What the database itself knows counts at once.
    synced(&ada, &token).await.refused(Code::OutOfRange, "SYNC_TOKEN_TOO_OLD");
    let refused = async || next_page(&ada, &page).await.is_err();
    until("the page is of another database", refused).await;
    next_page(&ada, &page).await.refused(Code::OutOfRange, "PAGE_TOKEN_TOO_OLD");
    pair.stop(server);
}

#[test]
fn a_database_that_is_not_there_is_not_made() {
    let pair = FilePair::new("restored-absent");
    for binary in [Binary::Standalone, Binary::Tasks] {
        let mut command = binary.command();
        let file = &pair.settings[1].1;
        command.env("TASK_DATABASE_URL", file).env("DATABASE_URL", file).arg("restore");
        let ended = run(command);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
        assert!(ended.stderr.contains("there is no database at"), "{}", ended.stderr);
    }
    assert!(!pair.file("tasks.db").exists());
}
