//! Shutdown ends in time, whatever the database does.

use std::{
    io::Write,
    process::{Child, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use fixtures::{Backend, Cluster, FreshDatabase};

use crate::{
    binary::Binary,
    process::{Server, Starting},
};

/// The drain of these servers, and what may come after it.
const DRAIN: Duration = Duration::from_secs(2);
const AFTER: Duration = Duration::from_secs(3);

/// What a process may take beside that on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

const SERVICES: [Binary; 2] = [Binary::Auth, Binary::Tasks];

fn start(binary: Binary, database: &str) -> Server {
    let settings =
        [("DATABASE_URL", database), ("DRAIN_TIMEOUT", "2"), ("TASK_SERVICE_URL", "off")];
    Starting::new(binary, &settings).wait()
}

/// Each service on a database of its own in `cluster`.
fn both(cluster: &Cluster) -> [Server; 2] {
    SERVICES.map(|binary| start(binary, &cluster.database(&binary.name().replace('-', "_"))))
}

fn assert_ends(servers: impl IntoIterator<Item = Server>) {
    for mut server in servers {
        let terminated = Instant::now();
        server.terminate();
        let status = server.wait(DRAIN + AFTER + SLACK);
        let log = server.log();
        let status =
            status.unwrap_or_else(|| panic!("it goes on {:?}:\n{log}", terminated.elapsed()));
        assert_eq!(status.code(), Some(0), "{log}");
    }
}

#[test]
fn with_postgresql_gone_it_ends_in_time() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let servers = both(&cluster);
    cluster.crash();
    // The pool opens new connections once the server has noticed.
    for server in &servers {
        server.until_logged("not ready");
    }
    assert_ends(servers);
}

#[test]
fn with_postgresql_paused_it_ends_in_time() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let servers = both(&cluster);
    cluster.pause();
    for server in &servers {
        server.until_logged("not ready");
    }
    assert_ends(servers);
    cluster.resume();
}

/// Another process that holds the lock of a SQLite file. Dropped, it lets go.
struct Holder(Child, Option<ChildStdin>);

impl Holder {
    fn lock(file: &str) -> Option<Self> {
        let script = "import sqlite3, sys\n\
                      c = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                      c.execute('BEGIN EXCLUSIVE')\n\
                      print('locked', flush=True)\n\
                      sys.stdin.read()";
        let mut python = Command::new("python3");
        python.args(["-c", script, file]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().ok()?;
        let stdin = child.stdin.take();
        let mut line = [0; 6];
        let mut stdout = child.stdout.take().expect("a pipe");
        std::io::Read::read_exact(&mut stdout, &mut line).expect("it holds the lock");
        Some(Self(child, stdin))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        if let Some(mut stdin) = self.1.take() {
            let _ = stdin.flush();
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_sqlite_locked_by_another_process_it_ends_in_time() {
    for binary in SERVICES {
        let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
        let server = start(binary, database.address());
        let file = database.address().trim_start_matches("sqlite://");
        let Some(_holder) = Holder::lock(file) else {
            fixtures::notice("not run: there is no python3 to hold a lock");
            return;
        };
        // A write that waits for the lock when the stop comes.
        let mut caller = std::net::TcpStream::connect(server.http_address()).expect("it listens");
        let body = r#"{"email":"ada@example.com","password":"tulips and rain","name":"Ada"}"#;
        write!(
            caller,
            "POST /api/auth/sign-up/email HTTP/1.1\r\nhost: localhost\r\n\
             origin: http://localhost:3000\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("it reads");
        assert_ends([server]);
    }
}
