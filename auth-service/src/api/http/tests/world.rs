//! The HTTP API with a database and a clock of its own.

use std::{collections::HashMap, net::IpAddr, sync::Arc, time::Duration};

use axum::{Router, body::Body};
use chrono::DateTime;
use fixtures::{Backend, FreshDatabase};
use http::{HeaderMap, HeaderValue, Request, header::SET_COOKIE};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};
use server::{ClientInfo, http::HttpRouter};
use shared::{
    auth::{Keyring, TokenIssuer, TokenPolicy, TokenVerifier},
    clock::ManualClock,
    config::Reader,
    origin::{BETTER_AUTH_URL, Origin},
    trusted_origin::TrustedOrigin,
};
use tower::ServiceExt;

use super::super::{Dependencies, router};
use crate::{
    access_token::AccessTokens,
    account::Accounts,
    export::DataExports,
    password::PasswordRules,
    password::hashing::{Hashing, default_concurrency},
    rate_limit::{Counter, InvalidTokens, Limits, Memory, RateLimiter},
    restriction::SignInRules,
    session::{SessionRules, Sessions},
    session_token::AtRest,
    store::Store,
};

pub const OWN: &str = "http://127.0.0.1:4101";
pub const TRUSTED: &str = "http://localhost:3000";
pub const TRUSTED_APP: &str = "myapp://";
pub const PASSWORD: &str = "correct horse";
const SECRET: &str = "test-secret-0123456789-abcdefghijklmnop-XYZ";

/// The settings of a world.
pub struct Setting {
    pub own: &'static str,
    pub at_rest: AtRest,
    pub cookie_cache: Option<Duration>,
    pub hsts_max_age: Option<Duration>,
    pub limits: Limits,
    /// A secret that still verifies beside the one that signs.
    pub old_secret: Option<&'static str>,
    pub sign_in: SignInRules,
    /// Statements run before the tables are checked.
    pub prepare: Vec<String>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            own: OWN,
            at_rest: AtRest::Hashed,
            cookie_cache: None,
            hsts_max_age: Some(Duration::from_hours(24)),
            limits: Limits::OFF,
            old_secret: None,
            sign_in: SignInRules::default(),
            prepare: Vec::new(),
        }
    }
}

pub struct World {
    pub clock: Arc<ManualClock>,
    pub keys: Arc<Keyring>,
    pub verifier: TokenVerifier,
    pub store: Store,
    pub api: utoipa::openapi::OpenApi,
    /// The address of the client.
    pub peer: Option<IpAddr>,
    routes: Router,
    _database: FreshDatabase,
}

impl World {
    pub async fn start() -> Self {
        Self::with(Setting::default()).await
    }

    pub async fn with(setting: Setting) -> Self {
        let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
        let mut store = Store::open(&database.url()).await.expect("opens");
        for statement in &setting.prepare {
            store.database().writer().execute_unprepared(statement).await.expect("runs");
        }
        if !setting.prepare.is_empty() {
            store = Store::open(&database.url()).await.expect("opens");
        }
        let start = DateTime::parse_from_rfc3339("2026-11-20T22:18:00.970Z").expect("a moment");
        let clock = Arc::new(ManualClock::at(start.into()));
        let mut vars = HashMap::from([
            ("BETTER_AUTH_SECRET", SECRET.to_owned()),
            ("BETTER_AUTH_URL", setting.own.to_owned()),
        ]);
        if let Some(old) = setting.old_secret {
            vars.insert("BETTER_AUTH_SECRETS", format!("2:{SECRET},1:{old}"));
        }
        let mut reader = Reader::new(&vars);
        let keys = Arc::new(Keyring::read(&mut reader).expect("a keyring"));
        let policy = TokenPolicy::read(&mut reader, &BETTER_AUTH_URL).expect("a policy");
        let quarter = Duration::from_mins(15);
        let issuer = TokenIssuer::new(keys.clone(), policy.clone(), quarter, clock.clone());
        let rules = SessionRules {
            tokens_at_rest: setting.at_rest,
            sign_in: setting.sign_in,
            ..SessionRules::default()
        };
        let invalid_tokens = InvalidTokens::new(setting.limits.sessions_per_address, clock.clone());
        let sessions =
            Sessions::new(store.clone(), rules, keys.clone(), invalid_tokens, clock.clone());
        let counter = Counter::Memory(Arc::new(Memory::new(clock.clone())));
        let attempts = RateLimiter::new(setting.limits, counter);
        let access = Arc::new(AccessTokens(issuer));
        let HttpRouter { routes, api, .. } = router(Dependencies {
            accounts: Accounts::new(
                store.clone(),
                sessions.clone(),
                Hashing::new(default_concurrency()),
                attempts,
                None,
                PasswordRules { min_length: 8 },
            ),
            exports: DataExports::new(store.clone(), sessions.clone(), access.clone(), None),
            sessions,
            access,
            keys: keys.clone(),
            own_origin: Some(Origin::parse(setting.own).expect("an origin")),
            trusted_origins: [TRUSTED, TRUSTED_APP, "https://*.example.org"]
                .map(|text| TrustedOrigin::parse(text).expect("an origin"))
                .to_vec(),
            session_cookie_cache: setting.cookie_cache,
            hsts_max_age: setting.hsts_max_age,
        });
        let verifier = TokenVerifier::new(keys.clone(), policy, clock.clone());
        Self { clock, keys, verifier, store, api: api(), peer: None, routes, _database: database }
    }

