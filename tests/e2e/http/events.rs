//! Server-sent events, as a browser comes back to them.

use http::{Method, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;

use crate::{
    caller::SignedIn, exchange::Asked, scenarios::over_http_alone, wire::Problem, world::World,
};

over_http_alone!(
    a_browser_goes_on_behind_the_last_event_it_has,
    who_only_asks_whether_there_is_a_stream_gets_none,
);

fn watch(caller: &SignedIn, method: Method, query: &str) -> Asked {
    let path = format!("/api/{}/tasks/watch{query}", caller.id());
    Asked::new(method, &path).bearer(&caller.access_token)
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
    let (alice, door) = (world.alice().await, world.tasks_door());
    alice.create("first").await;
    let answer = watch(&alice, Method::GET, "").open(door).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let first = first_event(answer.into_body()).await;
    assert!(first.contains("event: changed") && first.contains("\"first\""), "{first}");
    alice.create("second").await;
    let again = watch(&alice, Method::GET, "").header("last-event-id", id(&first));
    let second = first_event(again.open(door).await.into_body()).await;
    assert!(second.contains("\"second\""), "{second}");
    alice.create("third").await;
    // It comes back to the very same address: what it has seen since counts more.
    let query = format!("?sync_token={}", id(&first));
    let again = watch(&alice, Method::GET, &query).header("last-event-id", id(&second));
    let third = first_event(again.open(door).await.into_body()).await;
    assert!(third.contains("\"third\""), "{third}");
    for bad in ["nonsense", "\"", "\u{e9}"] {
        let reply = watch(&alice, Method::GET, "").header("last-event-id", bad).send(door).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{bad}");
        let faults = Problem::read(&reply).faults;
        assert_eq!(faults.len(), 1, "{faults:?}");
    }
}

async fn who_only_asks_whether_there_is_a_stream_gets_none(world: &World) {
    let alice = world.alice().await;
    let reply = watch(&alice, Method::HEAD, "").send(world.tasks_door()).await;
    assert_eq!((reply.status, reply.body.len()), (StatusCode::OK, 0));
    assert_eq!(reply.text("content-type"), "text/event-stream");
}
