//! TLS to PostgreSQL: each `sslmode` against each kind of server, with the verdict of libpq's psql
//! beside ours.

use std::{fs, process::Command, thread};

use fixtures::Cluster;

use super::Place;
use crate::{
    binary::Binary,
    process::run,
    world::{SECRET, URL},
};

/// The server: its certificate, and whether it demands one of its clients.
const SERVERS: [(Option<&str>, bool); 6] = [
    (None, false),
    (Some("current"), false),
    (Some("elsewhere"), false),
    (Some("expired"), false),
    (Some("renewed"), false),
    (Some("current"), true),
];

/// The parameters of the address; `CA`, `CERT` and `KEY` stand for the files.
const CLIENTS: [&str; 10] = [
    "",
    "sslmode=disable",
    "sslmode=allow",
    "sslmode=prefer",
    "sslmode=require",
    "sslmode=require&sslrootcert=CA",
    "sslmode=verify-ca&sslrootcert=CA",
    "sslmode=verify-full&sslrootcert=CA",
    "sslmode=verify-full",
    "sslmode=verify-full&sslrootcert=CA&sslcert=CERT&sslkey=KEY",
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Refused,
    Clear,
    Encrypted,
}

/// The verdict of psql, and its words.
fn psql(address: &str, home: &str) -> (Verdict, String) {
    let mut psql = Command::new("psql");
    psql.env("HOME", home).args(["-X", "-A", "-t", address, "-c"]);
    let ended = run_and_print(psql.arg("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"));
    let verdict = match ended.lines().next() {
        Some("t") => Verdict::Encrypted,
        Some("f") => Verdict::Clear,
        _ => Verdict::Refused,
    };
    (verdict, ended)
}

fn run_and_print(command: &mut Command) -> String {
    let output = command.output().expect("the program runs");
    [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat()
}

/// The verdict of task-service, as `doctor` reports it.
fn ours(address: &str) -> (Verdict, String) {
    let mut doctor = Binary::Tasks.command();
    doctor.arg("doctor").env("BETTER_AUTH_SECRET", SECRET).env("BETTER_AUTH_URL", URL);
    doctor.env("DATABASE_URL", address);
    let found = run(doctor).stdout;
    let line = found.lines().find(|line| line.contains("the connection to"));
    let verdict = match line {
        Some(line) if line.contains("in clear") => Verdict::Clear,
        Some(line) if line.contains("is encrypted") => Verdict::Encrypted,
        _ => Verdict::Refused,
    };
    (verdict, found)
}

/// Restarts `cluster` with this certificate, which `place` has.
fn show(cluster: &Cluster, place: &Place, (certificate, demands): (Option<&str>, bool)) {
    let Some(name) = certificate else { return };
    let folder = cluster.folder();
    for (from, to) in [
        (format!("{name}.pem"), "server.pem"),
        (format!("{name}.key"), "server.key"),
        ("ca.pem".to_owned(), "ca.pem"),
    ] {
        fs::copy(place.files.path(&from), folder.join(to)).expect("copied");
    }
    let owned = "chmod 600 server.key; [ \"$(id -u)\" != 0 ] || chown postgres server.key";
    let owned = Command::new("sh").args(["-c", owned]).current_dir(folder).status();
    assert!(owned.is_ok_and(|status| status.success()));
    let rule = if demands {
        "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca"
    } else {
        "host all all 127.0.0.1/32 trust"
    };
    cluster.admit(&[rule]);
    let file = |setting: &str, name: &str| format!("{setting} = '../{name}'");
    cluster.configure(&[
        "ssl = on",
        &file("ssl_cert_file", "server.pem"),
        &file("ssl_key_file", "server.key"),
        &file("ssl_ca_file", "ca.pem"),
    ]);
    cluster.crash();
    cluster.resume_service();
}

/// The difference between psql and ours, if there is one.
fn compare(cluster: &Cluster, place: &Place, client: &str) -> Option<String> {
    let parameters = client
        .replace("CA", &place.files.path("ca.pem"))
        .replace("CERT", &place.files.path("client.pem"))
        .replace("KEY", &place.files.path("client.key"));
    let address = format!("postgres://postgres@localhost:{}/tasks?{parameters}", cluster.port());
    let (expected, theirs) = psql(&address, &place.files.path(""));
    let (verdict, found) = ours(&address);
    let differs = verdict != expected;
    differs.then(|| format!("`{client}`: psql {expected:?}, ours {verdict:?}\n{theirs}\n{found}"))
}

#[test]
fn every_sslmode_is_understood_as_psql_understands_it() {
    let Some(cluster) = Cluster::start(&[]) else { return };
    let Some(place) = Place::new("postgres") else { return };
    let _ = cluster.database("tasks");
    let mut differences = Vec::new();
    for server in SERVERS {
        show(&cluster, &place, server);
        let (at, files) = (&cluster, &place);
        let compared = thread::scope(|scope| {
            let compare = |client| scope.spawn(move || compare(at, files, client));
            let threads = CLIENTS.map(compare);
            threads.map(|thread| thread.join().expect("a comparison"))
        });
        let differ = compared.into_iter().flatten();
        differences.extend(differ.map(|difference| format!("{server:?}, {difference}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
