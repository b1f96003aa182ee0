//! TLS outwards: auth-service to Redis and to task-service. Whatever is not the server that was asked
//! for is refused at start and named by `doctor`.

use http::{Method, StatusCode};
use serde_json::json;

use super::{
    Place,
    redis::{PASSWORD, Redis, free_port},
};
use crate::{
    binary::Binary,
    exchange::HttpRequest,
    process::{Exited, Server, Starting, run},
    secrecy,
    world::{SECRET, URL},
};

/// A kind of server, as the settings spell it.
#[derive(Clone, Copy)]
struct Kind {
    address: &'static str,
    prefix: &'static str,
    name: &'static str,
}

const REDIS: Kind = Kind { address: "ATTEMPT_STORE", prefix: "ATTEMPT_STORE", name: "Redis" };
const TASKS: Kind =
    Kind { address: "TASK_SERVICE_URL", prefix: "TASK_SERVICE", name: "task-service" };

/// One row of the matrix: what the server shows and demands, what auth-service has, and why they do
/// not come together.
struct Case {
    /// The server's certificate; `None`: it speaks no TLS.
    certificate: Option<&'static str>,
    demands: bool,
    /// The authority that auth-service trusts; `None`: the system's.
    trusts: Option<&'static str>,
    /// The certificate that auth-service shows.
    shows: Option<&'static str>,
    refusal: Option<&'static str>,
}

const MATRIX: [Case; 9] = [
    case(Some("current"), false, Some("ca"), None, None),
    case(Some("current"), true, Some("ca"), Some("client"), None),
    case(None, false, Some("ca"), None, Some("the server speaks no TLS at this port")),
    case(Some("current"), false, None, None, Some("invalid peer certificate: UnknownIssuer")),
    case(Some("renewed"), false, Some("ca"), None, Some("invalid peer certificate: UnknownIssuer")),
    case(Some("elsewhere"), false, Some("ca"), None, Some("not valid for name \"localhost\"")),
    case(Some("expired"), false, Some("ca"), None, Some("certificate expired")),
    case(Some("current"), true, Some("ca"), None, Some("received fatal alert")),
    case(Some("current"), true, Some("ca"), Some("foreign"), Some("received fatal alert")),
];

const fn case(
    certificate: Option<&'static str>,
    demands: bool,
    trusts: Option<&'static str>,
    shows: Option<&'static str>,
    refusal: Option<&'static str>,
) -> Case {
    Case { certificate, demands, trusts, shows, refusal }
}

impl Case {
    /// The settings of auth-service for a server of this kind at `address`.
    fn settings(&self, place: &Place, kind: Kind, address: &str) -> Vec<(String, String)> {
        let file = |what: &str, name: String| {
            (format!("{}_{what}_FILE", kind.prefix), place.files.path(&name))
        };
        let mut all = vec![
            ("DATABASE_URL".to_owned(), format!("sqlite://{}/auth.db", place.files.path(""))),
            ("TASK_SERVICE_URL".to_owned(), "off".to_owned()),
            (kind.address.to_owned(), address.to_owned()),
        ];
        all.extend(self.trusts.map(|name| file("CA", format!("{name}.pem"))));
        all.extend(self.shows.map(|name| file("CERT", format!("{name}.pem"))));
        all.extend(self.shows.map(|name| file("KEY", format!("{name}.key"))));
        all
    }

    /// Starts auth-service where it may start, and compares the refusal where not; `doctor` says
    /// the same.
    fn try_out(&self, place: &Place, kind: Kind, address: &str) -> Option<Server> {
        let settings = self.settings(place, kind, address);
        let doctor = command(&settings, "doctor");
        let Some(refusal) = self.refusal else {
            let found = format!("the connection to {} at localhost:", kind.name);
            let line = doctor.stdout.lines().find(|line| line.contains(&found));
            let line = line.unwrap_or_else(|| panic!("{}", doctor.stdout));
            assert!(line.starts_with("ok ") && line.contains("the server is verified"), "{line}");
            let mut all: Vec<_> =
                settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            all.push(("ATTEMPT_LIMITS", "on"));
            return Some(Starting::new(Binary::Auth, &all).wait());
        };
        let ended = command(&settings, "serve");
        assert_eq!(ended.code, Some(1), "{refusal}: {}", ended.stderr);
        assert!(ended.stderr.contains(refusal), "{refusal}: {}", ended.stderr);
        let named = format!("cannot use {}, see {}: localhost:", kind.name, kind.address);
        assert!(ended.stderr.contains(&named), "{}", ended.stderr);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
        assert_eq!(doctor.code, Some(1), "{refusal}");
        let line = doctor.stdout.lines().find(|line| line.contains(&named));
        let line = line.unwrap_or_else(|| panic!("{}", doctor.stdout));
        assert!(line.starts_with("fault ") && line.contains(refusal), "{line}");
        None
    }
}

