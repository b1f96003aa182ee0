//! Malformed calls: a precise code, and never one that blames the server.

use server::MAX_REQUEST_BYTES;
use tonic::Code;

use crate::{
    answer::Refused,
    raw::{self, INVALID, framed},
    scenarios::over_grpc_alone,
    world::{World, channel},
};

const SIGN_IN: &str = "/auth.v1.AuthService/SignIn";
const LIST: &str = "/task.v1.TaskService/ListTasks";

/// The headers of every gRPC call.
const GRPC: (&str, &str) = ("content-type", "application/grpc");

over_grpc_alone!(
    because "HTTP has routes, and tests of its own in `http`":
    bytes_that_are_no_message_are_the_callers_fault,
    a_message_over_the_limit_is_refused_and_one_at_the_limit_is_read,
    a_broken_frame_costs_one_call_and_no_more,
    unknown_services_and_methods_are_unimplemented,
    other_content_than_grpc_is_refused,
);

async fn bytes_that_are_no_message_are_the_callers_fault(world: &World) {
    let alice = world.alice().await;
    let bearer = format!("Bearer {}", alice.access_token);
    let truncated: &[u8] = &[0x0a, 0x7f, b'x'];
    let not_utf8: &[u8] = &[0x0a, 0x02, 0xc3, 0x28];
    let wrong_type: &[u8] = &[0x08, 0x01];
    let endless_number: &[u8] = &[&[0x10][..], &[0xff; 16]].concat();
    for bytes in [INVALID, truncated, not_utf8, wrong_type, endless_number, &[0xff; 32]] {
        let answer = raw::call(&channel(world.auth_grpc()), SIGN_IN, None, bytes).await;
        assert!(answer.faulty().is_empty(), "no field was read: {bytes:?}");
        let answer = raw::call(&channel(world.tasks_grpc()), LIST, Some(&bearer), bytes).await;
        assert!(answer.faulty().is_empty(), "no field was read: {bytes:?}");
    }
}

async fn a_message_over_the_limit_is_refused_and_one_at_the_limit_is_read(world: &World) {
    let alice = world.alice().await;
    let bearer = format!("Bearer {}", alice.access_token);
    // An unknown field of any length is a valid message: field 15, length-delimited.
    let message = |length: usize| {
        let content = length - 4;
        let mut bytes = vec![0x7a];
        let groups = [content & 0x7f | 0x80, content >> 7 & 0x7f | 0x80, content >> 14];
        bytes.extend(groups.map(|group| u8::try_from(group).expect("seven bits")));
        bytes.resize(length, b'x');
        bytes
    };
    for (channel, path, authorization, at_the_limit) in [
        (channel(world.auth_grpc()), SIGN_IN, None, Code::InvalidArgument),
        (channel(world.tasks_grpc()), LIST, Some(bearer.as_str()), Code::PermissionDenied),
    ] {
        let largest = message(MAX_REQUEST_BYTES);
        let answer = raw::call(&channel, path, authorization, &largest).await;
        assert_eq!(answer.status().code(), at_the_limit, "{path}");
        for length in [MAX_REQUEST_BYTES + 1, 1 << 20] {
            let answer = raw::call(&channel, path, authorization, &message(length)).await;
            let code = answer.status().code();
            let precise = [Code::OutOfRange, Code::ResourceExhausted, Code::InvalidArgument];
            assert!(precise.contains(&code), "{path} {length}: {code:?}");
        }
    }
}

/// tonic answers broken frames itself, in the protocol's words; what matters here is that
/// none of them is answered with OK, and that the connection and the server live on.
async fn a_broken_frame_costs_one_call_and_no_more(world: &World) {
    let alice = world.alice().await;
    let channel = channel(world.auth_grpc());
    for (what, body) in [
        ("no message", Vec::new()),
        ("half a frame head", vec![0, 0, 0]),
        ("less than announced", framed(0, 100, b"x")),
        ("a gigabyte announced", framed(0, 1 << 30, b"x")),
        ("an unknown flag", framed(7, 0, b"")),
        ("compressed, without the encoding", framed(1, 0, b"")),
        ("two messages", [framed(0, 0, b""), framed(0, 0, b"")].concat()),
    ] {
        let code = raw::exchange(&channel, SIGN_IN, &[GRPC], &body).await;
        assert!(code.is_none_or(|code| ![Code::Ok, Code::Unknown].contains(&code)), "{what}");
    }
    let unknown = [GRPC, ("grpc-encoding", "zstd-9")];
    let code = raw::exchange(&channel, SIGN_IN, &unknown, &framed(1, 1, b"x")).await;
    assert_eq!(code, Some(Code::Unimplemented), "an unknown compression");
    let answer = raw::call(&channel, SIGN_IN, None, &[]).await;
    assert_eq!(answer.faulty(), ["email", "password"]);
    assert!(alice.session_lives().await);
}

async fn unknown_services_and_methods_are_unimplemented(world: &World) {
    let alice = world.alice().await;
    let bearers = [
        None,
        Some(format!("Bearer {}", alice.access_token)),
        Some(format!("Bearer {}", alice.session_token)),
    ];
    for path in ["/nobody.v1.Service/Method", "/", "/x", "/auth.v1.AuthService", "//", "/a/b/c"] {
        for channel in [channel(world.auth_grpc()), channel(world.tasks_grpc())] {
            for bearer in &bearers {
                let answer = raw::call(&channel, path, bearer.as_deref(), &[]).await;
                assert_eq!(answer.status().code(), Code::Unimplemented, "{path}");
            }
        }
    }
    let answer =
        raw::call(&channel(world.auth_grpc()), "/auth.v1.AuthService/Nothing", None, &[]).await;
    assert_eq!(answer.status().code(), Code::Unimplemented);
    // A guarded service does not name missing rpcs to a caller without a credential.
    for (channel, service, bearer) in [
        (channel(world.tasks_grpc()), "/task.v1.TaskService/Nothing", &bearers[1]),
        (channel(world.auth_grpc()), "/auth.v1.SessionService/Nothing", &bearers[2]),
    ] {
        let answer = raw::call(&channel, service, None, &[]).await;
        answer.refused(Code::Unauthenticated, "MISSING_TOKEN");
        let answer = raw::call(&channel, service, bearer.as_deref(), &[]).await;
        assert_eq!(answer.status().code(), Code::Unimplemented, "{service}");
    }
}

/// JSON is never taken for a message, whatever it is sent as.
async fn other_content_than_grpc_is_refused(world: &World) {
    for content in ["application/json", "text/plain", "application/grpc-web", "application/grpcx"] {
        let headers = [("content-type", content)];
        let json = br#"{"email": "ada@example.com", "password": "tulips and rain"}"#;
        let code = raw::exchange(&channel(world.auth_grpc()), SIGN_IN, &headers, json).await;
        assert!(code.is_none_or(|code| ![Code::Ok, Code::Unknown].contains(&code)), "{content}");
    }
}
