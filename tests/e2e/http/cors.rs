//! CORS on every port: the listed origins may call, and no other.

use std::{net::SocketAddr, time::Duration};

use fixtures::{Backend, FreshDatabase};
use http::{Method, StatusCode};

use crate::{
    exchange::{HttpRequest, Reply},
    stop::start_with,
    wire::Wire,
    world::World,
};

/// The two origins that the operator trusts.
const TRUSTED: [&str; 2] = ["http://localhost:3000", "https://app.example.com"];

/// Origins that look like them, and some that do not.
const FOREIGN: [&str; 14] = [
    "https://evil.example",
    "null",
    "https://app.example.com.evil.example",
    "https://sub.app.example.com",
    "https://evil-app.example.com",
    "http://app.example.com",
    "https://app.example.com:8443",
    "https://app.example.com/",
    "https://app.example.com@evil.example",
    "http://localhost:3001",
    "http://localhost",
    "http://localhost:3000, https://evil.example",
    "*",
    "file://",
];

/// What a page must be able to read of an answer.
const READABLE: [&str; 6] =
    ["set-auth-token", "set-auth-jwt", "link", "x-total-count", "etag", "location"];

async fn world() -> World {
    let trusted = TRUSTED.join(",");
    let settings = [("TRUSTED_ORIGINS", trusted.as_str()), ("CORS_ALLOWED_HEADERS", "X-Tenant")];
    let world = World::start_with(Backend::Sqlite, Wire::Http, &settings).await;
    world.expect("SQLite is always there")
}

fn preflight(path: &str, origin: &str, method: &str) -> HttpRequest {
    HttpRequest::new(Method::OPTIONS, path)
        .header("origin", origin)
        .header("access-control-request-method", method)
        .header("access-control-request-headers", "authorization, content-type")
}

/// Whether the page at `origin` may read this answer.
#[track_caller]
fn is_readable(reply: &Reply, origin: &str) -> bool {
    assert!(reply.text("vary").to_lowercase().contains("origin"), "{reply:?}");
    match reply.text("access-control-allow-origin") {
        "" => {
            assert_eq!(reply.text("access-control-allow-credentials"), "", "{reply:?}");
            false
        }
        allowed => {
            assert_eq!(allowed, origin, "another's");
            assert!(TRUSTED.contains(&allowed), "reflected: {reply:?}");
            assert_eq!(reply.text("access-control-allow-credentials"), "true");
            true
        }
    }
}

