//! Requests that are not what they claim to be are the caller's fault.

use proto::auth::v1::SignInRequest;
use tonic::Code;

use crate::{
    wire::{framed, status},
    world::{Server, assert_served, client, limits, sign_in, within},
};

const SIGN_IN: &str = "/auth.v1.AuthService/SignIn";

#[tokio::test]
async fn bytes_that_are_not_the_message_are_an_invalid_argument() {
    let server = Server::start(limits()).await;
    let mut connection = server.connect().await;
    for (case, body) in [
        ("a field cut short", &b"\x0a\x7fx"[..]),
        ("a number for a text", b"\x08\x01"),
        ("invalid UTF-8 in a text", b"\x0a\x02\xff\xfe"),
        ("an unknown wire type", b"\x0f"),
        ("field number zero", b"\x02\x00"),
        ("a key without an end", b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
        ("JSON", br#"{"email":"a"}"#),
    ] {
        let response = connection.post(SIGN_IN, &[], &framed(body)).await.expect("an answer");
        let status = status(&response);
        assert_eq!(status.code(), Code::InvalidArgument, "{case}: {status}");
    }
    assert_served(&mut client(connection)).await;
}

#[tokio::test]
async fn unknown_fields_are_skipped() {
    let server = Server::start(limits()).await;
    let mut connection = server.connect().await;
    let body = framed(b"\x0a\x04echo\x12\x05token\xa2\x06\x01x");
    let response = connection.post(SIGN_IN, &[], &body).await.expect("an answer");
    assert!(!response.headers().contains_key("grpc-status"), "{response:?}");
}

/// 64 KiB, to the byte. tonic's word for more is OUT_OF_RANGE.
#[tokio::test]
async fn a_message_beyond_the_limit_is_out_of_range() {
    let server = Server::start(limits()).await;
    let mut client = server.client().await;
    // Two keys, a length of one byte and one of three, and the e-mail's four letters.
    let around = 2 + 1 + 3 + 4;
    for (length, code) in [
        (64 * 1024 - around, None),
        (64 * 1024 - around + 1, Some(Code::OutOfRange)),
        (1024 * 1024, Some(Code::OutOfRange)),
    ] {
        let request = SignInRequest { password: "x".repeat(length), ..sign_in("echo") };
        let response = within(client.sign_in(request)).await;
        assert_eq!(response.err().map(|status| status.code()), code, "{length}");
    }
    assert_served(&mut client).await;
}

/// The announcement is enough: nothing is allocated for it, nothing waited for. It holds
/// for health as well, which anybody may call.
#[tokio::test]
async fn an_announced_length_beyond_the_limit_is_out_of_range() {
    let server = Server::start(limits()).await;
    let mut connection = server.connect().await;
    for path in [SIGN_IN, "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"] {
        for length in [64 * 1024 + 1, 100 * 1024 * 1024, u32::MAX] {
            let body = [&[0][..], &length.to_be_bytes(), b"x"].concat();
            let response = connection.post(path, &[], &body).await.expect("an answer");
            assert_eq!(status(&response).code(), Code::OutOfRange, "{path}: {length}");
        }
    }
    assert_served(&mut client(connection)).await;
}

#[tokio::test]
async fn an_unknown_method_is_unimplemented() {
    let server = Server::start(limits()).await;
    let mut connection = server.connect().await;
    for path in [
        "/auth.v1.AuthService/Nothing",
        "/auth.v1.AuthService/signIn",
        "/auth.v1.AuthService/",
        "/auth.v1.AuthService",
        "/auth.v1.Nobody/SignIn",
        "/task.v1.TaskService/GetTask",
        "/",
        "//auth.v1.AuthService/SignIn",
        "/auth.v1.AuthService/SignIn/",
        "/auth.v1.AuthService/../SignIn",
    ] {
        let response = connection.post(path, &[], &framed(b"")).await.expect("an answer");
        assert_eq!(status(&response).code(), Code::Unimplemented, "{path}");
    }
    assert_served(&mut client(connection)).await;
}
/// Where gRPC's own framing is broken there is no message to blame: the protocol says
/// INTERNAL (its compression rules) or UNIMPLEMENTED (a coding we do not have).
#[tokio::test]
async fn broken_framing_costs_one_call() {
    let server = Server::start(limits()).await;
    let mut connection = server.connect().await;
    let none: &[(&str, &str)] = &[];
    for (case, headers, body, code) in [
        ("no message", none, &b""[..], Code::InvalidArgument),
        ("a cut head", none, b"\0\0", Code::InvalidArgument),
        ("a cut body", none, b"\0\0\0\0\x09x", Code::InvalidArgument),
        ("compressed, it does not say how", none, b"\x01\0\0\0\0", Code::InvalidArgument),
        ("an unknown flag", none, b"\x07\0\0\0\0", Code::InvalidArgument),
        ("gzip", &[("grpc-encoding", "gzip")], b"\x01\0\0\0\0", Code::Unimplemented),
    ] {
        let response = connection.post(SIGN_IN, headers, body).await.expect("an answer");
        assert_eq!(status(&response).code(), code, "{case}");
    }
    assert_served(&mut client(connection)).await;
}
