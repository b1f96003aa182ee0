//! Every route of tasks refuses callers without access. The routes come from
//! the OpenAPI document, so that a new one is covered the day it is described.

use http::{Method, StatusCode};

use crate::{
    answer::reason,
    caller::SignedIn,
    exchange::{HttpRequest, Reply},
    forge,
    gate::{Credential, refusals},
    scenarios::over_http_alone,
    wire::Problem,
    world::{SECRET, World},
};

over_http_alone!(
    no_route_looks_at_a_request_before_its_token,
    no_route_looks_at_a_request_before_its_path_is_the_callers,
    a_token_is_taken_from_its_header_alone,
    a_user_in_a_header_can_only_refuse,
);

/// What no route can read, in every part that a route reads.
const NONSENSE: &str = "{\"\u{0}";

/// A route and a method it knows.
struct Route {
    method: Method,
    path: String,
}

/// Every route about tasks, with HEAD wherever there is GET.
async fn routes(world: &World) -> Vec<Route> {
    let api = HttpRequest::new(Method::GET, "/openapi.json").send(world.tasks_http()).await.json();
    let paths = api["paths"].as_object().expect("paths");
    let mut routes = Vec::new();
    for (path, methods) in paths.iter().filter(|(path, _)| path.starts_with("/api/")) {
        for name in methods.as_object().expect("methods").keys() {
            let method: Method = name.to_uppercase().parse().expect("a method");
            if method == Method::GET {
                routes.push(Route { method: Method::HEAD, path: path.clone() });
            }
            routes.push(Route { method, path: path.clone() });
        }
    }
    assert!(routes.len() >= 7 + 2, "every rpc has a route");
    routes
}

impl Route {
    /// The path of this user's tasks, or of one of them that is not there.
    fn of(&self, user: &str) -> String {
        self.path.replace("{user_id}", user).replace("{id}", "nonsense")
    }

    /// A request for `user` in which everything but the path is nonsense.
    fn nonsense(&self, user: &str) -> HttpRequest {
        let path = format!("{}?no_such_parameter=%00&completed=perhaps", self.of(user));
        let asked = HttpRequest::new(self.method.clone(), &path);
        let asked = asked.header("content-type", "text/nonsense").header("if-match", "nonsense");
        match self.method {
            Method::GET | Method::HEAD => asked,
            _ => asked.body(NONSENSE.repeat(40_000)),
        }
    }

    #[track_caller]
    fn assert_refused(&self, reply: &Reply, status: StatusCode, code: &str) {
        let what = format!("{} {}: {reply:?}", self.method, self.path);
        assert_eq!(reply.status, status, "{what}");
        if self.method == Method::HEAD {
            assert!(reply.body.is_empty(), "{what}");
        } else {
            assert_eq!(Problem::read(reply).code, code, "{what}");
        }
    }
}

async fn no_route_looks_at_a_request_before_its_token(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    for route in routes(world).await {
        for (authorization, reason) in refusals(Credential::Access, &alice) {
            // In another's name it is refused for the token all the same.
            for user in [alice.id(), bob.id(), "%ff".to_owned()] {
                let mut asked = route.nonsense(&user);
                if let Some(value) = &authorization {
                    asked = asked.header("authorization", value);
                }
                let reply = asked.send(world.tasks_http()).await;
                route.assert_refused(&reply, StatusCode::UNAUTHORIZED, reason);
            }
        }
        let bearer = format!("Bearer {}", alice.access_token);
        let twice = route.nonsense(&alice.id());
        let twice = twice.header("authorization", &bearer).header("authorization", &bearer);
        let reply = twice.send(world.tasks_http()).await;
        route.assert_refused(&reply, StatusCode::UNAUTHORIZED, "INVALID_HEADER_FORMAT");
    }
    assert!(alice.all_tasks().await.is_empty() && bob.all_tasks().await.is_empty());
}

async fn no_route_looks_at_a_request_before_its_path_is_the_callers(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    let padded = format!("{}%20", alice.id());
    let others = [&*bob.id(), &padded, &alice.id().to_uppercase(), "", "%ff", "%00", "%2e%2e"]
        .map(str::to_owned);
    for route in routes(world).await {
        for user in &others {
            let asked = route.nonsense(user).bearer(&alice.access_token);
            let reply = asked.send(world.tasks_http()).await;
            route.assert_refused(&reply, StatusCode::FORBIDDEN, "FORBIDDEN_USER_ACCESS");
        }
        // The same request for her own path gets as far as its nonsense.
        let asked = route.nonsense(&alice.id()).bearer(&alice.access_token);
        let status = asked.send(world.tasks_http()).await.status;
        let looked = [400, 404, 413, 415].contains(&status.as_u16());
        assert!(looked, "{} {}: {status}", route.method, route.path);
    }
    assert!(alice.all_tasks().await.is_empty() && bob.all_tasks().await.is_empty());
}

async fn a_token_is_taken_from_its_header_alone(world: &World) {
    let alice = world.alice().await;
    let token = &alice.access_token;
    for route in routes(world).await {
        let path = format!("{}?access_token={token}&token={token}", route.of(&alice.id()));
        let elsewhere = HttpRequest::new(route.method.clone(), &path)
            .header("cookie", &format!("access_token={token}; authorization=Bearer {token}"))
            .header("proxy-authorization", &format!("Bearer {token}"))
            .header("x-authorization", &format!("Bearer {token}"));
        let reply = elsewhere.send(world.tasks_http()).await;
        route.assert_refused(&reply, StatusCode::UNAUTHORIZED, "MISSING_TOKEN");
    }
}

async fn a_user_in_a_header_can_only_refuse(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    for route in routes(world).await {
        for named in [&[&*bob.id()][..], &[&alice.id(), &bob.id()], &[""]] {
            let mut asked = route.nonsense(&alice.id()).bearer(&alice.access_token);
            for name in named {
                asked = asked.header("x-user-id", name);
            }
            let reply = asked.send(world.tasks_http()).await;
            route.assert_refused(&reply, StatusCode::FORBIDDEN, "FORBIDDEN_USER_ACCESS");
        }
        let named = route.nonsense(&alice.id()).header("x-user-id", &alice.id());
        let reply = named.send(world.tasks_http()).await;
        route.assert_refused(&reply, StatusCode::UNAUTHORIZED, "MISSING_TOKEN");
    }
    // Her token for his path is still hers, whatever claim names him.
    let minted = forge::token(SECRET, &alice.id(), &serde_json::json!({ "user_id": bob.id() }));
    let forger = SignedIn { access_token: minted, user: bob.user.clone(), ..alice };
    let status = forger.page(0, "", None).await.expect_err("not hers");
    assert_eq!(reason(&status), "FORBIDDEN_USER_ACCESS");
}