/// Ports with a path that answers there, and the method it knows.
fn ports(world: &World, user: &str) -> Vec<(SocketAddr, String, &'static str)> {
    let list = format!("/api/{user}/tasks");
    vec![
        (world.tasks_http(), list.clone(), "GET"),
        (world.tasks_http(), list.clone(), "POST"),
        (world.tasks_http(), format!("{list}/x"), "PUT"),
        (world.tasks_http(), format!("{list}/x"), "PATCH"),
        (world.tasks_http(), format!("{list}/x"), "DELETE"),
        (world.auth_http(), "/api/auth/get-session".into(), "GET"),
        (world.auth_http(), "/api/auth/sign-in/email".into(), "POST"),
        (world.auth_http(), "/api/auth/no-such-route".into(), "POST"),
        (world.tasks_grpc(), "/task.v1.TaskService/ListTasks".into(), "POST"),
        (world.auth_grpc(), "/auth.v1.AuthService/SignIn".into(), "POST"),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_preflight_needs_no_token_and_is_passed_for_listed_origins_alone() {
    let world = world().await;
    for (port, path, method) in ports(&world, "somebody") {
        for origin in TRUSTED {
            let reply = preflight(&path, origin, method).send(port).await;
            assert!(reply.status.is_success(), "{path}: {reply:?}");
            assert!(is_readable(&reply, origin), "{path}: {reply:?}");
            let allowed = reply.text("access-control-allow-methods");
            assert!(allowed.contains(method) && !allowed.contains('*'), "{path}: {reply:?}");
            let allowed = reply.text("access-control-allow-headers").to_lowercase();
            for name in ["authorization", "content-type", "traceparent", "x-tenant"] {
                assert!(allowed.contains(name), "{path}: {reply:?}");
            }
            assert!(!allowed.contains('*') && !allowed.contains("cookie"), "{path}: {reply:?}");
            assert!(reply.body.is_empty(), "{path}: {reply:?}");
        }
        for origin in FOREIGN {
            let reply = preflight(&path, origin, method).send(port).await;
            assert!(!is_readable(&reply, origin), "{path} {origin}: {reply:?}");
        }
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_page_is_named_in_the_log_with_what_would_let_it_in() {
    let database = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let server = start_with(&database, Duration::ZERO, Duration::from_secs(1));
    let reply = preflight("/api/ada/tasks", "http://localhost:5173", "GET");
    assert!(!is_readable(&reply.send(server.http_address()).await, "http://localhost:5173"));
    server.until_logged("add it to TRUSTED_ORIGINS");
    assert!(server.log().contains("\"origin\":\"http://localhost:5173\""), "{}", server.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_readable_for_listed_origins_alone() {
    let world = world().await;
    let alice = world.alice().await;
    let list = format!("/api/{}/tasks", alice.id());
    let calls = [
        (world.tasks_http(), list.as_str(), alice.access_token.as_str(), StatusCode::OK),
        (world.tasks_http(), &list, "garbage", StatusCode::UNAUTHORIZED),
        (world.tasks_http(), "/api/x/tasks", &alice.access_token, StatusCode::FORBIDDEN),
        (world.tasks_http(), "/nothing", "", StatusCode::NOT_FOUND),
        (world.auth_http(), "/api/auth/get-session", &alice.session_token, StatusCode::OK),
        (world.auth_http(), "/api/auth/token", "garbage", StatusCode::UNAUTHORIZED),
    ];
    for (port, path, token, status) in calls {
        let from = async |origin: &str| {
            let asked = HttpRequest::new(Method::GET, path).bearer(token).header("origin", origin);
            let reply = asked.send(port).await;
            assert_eq!(reply.status, status, "{path} {origin}");
            reply
        };
        for origin in TRUSTED {
            let reply = from(origin).await;
            assert!(is_readable(&reply, origin), "{path}: {reply:?}");
            let exposed = reply.text("access-control-expose-headers");
            for name in READABLE {
                assert!(exposed.contains(name), "{path} {name}: {reply:?}");
            }
        }
        for origin in FOREIGN {
            assert!(!is_readable(&from(origin).await, origin), "{path} {origin}");
        }
        // A request without an origin comes from no page; `vary` tells caches so.
        let reply = HttpRequest::new(Method::GET, path).bearer(token).send(port).await;
        assert!(!is_readable(&reply, ""), "{path}");
    }
    world.stop().await;
}

/// CORS keeps pages from reading; what they may make a browser do is another matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_foreign_page_signs_its_visitor_in_or_acts_with_a_cookie() {
    let world = world().await;
    let alice = world.alice().await;
    let credential =
        serde_json::json!({ "email": alice.user.email, "password": crate::caller::PASSWORD });
    let cookie = format!(
        "better-auth.session_token={}",
        crate::forge::signed_session(crate::world::SECRET, &alice.session_token)
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D")
    );
    // An address at a trusted origin is at home there too: `Referer` has nothing else.
    for origin in FOREIGN.into_iter().filter(|origin| *origin != format!("{}/", TRUSTED[1])) {
        let sign_in = HttpRequest::new(Method::POST, "/api/auth/sign-in/email").json(&credential);
        let reply = sign_in.header("origin", origin).send(world.auth_http()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{origin}");
        assert!(!reply.headers.contains_key("set-cookie"), "{origin}");
        let sign_out =
            HttpRequest::new(Method::POST, "/api/auth/sign-out").header("cookie", &cookie);
        let reply = sign_out.header("origin", origin).send(world.auth_http()).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN, "{origin}");
    }
    let without = HttpRequest::new(Method::POST, "/api/auth/sign-out").header("cookie", &cookie);
    assert_eq!(without.send(world.auth_http()).await.status, StatusCode::FORBIDDEN);
    assert!(alice.session_lives().await);
    let own = HttpRequest::new(Method::POST, "/api/auth/sign-out").header("cookie", &cookie);
    let own = own.header("origin", TRUSTED[1]).send(world.auth_http()).await;
    assert_eq!(own.status, StatusCode::OK);
    assert!(!alice.session_lives().await);
    world.stop().await;
}
