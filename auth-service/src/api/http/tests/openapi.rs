//! The OpenAPI document against the routes.

use std::collections::HashSet;

use serde_json::Value;

use super::world::{Setting, World};
use crate::password::PasswordRules;

#[tokio::test]
async fn every_route_is_described_once_and_answers() {
    let world = World::start().await;
    let api = serde_json::to_value(&world.api).expect("JSON");
    let mut ids = HashSet::new();
    let mut count = 0;
    for (path, methods) in api["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            count += 1;
            let id = operation["operationId"].as_str().expect("an id");
            assert!(ids.insert(id.to_owned()), "{id} twice");
            assert_eq!(operation["tags"], serde_json::json!(["auth"]));
            assert!(operation["summary"].as_str().is_some_and(|text| !text.is_empty()), "{id}");
            let responses = operation["responses"].as_object().expect("responses");
            for status in ["429", "500", "503"] {
                assert!(responses.contains_key(status), "{id} {status}");
            }
            for (status, response) in responses {
                assert!(
                    response["content"]["application/json"]["schema"].is_object(),
                    "{id} {status}"
                );
            }
            let path = path.strip_prefix("/api/auth").expect("the prefix");
            let got = world.call(&method.to_uppercase(), path, &[], "").await;
            assert_ne!(got.status, 404, "{method} {path}");
            assert!(responses.contains_key(&got.status.to_string()), "{id} {}", got.status);
        }
    }
    assert_eq!(count, 20);
    for name in references(&api) {
        let schema = name.strip_prefix("#/components/schemas/").expect("a schema");
        assert!(api["components"]["schemas"][schema].is_object(), "{schema}");
    }
}

#[tokio::test]
async fn the_described_cookie_is_the_one_that_is_set() {
    for (own, name) in [
        ("http://127.0.0.1:4101", "better-auth.session_token"),
        ("https://auth.example.com", "__Secure-better-auth.session_token"),
    ] {
        let world = World::with(Setting { own, ..Setting::default() }).await;
        let api = serde_json::to_value(&world.api).expect("JSON");
        let scheme = &api["components"]["securitySchemes"]["sessionCookie"];
        assert_eq!((scheme["in"].as_str(), scheme["name"].as_str()), (Some("cookie"), Some(name)));
    }
}

/// A client may check a password by the document before it sends it.
#[test]
fn the_shortest_password_is_the_one_that_is_set() {
    for min_length in [8, 12] {
        let api = super::super::api("", PasswordRules { min_length });
        let api = serde_json::to_value(api).expect("JSON");
        for (body, member) in [("SignUp", "password"), ("ChangePassword", "newPassword")] {
            let schema = &api["components"]["schemas"][body]["properties"][member];
            assert_eq!(schema["minLength"], min_length, "{body}");
        }
    }
}

/// Every `$ref` below a value.
fn references(value: &Value) -> Vec<String> {
    match value {
        Value::Object(members) => {
            let own = members.get("$ref").and_then(Value::as_str).map(str::to_owned);
            own.into_iter().chain(members.values().flat_map(references)).collect()
        }
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}
