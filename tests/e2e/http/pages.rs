//! The public pages: health and the OpenAPI document.

use http::{Method, StatusCode};

use crate::{exchange::HttpRequest, scenarios::over_http_alone, world::World};

over_http_alone!(
    public_pages_run_nothing_of_others_and_cannot_be_framed,
    one_document_can_describe_both_apis,
);

async fn public_pages_run_nothing_of_others_and_cannot_be_framed(world: &World) {
    for address in [world.auth_http(), world.tasks_http()] {
        let page = HttpRequest::new(Method::GET, "/docs").send(address).await;
        assert!(page.text("content-type").starts_with("text/html"), "{page:?}");
        // What the page is made of is described by the page itself.
        let text = String::from_utf8(page.body.to_vec()).expect("UTF-8");
        let quoted = text.split('"').skip(1).step_by(2);
        let parts = quoted.filter(|part| part.starts_with("/docs") || part.starts_with("docs"));
        let mut paths: Vec<_> = parts.map(|part| part.trim_start_matches('/')).collect();
        paths.extend(["docs", "health", "openapi.json"]);
        for path in paths {
            let reply = HttpRequest::new(Method::GET, &format!("/{path}")).send(address).await;
            assert_eq!(reply.status, StatusCode::OK, "{path}");
            assert_eq!(reply.text("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(reply.text("referrer-policy"), "no-referrer", "{path}");
            let policy = reply.text("content-security-policy");
            assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
            assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
            for careless in ["unsafe-inline", "unsafe-eval", "*", "http:", "https:", "data:"] {
                assert!(!policy.contains(careless), "{path}: {policy}");
            }
            assert!(!reply.headers.contains_key("set-cookie"), "{path}");
        }
        let inline = ["<script>", "onclick=", "onload=", "style=", "javascript:"];
        assert!(!inline.iter().any(|piece| text.contains(piece)), "{text}");
        assert!(!text.contains("https://"), "nothing from elsewhere: {text}");
    }
}

/// standalone joins them: a name must mean the same in both.
async fn one_document_can_describe_both_apis(world: &World) {
    let described = async |address| {
        let reply = HttpRequest::new(Method::GET, "/openapi.json").send(address).await;
        reply.json()["components"]["schemas"].as_object().expect("schemas").clone()
    };
    let of_auth = described(world.auth_http()).await;
    let of_tasks = described(world.tasks_http()).await;
    for (name, schema) in &of_auth {
        assert!(of_tasks.get(name).is_none_or(|other| other == schema), "{name}");
    }
}
