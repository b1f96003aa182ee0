//! TLS on both ports: versions and protocols, client certificates, reload, and the programs' own
//! health check; and TLS to PostgreSQL, to Redis and to task-service.

mod certificates;
mod client;
mod outward;
mod postgres;
mod redis;

use std::{fs, net::TcpStream, process::Command, time::Duration};

use fixtures::notice;
use tokio_rustls::rustls::version::{TLS12, TLS13};

use self::{
    certificates::Certificates,
    client::{Client, get},
};
use crate::{
    binary::Binary,
    health,
    process::{Server, Starting, run},
};

/// Settings for both ports, in a folder with certificates.
struct Place {
    files: Certificates,
}

impl Place {
    /// `None`: there is no program to make certificates.
    fn new(name: &str) -> Option<Self> {
        let files = Certificates::make(name);
        if files.is_none() {
            notice("not run: there is no openssl to make certificates");
        }
        Some(Self { files: files? })
    }

    /// Settings with the certificate of this name, and these beside.
    fn settings<'a>(&self, more: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
        let mut all = vec![
            ("DATABASE_URL", format!("sqlite://{}/tasks.db", self.files.path(""))),
            ("TLS_CERT_FILE", self.files.path("current.pem")),
            ("TLS_KEY_FILE", self.files.path("current.key")),
        ];
        all.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        all
    }

    fn start(&self, more: &[(&str, &str)]) -> Server {
        let settings = self.settings(more);
        let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        Starting::new(Binary::Tasks, &settings).wait()
    }

    /// The end of a command of the program at the same place.
    fn command(&self, arguments: &[&str], more: &[(&str, &str)]) -> crate::process::Exited {
        let mut command = Binary::Tasks.command();
        command.args(arguments).env("BETTER_AUTH_SECRET", crate::world::SECRET);
        command.env("BETTER_AUTH_URL", crate::world::URL).envs(self.settings(more));
        run(command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_ports_speak_tls_and_nothing_else() {
    let Some(place) = Place::new("ports") else { return };
    let server = place.start(&[]);
    let client = Client::trusting(&place.files, "ca");
    for version in [&TLS12, &TLS13] {
        for address in [server.address(), server.http_address()] {
            for protocol in ["h2", "http/1.1"] {
                let stream = client.only(version).connect(address, protocol).await.expect("TLS");
                let (_, connection) = stream.get_ref();
                assert_eq!(connection.alpn_protocol(), Some(protocol.as_bytes()));
            }
        }
    }
    assert!(get(&client, server.http_address(), "/health").await.expect("read").contains("200 OK"));
    health::ask(client.channel(server.address()), "").await.expect("served over TLS");
    let stranger = Client::trusting(&place.files, "other_ca");
    assert!(stranger.connect(server.address(), "h2").await.is_err(), "not its authority");
    let clear = client::get_in_clear(server.http_address(), "/health").await;
    assert!(!clear.contains("200"), "{clear}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_is_required_where_its_authority_is_set() {
    let Some(place) = Place::new("clients") else { return };
    let authority = place.files.path("ca.pem");
    let demand = ("TLS_CLIENT_CA_FILE", authority.as_str());
    let server = place.start(&[demand]);
    let health = async |client: &Client, server: &Server| {
        let over_http = get(client, server.http_address(), "/livez").await;
        let over_grpc = health::ask(client.channel(server.address()), "").await;
        assert_eq!(over_http.is_ok(), over_grpc.is_ok());
        over_http.is_ok()
    };
    let client = Client::trusting(&place.files, "ca");
    let [known, foreign] =
        ["client", "foreign"].map(|name| client.clone().with_certificate(&place.files, name));
    assert!(health(&known, &server).await);
    assert!(!health(&client, &server).await, "none");
    assert!(!health(&foreign, &server).await, "of another authority");
    // The log names it.
    let answer = get(&known, server.http_address(), "/api/ada/tasks").await.expect("read");
    assert!(answer.contains("401 Unauthorized"), "{answer}");
    server.until_logged("\"certificate\":\"billing.example.com\"");

    let optional = place.start(&[demand, ("TLS_CLIENT_CERT", "optional")]);
    assert!(health(&client, &optional).await && health(&known, &optional).await);
    assert!(!health(&foreign, &optional).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewed_certificate_is_taken_without_losing_a_call() {
    let Some(place) = Place::new("reload") else { return };
    let server = place.start(&[]);
    let (old, new) =
        (Client::trusting(&place.files, "ca"), Client::trusting(&place.files, "other_ca"));
    let mut kept = old.connect(server.http_address(), "http/1.1").await.expect("TLS");
    client::get_on(&mut kept, "/livez").await.expect("answered");

    // A key that is not the certificate's, and a certificate that has expired: the old pair stays.
    for (chain, key) in [("current.pem", "renewed.key"), ("expired.pem", "current.key")] {
        place.files.replace(chain, key);
        hang_up(&server);
        server.until_logged("the certificate in use is kept");
        assert!(old.connect(server.address(), "h2").await.is_ok());
    }
    server.until_logged("is not the key of the certificate");
    server.until_logged("has expired");

    place.files.replace("renewed.pem", "renewed.key");
    let is_stopped = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let load = tokio::spawn({
        let (old, new, is_stopped) = (old.clone(), new.clone(), is_stopped.clone());
        let address = server.http_address();
        async move {
            let (mut before, mut after) = (0, 0);
            while !is_stopped.load(std::sync::atomic::Ordering::Relaxed) {
                match get(&old, address, "/livez").await {
                    Ok(_) => before += 1,
                    Err(_) => match get(&new, address, "/livez").await {
                        Ok(_) => after += 1,
                        Err(error) => panic!("neither certificate: {error}"),
                    },
                }
            }
            (before, after)
        }
    });
    // Without a signal: the files are looked at.
    server.until_logged("the certificate is reloaded");
    tokio::time::sleep(Duration::from_millis(200)).await;
    is_stopped.store(true, std::sync::atomic::Ordering::Relaxed);
    let (before, after) = load.await.expect("no call is lost");
    assert!(before > 0 && after > 0, "{before} and {after}");
    client::get_on(&mut kept, "/livez").await.expect("the connection is still open");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_has_its_time_and_keeps_nobody_out() {
    let Some(place) = Place::new("slow") else { return };
    let server = place.start(&[("MAX_CONNECTIONS", "40"), ("MAX_CONNECTIONS_PER_ADDRESS", "40")]);
    let client = Client::trusting(&place.files, "ca");
    let address = server.http_address();
    let silent: Vec<_> = (0..120).filter_map(|_| TcpStream::connect(address).ok()).collect();
    tokio::time::sleep(Duration::from_millis(1500)).await;
    get(&client, address, "/livez").await.expect("served");
    for stream in silent {
        stream.set_read_timeout(Some(Duration::from_secs(15))).expect("a limit");
        let read = std::io::Read::read(&mut &stream, &mut [0; 1]);
        assert!(
            matches!(read, Ok(0))
                || read.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionReset)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_health_command_speaks_tls_and_shows_a_certificate_where_one_is_required() {
    let Some(place) = Place::new("health") else { return };
    let authority = place.files.path("ca.pem");
    for more in [vec![], vec![("TLS_CLIENT_CA_FILE", authority.as_str())]] {
        let server = place.start(&more);
        let address = server.address().to_string();
        let own = [more, vec![("GRPC_ADDR", address.as_str())]].concat();
        let exited = place.command(&["health"], &own);
        assert_eq!(exited.code, Some(0), "{}", exited.stderr);
        drop(server);
        assert_eq!(place.command(&["health"], &own).code, Some(1), "nobody answers");
    }
}

#[test]
fn files_that_cannot_be_used_are_refused_at_start_all_at_once() {
    let Some(place) = Place::new("faults") else { return };
    let missing = place.files.path("missing.pem");
    let start = |more: &[(&str, &str)]| {
        let exited = place.command(&["serve"], more);
        assert_eq!(exited.code, Some(2), "{}", exited.stderr);
        exited.stderr
    };
    let all = start(&[
        ("TLS_CERT_FILE", &missing),
        ("TLS_KEY_FILE", &place.files.path("current.pem")),
        ("TLS_CLIENT_CA_FILE", &place.files.path("current.key")),
    ]);
    for fault in [
        "TLS_CERT_FILE cannot be read",
        "TLS_KEY_FILE has no private key in PEM",
        "TLS_CLIENT_CA_FILE has no certificate in PEM",
    ] {
        assert!(all.contains(fault), "{fault}: {all}");
    }
    let renewed = place.files.path("renewed.key");
    let other = start(&[("TLS_KEY_FILE", &renewed)]);
    assert!(other.contains("TLS_KEY_FILE is not the key of the certificate"), "{other}");
    let expired = place.files.path("expired.pem");
    let other = start(&[("TLS_CERT_FILE", &expired)]);
    assert!(other.contains("TLS_CERT_FILE has expired"), "{other}");
    let other = start(&[("TLS_KEY_FILE", "")]);
    assert!(other.contains("TLS_KEY_FILE is missing"), "{other}");
    assert!(!fs::read_to_string(renewed).expect("a key").is_empty());
}

/// Sends SIGHUP.
fn hang_up(server: &Server) {
    let sent = Command::new("kill").args(["-HUP", &server.id().to_string()]).status();
    assert!(sent.expect("kill runs").success());
}
