//! No route passes over a query parameter that it does not know. The routes come from the
//! OpenAPI documents, so that a new one is covered the day it is described.

use std::net::SocketAddr;

use http::{Method, StatusCode};

use crate::{exchange::HttpRequest, scenarios::over_http_alone, world::World};

over_http_alone!(
    every_route_refuses_a_parameter_that_it_does_not_know,
    a_parameter_of_another_route_does_nothing,
);

/// Every route of an OpenAPI document, with its methods.
pub async fn routes(address: SocketAddr) -> Vec<(Method, String)> {
    let api = HttpRequest::new(Method::GET, "/openapi.json").send(address).await.json();
    let paths = api["paths"].as_object().expect("paths").iter();
    let methods =
        paths.filter(|(path, _)| path.starts_with("/api/")).flat_map(|(path, methods)| {
            let methods = methods.as_object().expect("methods").keys();
            methods.map(|name| (name.to_uppercase().parse().expect("a method"), path.clone()))
        });
    methods.collect()
}

async fn every_route_refuses_a_parameter_that_it_does_not_know(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    for (address, credential, least) in [
        (world.tasks_http(), &alice.access_token, 20),
        (world.auth_http(), &alice.session_token, 20),
    ] {
        let routes = routes(address).await;
        assert!(routes.len() >= least, "{routes:?}");
        for (method, path) in routes {
            let path = path.replace("{user_id}", &alice.id()).replace("{id}", &task.id);
            let asked = HttpRequest::new(method.clone(), &format!("{path}?no_such_parameter=1"));
            let reply = asked.bearer(credential).send(address).await;
            assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{method} {path}: {reply:?}");
            let body = reply.json().to_string();
            assert!(
                body.contains("no_such_parameter is not known here")
                    || body.contains("[query.no_such_parameter] is not known here"),
                "{method} {path}: {body}"
            );
        }
    }
    assert_eq!(alice.all_tasks().await, [task]);
    assert!(alice.session_lives().await);
}

/// It exists on the import alone.
async fn a_parameter_of_another_route_does_nothing(world: &World) {
    let alice = world.alice().await;
    let task = alice.create("Water the plants").await;
    let tasks = format!("/api/{}/tasks", alice.id());
    for (method, path, body) in [
        (Method::DELETE, format!("{tasks}/{}", task.id), ""),
        (Method::POST, format!("{tasks}/batch/create"), r#"{"tasks": [{"title": "x"}]}"#),
    ] {
        let asked = HttpRequest::new(method, &format!("{path}?dry_run=true")).body(body);
        let asked = asked.bearer(&alice.access_token).header("content-type", "application/json");
        let reply = asked.send(world.tasks_http()).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {reply:?}");
        assert_eq!(reply.json()["errors"][0]["field"], "dry_run");
    }
    assert_eq!(alice.all_tasks().await, [task]);
}
