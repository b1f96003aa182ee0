//! Bodies that are refused, in upstream's words.

use serde_json::json;

use super::world::World;

const UP: &str = "/sign-up/email";
const IN: &str = "/sign-in/email";
const JSON: &str = "application/json";
const HTML: &str = "application/x-www-form-urlencoded";

/// Path, content type, body; status, code, message.
type Case = (&'static str, &'static str, &'static str, u16, &'static str, &'static str);

/// A body that breaks its schema.
const fn invalid(path: &'static str, body: &'static str, issues: &'static str) -> Case {
    (path, JSON, body, 400, "VALIDATION_ERROR", issues)
}

/// A body that is no JSON.
const fn no_json(path: &'static str, body: &'static str) -> Case {
    (path, JSON, body, 400, "BAD_REQUEST", "Invalid JSON in request body")
}

/// A body of an unsupported type.
const fn media(path: &'static str, given: &'static str, message: &'static str) -> Case {
    (path, given, "name=x", 415, "UNSUPPORTED_MEDIA_TYPE", message)
}

const FAULTY: &[Case] = &[
    invalid(
        UP,
        r#"{"email":"bob@example.com"}"#,
        "[body.name] Invalid input: expected string, received undefined; \
         [body.password] Invalid input: expected string, received undefined",
    ),
    invalid(
        UP,
        r#"{"email":5,"name":true,"password":null}"#,
        "[body.name] Invalid input: expected string, received boolean; \
         [body.email] Invalid input: expected string, received number; \
         [body.password] Invalid input: expected string, received null",
    ),
    invalid(
        UP,
        r#"{"name":"B","email":"bob@example.com","password":""}"#,
        "[body.password] Too small: expected string to have >=1 characters",
    ),
    invalid(
        UP,
        r#"{"name":"B","email":"no","password":"correct horse","image":null,"callbackURL":[],"rememberMe":"false"}"#,
        "[body.email] Invalid email address; \
         [body.image] Invalid input: expected string, received null; \
         [body.callbackURL] Invalid input: expected string, received array; \
         [body.rememberMe] Invalid input: expected boolean, received string",
    ),
    invalid(
        UP,
        r#"{"name":"S","email":" sp@example.com ","password":"correct horse"}"#,
        "[body.email] Invalid email address",
    ),
    invalid(
        UP,
        r#"{"name":"S","email":"sp@exämple.com","password":"correct horse"}"#,
        "[body.email] Invalid email address",
    ),
    invalid(
        UP,
        r#"{"name":"a\u0000","email":"a@example.com","password":"correct horse"}"#,
        "[body.name] must have at most 200 characters and no control characters",
    ),
    invalid(
        UP,
        "[]",
        "[body] Invalid input: expected object, received array; \
         [body] Invalid input: expected record, received array",
    ),
    invalid(
        UP,
        "",
        "[body] Invalid input: expected object, received undefined; \
         [body] Invalid input: expected record, received undefined",
    ),
    (
        UP,
        "",
        "{}",
        400,
        "VALIDATION_ERROR",
        "[body] Invalid input: expected object, received undefined; \
         [body] Invalid input: expected record, received undefined",
    ),
    no_json(UP, "{\"name\":"),
    no_json(UP, r#"{"name":"\ud800"}"#),
    no_json(IN, "{\"email\""),
    no_json("/sign-out", "{"),
    media(
        UP,
        "text/plain",
        "Content-Type \"text/plain\" is not allowed. Allowed types: \
         application/x-www-form-urlencoded, application/json",
    ),
    media(
        "/update-user",
        HTML,
        "Content-Type \"application/x-www-form-urlencoded\" is not allowed. \
         Allowed types: application/json",
    ),
    invalid(
        IN,
        "{}",
        "[body.email] Invalid input: expected string, received undefined; \
         [body.password] Invalid input: expected string, received undefined",
    ),
    invalid(IN, "7", "[body] Invalid input: expected object, received number"),
    (
        IN,
        HTML,
        "email=a%40b.cc&password=x&rememberMe=perhaps",
        400,
        "VALIDATION_ERROR",
        "[body.rememberMe] Invalid input: expected boolean, received string",
    ),
    invalid(
        "/change-password",
        "{}",
        "[body.newPassword] Invalid input: expected string, received undefined; \
         [body.currentPassword] Invalid input: expected string, received undefined",
    ),
    invalid(
        "/verify-password",
        "{}",
        "[body.password] Invalid input: expected string, received undefined",
    ),
    invalid(
        "/revoke-session",
        "{}",
        "[body.token] Invalid input: expected string, received undefined",
    ),
    invalid(
        "/delete-user",
        r#"{"password":7}"#,
        "[body.password] Invalid input: expected string, received number",
    ),
    // A byte order mark is accepted, at the start only.
    invalid(
        "/delete-user",
        "\u{feff}{\"password\":7}",
        "[body.password] Invalid input: expected string, received number",
    ),
    no_json("/delete-user", " \u{feff}{\"password\":7}"),
    invalid("/delete-user", "", "[body] Invalid input: expected object, received undefined"),
    invalid("/update-user", "\"str\"", "[body] Invalid input: expected record, received string"),
    invalid(
        "/update-user",
        r#"{"name":5,"image":{}}"#,
        "[body.name] Invalid input: expected string, received number; \
         [body.image] Invalid input: expected string, received object",
    ),
];

#[tokio::test]
async fn a_faulty_body_gets_all_faults_at_once() {
    let world = World::start().await;
    let bearer = format!("Bearer {}", world.sign_up("ada@example.com").await);
    for (path, content_type, body, status, code, message) in FAULTY {
        let mut headers = vec![("authorization", &*bearer)];
        if !content_type.is_empty() {
            headers.push(("content-type", content_type));
        }
        let got = world.call("POST", path, &headers, *body).await;
        got.is(*status, &format!(r#"{{"message":{},"code":"{code}"}}"#, json!(message)));
        assert_eq!(got.header("content-type"), Some(JSON));
        assert!(got.cookies().is_empty() && got.header("set-auth-token").is_none());
    }
}

/// As upstream: a client without a session learns the schema, which is public, and nothing else.
#[tokio::test]
async fn a_body_is_judged_before_its_sender() {
    let world = World::start().await;
    assert_eq!(world.post("/update-user", &[], &json!("str")).await.status, 400);
    assert_eq!(world.post("/update-user", &[], &json!({ "name": "Q" })).await.status, 401);
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let world = World::start().await;
    let got = world.post(UP, &[], &json!({ "name": "x".repeat(64 * 1024) })).await;
    assert_eq!((got.status, &got.json()["code"]), (413, &json!("PAYLOAD_TOO_LARGE")));
}
