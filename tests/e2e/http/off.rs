//! `HTTP_ADDR=off`: no HTTP port.

use fixtures::{Backend, FreshDatabase};
use serde_json::Value;

use crate::{
    binary::Binary,
    health,
    process::{Server, Starting, listening_ports},
};

/// An address in the log line `listening`.
fn listening(server: &Server, name: &str) -> String {
    let log = server.log();
    let events = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = events.filter(|event| event["message"] == "listening");
    let event = found.next().expect("it logs where it listens");
    event[name].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn switched_off_no_port_is_opened_for_http() {
    for binary in Binary::ALL {
        for (address, ports) in [("127.0.0.1:0", 2), ("off", 1)] {
            let [one, two] =
                [FreshDatabase::new(Backend::Sqlite), FreshDatabase::new(Backend::Sqlite)];
            let (one, two) = (one.await.expect("SQLite"), two.await.expect("SQLite"));
            let settings = [
                ("DATABASE_URL", one.address()),
                ("AUTH_DATABASE_URL", one.address()),
                ("TASK_DATABASE_URL", two.address()),
                ("HTTP_ADDR", address),
            ];
            let server = Starting::new(binary, &settings).wait();
            health::ask(server.channel(), "").await.expect("gRPC is spoken");
            assert_eq!(listening_ports(server.id()), ports, "{binary:?} {address}");
            let found = listening(&server, "http");
            assert_eq!(found.contains("127.0.0.1"), ports == 2, "{binary:?}: {found}");
            server.kill();
        }
    }
}
