//! The life of an account, and everything that is sent to break it, with real binaries that
//! log all they can, in both formats.

use fixtures::{FreshDatabase, on_both_databases};
use http::Method;
use proto::auth::v1 as auth;
use serde_json::{Value, json};
use tonic::Code;

use super::{assert_kept, register};
use crate::{
    binary::Binary,
    caller::{PASSWORD, SignedIn, Stranger, application},
    exchange::{HttpRequest, Reply},
    forge::{self, FOREIGN},
    gate::{self, Credential},
    process::{Server, Starting},
    raw,
    wire::Transport,
    world::{SECRET, URL},
};

on_both_databases!(nothing_secret_is_written_as_text, nothing_secret_is_written_as_json);

const NEW_PASSWORD: &str = "umbrellas and Zq7-snow";
const WRONG_PASSWORD: &str = "a wrong Zq7-guess";

/// Both services, writing down all they can.
struct Pair {
    auth: Server,
    /// The same accounts, for browsers that get a copy of their session.
    copying: Server,
    tasks: Server,
}

impl Pair {
    fn start(accounts: &FreshDatabase, tasks: &FreshDatabase, format: &str) -> Self {
        let start = |binary, database: &FreshDatabase, cache| {
            let settings = [
                ("DATABASE_URL", database.address()),
                ("LOG_FORMAT", format),
                ("SESSION_COOKIE_CACHE", cache),
            ];
            Starting::new(binary, &settings)
        };
        let starting = [
            start(Binary::Auth, accounts, "off"),
            start(Binary::Auth, accounts, "5m"),
            start(Binary::Tasks, tasks, "off"),
        ];
        let [auth, copying, tasks] = starting.map(Starting::wait);
        Self { auth, copying, tasks }
    }

    fn ways(&self) -> [Stranger; 2] {
        let doors = [self.auth.http_address(), self.tasks.http_address()].map(Transport::Http);
        let [auth, tasks] = doors;
        [Stranger::new(self.auth.channel(), self.tasks.channel()), Stranger::new(auth, tasks)]
    }
}

async fn nothing_secret_is_written_as_text(database: FreshDatabase) {
    nothing_secret_is_written(database, "text").await;
}

async fn nothing_secret_is_written_as_json(database: FreshDatabase) {
    nothing_secret_is_written(database, "json").await;
}

async fn nothing_secret_is_written(accounts: FreshDatabase, format: &str) {
    for password in [NEW_PASSWORD, WRONG_PASSWORD] {
        register("password", password);
    }
    let tasks = FreshDatabase::new(fixtures::Backend::Sqlite).await.expect("SQLite");
    let pair = Pair::start(&accounts, &tasks, format);
    for (way, email) in pair.ways().iter().zip(["ada@example.com", "bob@example.com"]) {
        let user = way.sign_up(email).await;
        misuse(&pair, &user).await;
        live(&user, email).await;
    }
    by_browser(&pair).await;
    for server in [&pair.auth, &pair.copying, &pair.tasks] {
        let log = &server.log();
        // It did write, and all it can: the calls, and why they were refused.
        assert!(log.contains("not answered as asked"), "{log}");
        assert!(log.contains("DEBUG"), "{log}");
        assert_kept(log);
    }
}

/// Everything a signed-in user does, to the end of the account.
async fn live(user: &SignedIn, email: &str) {
    let wrong = user.ways.try_sign_in(email, WRONG_PASSWORD).await;
    assert_eq!(wrong.err().map(|status| status.code()), Some(Code::Unauthenticated));
    let again = user.ways.accounts().sign_up(application(email, PASSWORD)).await;
    assert!(again.is_err());
    let there = user.ways.sign_in(email).await;
    let mut sessions = there.sessions();
    sessions.get_session(auth::GetSessionRequest {}).await.expect("a session");
    sessions.get_token(auth::GetTokenRequest {}).await.expect("a token");
    sessions.list_sessions(auth::ListSessionsRequest {}).await.expect("sessions");
    for password in [WRONG_PASSWORD, PASSWORD] {
        let password = password.to_owned();
        let _ = sessions.verify_password(auth::VerifyPasswordRequest { password }).await;
    }
    for current in [WRONG_PASSWORD, PASSWORD] {
        let change = auth::ChangePasswordRequest {
            current_password: current.into(),
            new_password: NEW_PASSWORD.into(),
            ..Default::default()
        };
        let _ = sessions.change_password(change).await;
    }
    there.create("Water the plants").await;
    assert_eq!(there.all_tasks().await.len(), 1);
    let there = user.ways.try_sign_in(email, NEW_PASSWORD).await.expect("signs in");
    for password in [WRONG_PASSWORD, NEW_PASSWORD] {
        let delete = auth::DeleteUserRequest { password: Some(password.into()) };
        let _ = there.sessions().delete_user(delete).await;
    }
    assert!(!there.session_lives().await);
}

