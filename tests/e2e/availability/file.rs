//! The file of a SQLite database: its permissions, and its loss.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command};

use fixtures::{Backend, FreshDatabase};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{begin, until_not_ready, until_ready};
use crate::{binary::Binary, caller::Stranger, process::Server};

async fn serving() -> (FreshDatabase, PathBuf, Server) {
    let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let file = PathBuf::from(database.address().trim_start_matches("sqlite://"));
    let server = begin(Binary::Tasks, database.address()).wait();
    until_ready(&server).await;
    (database, file, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_or_replaced_is_noticed() {
    let (_database, file, server) = serving().await;
    let elsewhere = file.with_extension("elsewhere");
    fs::rename(&file, &elsewhere).expect("moved");
    until_not_ready(&server).await;
    server.until_logged("the file is gone from its path");
    assert!(!file.exists(), "an empty one was made in its place");
    fs::rename(&elsewhere, &file).expect("moved back");
    until_ready(&server).await;
    fs::copy(&file, &elsewhere).expect("a copy");
    fs::rename(&elsewhere, &file).expect("put in its place");
    until_not_ready(&server).await;
    server.until_logged("another file is at its path");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_users_read_neither_the_files_nor_the_memory() {
    let (_database, file, server) = serving().await;
    Stranger::new(server.channel(), server.channel()).minted("ada").create("a task").await;
    let mode =
        |path: &PathBuf| fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    for ending in ["db", "db-wal", "db-shm"] {
        assert_eq!(mode(&file.with_extension(ending)), 0o600, "{ending}");
    }
    assert_eq!(mode(&file.parent().expect("a folder").to_owned()), 0o700);

    let limits = fs::read_to_string(format!("/proc/{}/limits", server.id())).expect("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.expect("a limit").split_whitespace().skip(4).collect();
    assert_eq!(core, ["0", "0", "bytes"]);
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).expect("status");
    assert!(status.contains("Umask:\t0077"), "{status}");
    // The files of a process in `/proc` belong to root where they are closed to its user.
    let owner = Command::new("stat")
        .args(["-c", "%u", &format!("/proc/{}/environ", server.id())])
        .output()
        .expect("stat runs");
    assert_eq!(String::from_utf8_lossy(&owner.stdout).trim(), "0");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_health_check_in_http_1_0_names_no_host() {
    let (_database, _file, server) = serving().await;
    for (request, status) in [
        ("GET /readyz HTTP/1.0\r\n\r\n", "200"),
        ("GET /livez HTTP/1.0\r\n\r\n", "200"),
        ("GET /health HTTP/1.0\r\nhost: a\r\n\r\n", "200"),
        ("GET /health HTTP/1.0\r\nhost: a\r\nhost: b\r\n\r\n", "400"),
        ("GET /health HTTP/1.1\r\n\r\n", "400"),
    ] {
        let mut line = TcpStream::connect(server.http_address()).await.expect("it listens");
        line.write_all(request.as_bytes()).await.expect("it reads");
        let mut said = [0; 12];
        line.read_exact(&mut said).await.expect("it answers");
        assert_eq!(String::from_utf8_lossy(&said[9..]), status, "{request}");
    }
}
