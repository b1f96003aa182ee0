//! Start-up with a database that is unavailable, or refuses the service.

use fixtures::Cluster;
use http::{Method, StatusCode};
use tonic::Code;

use super::{begin, is_ready, until_ready};
use crate::{binary::Binary, caller::Stranger, exchange::HttpRequest, process::run};

const SERVICES: [(Binary, &str); 2] =
    [(Binary::Auth, "/api/auth/get-session"), (Binary::Tasks, "/api/ada/tasks")];

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_away_is_waited_for() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let addresses = ["accounts", "tasks"].map(|name| cluster.database(name));
    cluster.crash();
    let servers: Vec<_> = SERVICES
        .iter()
        .zip(&addresses)
        .map(|((binary, path), address)| (begin(*binary, address).wait(), *path, address))
        .collect();
    for (server, path, address) in &servers {
        assert!(!is_ready(server).await);
        let refused = HttpRequest::new(Method::GET, path).send(server.http_address()).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
        assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
        let place = address.trim_start_matches("postgres://postgres@");
        let log = server.log();
        assert!(log.contains(&format!("PostgreSQL at {place}: Connection refused")), "{log}");
        let lines = log.matches("\"unavailable\"").count();
        assert!(lines <= 1, "one for the call, none for the question whether it is ready: {log}");
    }
    let [accounts, tasks] = [&servers[0].0, &servers[1].0];
    let stranger = Stranger::new(accounts.channel(), tasks.channel());
    let refused = stranger.try_sign_in("ada@example.com", "tulips and rain").await;
    assert_eq!(refused.err().map(|status| status.code()), Some(Code::Unavailable));

    cluster.resume_service();
    for (server, ..) in &servers {
        until_ready(server).await;
    }
    // A client that has waited with it goes on.
    let ada = stranger.sign_up("ada@example.com").await;
    ada.create("after the wait").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_while_it_waits_is_heeded() {
    let Some(cluster) = Cluster::make() else { return };
    let mut server = begin(Binary::Tasks, &cluster.address("tasks")).wait();
    server.terminate();
    let status = server.wait(super::PATIENCE).expect("it ends");
    assert_eq!(status.code(), Some(0), "{}", server.log());
}

#[test]
fn what_no_waiting_mends_is_one_line_with_address_and_cause() {
    let Some(cluster) = Cluster::make() else { return };
    cluster.admit(&["local all all trust", "host all all 127.0.0.1/32 scram-sha-256"]);
    cluster.resume_service();
    let place = format!("127.0.0.1:{}/tasks", cluster.port());
    let address = format!("postgres://someone:Zq7-marker@{place}");
    for (arguments, binary) in
        [("serve", Binary::Tasks), ("doctor", Binary::Tasks), ("serve", Binary::Auth)]
    {
        let mut command = binary.command();
        command.env("BETTER_AUTH_SECRET", crate::world::SECRET);
        command.env("BETTER_AUTH_URL", crate::world::URL).env("DATABASE_URL", &address);
        command.env("GRPC_ADDR", "127.0.0.1:0").env("HTTP_ADDR", "127.0.0.1:0").arg(arguments);
        let ended = run(command);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, Some(1), "{said}");
        assert!(said.contains(&format!("PostgreSQL at {place}: password auth")), "{said}");
        assert!(!said.contains("marker"), "{said}");
    }
}