/// The end of a command of auth-service.
fn command(settings: &[(String, String)], command: &str) -> Exited {
    let mut program = Binary::Auth.command();
    program.arg(command).env("BETTER_AUTH_SECRET", SECRET).env("BETTER_AUTH_URL", URL);
    program.env("GRPC_ADDR", "127.0.0.1:0").env("HTTP_ADDR", "127.0.0.1:0");
    // What is in order is logged to stdout; the refusal is of stderr alone.
    program.env("RUST_LOG", "warn").envs(settings.iter().map(|(name, value)| (name, value)));
    run(program)
}

/// A wrong password, which is counted.
async fn guess(server: &Server) {
    let guess = json!({ "email": "ada@example.com", "password": "wrong horse battery" });
    let request = HttpRequest::new(Method::POST, "/api/auth/sign-in/email").json(&guess);
    let answer = request.send(server.http_address()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test(flavor = "multi_thread")]
async fn redis_is_used_over_tls_or_not_at_all() {
    let Some(place) = Place::new("redis") else { return };
    secrecy::register("password", PASSWORD);
    for case in MATRIX {
        let started = Redis::start(&place.files, free_port(), case.certificate, case.demands);
        let Some(redis) = started else { return };
        let address = format!("rediss://:{PASSWORD}@localhost:{}", redis.port);
        if let Some(server) = case.try_out(&place, REDIS, &address) {
            guess(&server).await;
            let keys = redis.keys(&place.files);
            assert!(keys.contains("auth-service:attempt:"), "{keys}");
            assert!(!server.log().contains("Redis is unavailable"), "{}", server.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_another_one_later_is_not_used_and_named_in_the_log() {
    let Some(place) = Place::new("redis-later") else { return };
    secrecy::register("password", PASSWORD);
    let port = free_port();
    let address = format!("rediss://:{PASSWORD}@localhost:{port}");
    let server = MATRIX[0].try_out_unanswered(&place, &address);
    server.until_logged("Redis does not answer yet");
    let Some(redis) = Redis::start(&place.files, port, Some("expired"), false) else { return };
    guess(&server).await;
    server.until_logged("Redis is unavailable: attempts are counted in memory");
    assert!(server.log().contains("certificate expired"), "{}", server.log());
    drop(redis);
}

impl Case {
    /// Starts auth-service before its Redis.
    fn try_out_unanswered(&self, place: &Place, address: &str) -> Server {
        let mut settings = self.settings(place, REDIS, address);
        settings.push(("ATTEMPT_LIMITS".to_owned(), "on".to_owned()));
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        Starting::new(Binary::Auth, &settings).wait()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn task_service_is_called_over_tls_or_not_at_all() {
    let Some(place) = Place::new("tasks") else { return };
    let authority = place.files.path("ca.pem");
    for case in MATRIX {
        let name = case.certificate.unwrap_or_default();
        let [chain, key] = ["pem", "key"].map(|kind| place.files.path(&format!("{name}.{kind}")));
        let mut own = Vec::new();
        match case.certificate {
            // A server would not start with it.
            Some("expired") => continue,
            Some(_) => own.extend([("TLS_CERT_FILE", &*chain), ("TLS_KEY_FILE", &*key)]),
            None => own.extend([("TLS_CERT_FILE", ""), ("TLS_KEY_FILE", "")]),
        }
        if case.demands {
            own.push(("TLS_CLIENT_CA_FILE", &authority));
        }
        let tasks = place.start(&own);
        let address = format!("https://localhost:{}", tasks.address().port());
        if let Some(server) = case.try_out(&place, TASKS, &address) {
            tasks.until_logged("/task.v1.TaskAdminService/GetDatabaseEpoch");
            if case.demands {
                tasks.until_logged("\"certificate\":\"billing.example.com\"");
            }
            let doctor = command(&case.settings(&place, TASKS, &address), "doctor");
            assert!(
                doctor.stdout.contains("takes the tokens that are made here"),
                "{}",
                doctor.stdout
            );
            drop(server);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn erasures_are_taken_only_with_a_certificate_that_is_listed() {
    let Some(place) = Place::new("listed") else { return };
    let authority = place.files.path("ca.pem");
    for (names, is_listed) in
        [("other.example.com, billing.example.com", true), ("other.example.com", false)]
    {
        let tasks = place.start(&[
            ("TLS_CLIENT_CA_FILE", &authority),
            ("TLS_CLIENT_CERT", "optional"),
            ("TLS_ADMIN_CLIENT_NAMES", names),
        ]);
        let address = format!("https://localhost:{}", tasks.address().port());
        let settings = MATRIX[1].settings(&place, TASKS, &address);
        let settings: Vec<_> =
            settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let server = Starting::new(Binary::Auth, &settings).wait();
        let is_of_call = |line: &&str| {
            line.contains("TaskAdminService/GetDatabaseEpoch")
                && line.contains("\"certificate\":\"billing.example.com\"")
        };
        let words = if is_listed { "\"answered\"" } else { "not answered as asked" };
        until(|| tasks.log().lines().filter(is_of_call).any(|line| line.contains(words)));
        if !is_listed {
            let refused = "The client certificate is not listed for this service, or missing";
            server.until_logged(refused);
        }
        // The same secret without a certificate.
        let mut without = MATRIX[0].settings(&place, TASKS, &address);
        without[0].1 = format!("sqlite://{}/other.db", place.files.path(""));
        let without: Vec<_> =
            without.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let other = Starting::new(Binary::Auth, &without).wait();
        other.until_logged("The client certificate is not listed for this service, or missing");
    }
}

fn until(mut happened: impl FnMut() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while !happened() {
        assert!(std::time::Instant::now() < end, "not in time");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

#[test]
fn an_authority_that_has_expired_is_refused_beside_all_other_faults() {
    let Some(place) = Place::new("outward-faults") else { return };
    let address = format!("rediss://localhost:{}", free_port());
    let mut settings =
        case(None, false, Some("expired_ca"), None, None).settings(&place, REDIS, &address);
    settings.push(("TASK_SERVICE_CA_FILE".to_owned(), place.files.path("ca.pem")));
    settings.push(("ATTEMPT_STORE_CERT_FILE".to_owned(), place.files.path("client.pem")));
    settings.push(("ATTEMPT_STORE_KEY_FILE".to_owned(), place.files.path("foreign.key")));
    let ended = command(&settings, "serve");
    assert_eq!(ended.code, Some(2), "{}", ended.stderr);
    for fault in [
        "ATTEMPT_STORE_CA_FILE has no authority that is valid: it has expired",
        "TASK_SERVICE_CA_FILE needs an `https://…` in TASK_SERVICE_URL",
    ] {
        assert!(ended.stderr.contains(fault), "{fault}: {}", ended.stderr);
    }
    let trusted = case(None, false, Some("ca"), None, None);
    let mut settings = trusted.settings(&place, REDIS, &address);
    settings.push(("ATTEMPT_STORE_CERT_FILE".to_owned(), place.files.path("client.pem")));
    settings.push(("ATTEMPT_STORE_KEY_FILE".to_owned(), place.files.path("foreign.key")));
    let ended = command(&settings, "serve");
    let fault = "ATTEMPT_STORE_KEY_FILE is not the key of the certificate";
    assert!(ended.stderr.contains(fault), "{}", ended.stderr);
}

#[test]
fn a_connection_that_crosses_the_network_in_clear_is_named() {
    let Some(place) = Place::new("clear") else { return };
    let settings: Vec<_> = [
        ("DATABASE_URL", format!("sqlite://{}/auth.db", place.files.path(""))),
        // Addresses for documentation (RFC 5737), which do not answer.
        ("ATTEMPT_STORE", "redis://192.0.2.1".to_owned()),
        ("TASK_SERVICE_URL", "http://192.0.2.1:50052".to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let doctor = command(&settings, "doctor").stdout;
    for (hop, remedy) in [
        ("Redis at 192.0.2.1:6379", "write `rediss://` in ATTEMPT_STORE"),
        ("task-service at 192.0.2.1:50052", "write `https://` in TASK_SERVICE_URL"),
    ] {
        let words = format!("the connection to {hop} crosses the network in clear: {remedy}");
        let line = doctor.lines().find(|line| line.contains(&words));
        assert!(line.is_some_and(|line| line.starts_with("warn ")), "{words}: {doctor}");
    }
    let settings: Vec<_> =
        settings.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let server = Starting::new(Binary::Auth, &settings).wait();
    for hop in ["Redis at 192.0.2.1:6379", "task-service at 192.0.2.1:50052"] {
        server.until_logged(hop);
    }
    server.until_logged("a connection crosses the network in clear");
}
