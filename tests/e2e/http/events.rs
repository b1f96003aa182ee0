//! Server-sent events, and a browser's reconnection.

use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::{
    caller::SignedIn, exchange::HttpRequest, scenarios::over_http_alone, wire::Problem,
    world::World,
};

over_http_alone!(a_browser_goes_on_behind_the_last_event_it_has, a_head_request_gets_no_stream,);

fn watch(caller: &SignedIn, method: Method, query: &str) -> HttpRequest {
    let path = format!("/api/{}/tasks/watch{query}", caller.id());
    HttpRequest::new(method, &path).bearer(&caller.access_token)
}

/// Everything up to the end of the first event.
async fn first_event(mut body: Incoming) -> String {
    let mut heard = String::new();
    loop {
        let event = heard.split("\n\n").find(|block| block.contains("event: "));
        if let Some(event) = event.filter(|_| heard.ends_with("\n\n")) {
            return event.to_owned();
        }
        let frame = body.frame().await.expect("it goes on").expect("a frame");
        heard.push_str(std::str::from_utf8(frame.data_ref().expect("data")).expect("UTF-8"));
    }
}

fn id(event: &str) -> &str {
    event.lines().find_map(|line| line.strip_prefix("id: ")).expect("an id")
}

async fn a_browser_goes_on_behind_the_last_event_it_has(world: &World) {
    let (alice, address) = (world.alice().await, world.tasks_http());
    alice.create("first").await;
    let answer = watch(&alice, Method::GET, "").open(address).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let first = first_event(answer.into_body()).await;
    assert!(first.contains("event: changed") && first.contains("\"first\""), "{first}");
    alice.create("second").await;
    let again = watch(&alice, Method::GET, "").header("last-event-id", id(&first));
    let second = first_event(again.open(address).await.into_body()).await;
    assert!(second.contains("\"second\""), "{second}");
    alice.create("third").await;
    // It reconnects to the same address: the last event it has seen counts more.
    let query = format!("?sync_token={}", id(&first));
    let again = watch(&alice, Method::GET, &query).header("last-event-id", id(&second));
    let third = first_event(again.open(address).await.into_body()).await;
    assert!(third.contains("\"third\""), "{third}");
    for bad in ["nonsense", "\"", "\u{e9}"] {
        let reply = watch(&alice, Method::GET, "").header("last-event-id", bad).send(address).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{bad}");
        let faults = Problem::read(&reply).faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}

async fn a_head_request_gets_no_stream(world: &World) {
    let alice = world.alice().await;
    let reply = watch(&alice, Method::HEAD, "").send(world.tasks_http()).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, 0));
    assert_eq!(reply.text("content-type"), "text/event-stream");
}