/// Every refusal that the gates know, for every rpc, and tokens forged in every way.
async fn misuse(pair: &Pair, user: &SignedIn) {
    let id = user.id();
    let mut forged = vec![
        forge::token(FOREIGN, &id, &json!({})),
        forge::unsigned(SECRET, &id),
        forge::expired(SECRET, &id),
        forge::service(FOREIGN, &json!({})),
        forge::service(SECRET, &json!({ "aud": URL })),
        forge::token(SECRET, "somebody-else", &json!({ "email": "eve@example.com" })),
        forge::signed_session(FOREIGN, &user.session_token),
        format!("{}x", user.access_token),
        "A".repeat(9000),
    ];
    for token in &forged {
        register("forged token", token);
    }
    forged.push(user.session_token.clone());
    let headers = forged.iter().map(|token| Some(format!("Bearer {token}")));
    for rpc in raw::every_rpc() {
        let (server, asked) = match rpc.service.as_str() {
            "task.v1.TaskAdminService" => (&pair.tasks, Credential::Service),
            service if service.starts_with("task.") => (&pair.tasks, Credential::Access),
            _ => (&pair.auth, Credential::Session),
        };
        let known = gate::refusals(asked, user).into_iter().map(|(header, _)| header);
        let of_gate: Vec<_> = if rpc.path.ends_with("/GetTask") || rpc.path.ends_with("/GetToken") {
            known.chain(headers.clone()).collect()
        } else {
            headers.clone().take(2).collect()
        };
        let channel = server.channel();
        for header in of_gate {
            drop(raw::call(&channel, &rpc.path, header.as_deref(), &[]).await);
        }
    }
    for token in &forged {
        for path in [format!("/api/{id}/tasks"), format!("/api/{id}/tasks?token={token}")] {
            let asked = HttpRequest::new(Method::GET, &path).bearer(token);
            asked.send(pair.tasks.http_address()).await;
        }
        let asked =
            HttpRequest::new(Method::GET, &format!("/api/auth/get-session?token={token:.2000}"));
        asked.bearer(token).send(pair.auth.http_address()).await;
    }
}

/// What a browser sends, well and badly, and the values it is given.
async fn by_browser(pair: &Pair) {
    let address = pair.copying.http_address();
    let post = |path: &str| HttpRequest::new(Method::POST, &format!("/api/auth{path}"));
    let body = json!({ "email": "eve@example.com", "password": PASSWORD, "name": "Eve" });
    let signed_up = post("/sign-up/email").json(&body).send(address).await;
    keep(&signed_up);
    let cookies: Vec<_> = set_cookies(&signed_up).collect();
    let cookie = cookies.join("; ");
    for path in ["/get-session", "/token", "/list-sessions", "/list-accounts", "/nowhere"] {
        let asked =
            HttpRequest::new(Method::GET, &format!("/api/auth{path}")).header("cookie", &cookie);
        keep(&asked.send(address).await);
    }
    for body in [
        json!([PASSWORD]),
        json!({ "email": PASSWORD, "password": "eve@example.com" }),
        json!({ "email": "eve@example.com", "password": { "is": WRONG_PASSWORD } }),
        json!({ "email": "eve@example.com", "password": WRONG_PASSWORD }),
        Value::String(PASSWORD.into()),
    ] {
        for path in ["/sign-in/email", "/sign-up/email", "/change-password", "/delete-user"] {
            let asked = post(path).json(&body).header("cookie", &cookie).header("origin", URL);
            asked.send(address).await;
            let asked = post(path).body(format!("password={PASSWORD}&email=eve@example.com"));
            asked
                .header("cookie", &cookie)
                .header("origin", "https://evil.example")
                .send(address)
                .await;
        }
    }
    let asked = post("/sign-out").json(&json!({})).header("cookie", &cookie).header("origin", URL);
    asked.send(address).await;
}

fn set_cookies(reply: &Reply) -> impl Iterator<Item = &str> {
    let values = reply.headers.get_all("set-cookie").iter();
    values.filter_map(|value| value.to_str().ok()?.split(';').next())
}

/// Registers every credential an answer holds.
fn keep(reply: &Reply) {
    for cookie in set_cookies(reply) {
        register("cookie", cookie.split_once('=').map_or("", |(_, value)| value));
    }
    for name in ["set-auth-token", "set-auth-jwt"] {
        register(
            "token",
            reply.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default(),
        );
    }
}