    /// Sends a request and reads the whole response.
    pub async fn call(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> Got {
        let mut request = Request::builder().method(method).uri(format!("/api/auth{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body.into()).expect("a request");
        // As a server does.
        let id = HeaderValue::from_static("call-1");
        let client = ClientInfo::new(id, self.peer, &request);
        request.extensions_mut().insert(client.clone());
        let answered = client.during(self.routes.clone().oneshot(request));
        let response = answered.await.expect("infallible");
        let (head, body) = response.into_parts();
        let body = axum::body::to_bytes(body, usize::MAX).await.expect("a body");
        let body = String::from_utf8(body.to_vec()).expect("text");
        Got { status: head.status.as_u16(), headers: head.headers, body }
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &Value) -> Got {
        let headers = [&[("content-type", "application/json")], headers].concat();
        self.call("POST", path, &headers, body.to_string()).await
    }

    pub async fn get(&self, path: &str, headers: &[(&str, &str)]) -> Got {
        self.call("GET", path, headers, Body::empty()).await
    }

    /// A request with a session token as bearer.
    pub async fn post_as(&self, token: &str, path: &str, body: &Value) -> Got {
        self.post(path, &[("authorization", &format!("Bearer {token}"))], body).await
    }

    /// A GET request with a session token as bearer.
    pub async fn get_as(&self, token: &str, path: &str) -> Got {
        self.get(path, &[("authorization", &format!("Bearer {token}"))]).await
    }

    /// Signs a user up, in lower case, and returns the session token.
    pub async fn sign_up(&self, email: &str) -> String {
        let body = json!({ "name": "Ada", "email": email, "password": PASSWORD });
        self.post("/sign-up/email", &[], &body).await.token()
    }

    /// Signs a user in with additional members.
    pub async fn sign_in(&self, email: &str, more: Value) -> Got {
        let mut body = json!({ "email": email, "password": PASSWORD });
        let Value::Object(more) = more else { panic!("an object") };
        body.as_object_mut().expect("an object").extend(more);
        self.post("/sign-in/email", &[], &body).await
    }

    pub async fn sql(&self, statement: &str) {
        self.store.database().writer().execute_unprepared(statement).await.expect("runs");
    }
}

/// A response, read whole.
pub struct Got {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("text"))
    }

    pub fn cookies(&self) -> Vec<&str> {
        let cookies = self.headers.get_all(SET_COOKIE).iter();
        cookies.map(|cookie| cookie.to_str().expect("text")).collect()
    }

    /// The first cookie as a browser sends it back.
    pub fn cookie(&self) -> &str {
        self.cookies()[0].split(';').next().expect("a pair")
    }

    pub fn token(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()["token"].as_str().expect("a token").to_owned()
    }

    /// Asserts status and body.
    #[track_caller]
    pub fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, &*self.body), (status, body));
    }

    /// Asserts that all three cookies are expired, as captured.
    #[track_caller]
    pub fn forgets(&self) {
        let expired = ["session_token", "session_data", "dont_remember"]
            .map(|name| format!("better-auth.{name}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax"));
        assert_eq!(self.cookies(), expired);
    }
}
