//! Server reflection, in both versions, and without it.

use futures_util::{StreamExt, stream};
use tonic::{Code, Status};
use tonic_reflection::pb::{v1, v1alpha};

use crate::{
    wire::{Connection, origin},
    world::{Server, limits, within},
};

/// The services that version 1 lists; none if the server disconnects without a response.
async fn list_v1(connection: &Connection, host: &str) -> Result<Vec<String>, Status> {
    use v1::{
        ServerReflectionRequest as Request, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = Request { host: host.to_owned(), message_request };
    let mut client = ServerReflectionClient::with_origin(connection.clone(), origin());
    let request = client.server_reflection_info(stream::iter([request]));
    let mut responses = within(request).await?.into_inner();
    let Some(response) = within(responses.next()).await.transpose()? else { return Ok(Vec::new()) };
    let Some(MessageResponse::ListServicesResponse(list)) = response.message_response else {
        panic!("another answer: {response:?}");
    };
    Ok(list.service.into_iter().map(|service| service.name).collect())
}

/// The services that version 1 alpha lists.
async fn list_v1alpha(connection: &Connection, host: &str) -> Result<Vec<String>, Status> {
    use v1alpha::{
        ServerReflectionRequest as Request, server_reflection_client::ServerReflectionClient,
        server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
    };
    let message_request = Some(MessageRequest::ListServices(String::new()));
    let request = Request { host: host.to_owned(), message_request };
    let mut client = ServerReflectionClient::with_origin(connection.clone(), origin());
    let request = client.server_reflection_info(stream::iter([request]));
    let mut responses = within(request).await?.into_inner();
    let Some(response) = within(responses.next()).await.transpose()? else { return Ok(Vec::new()) };
    let Some(MessageResponse::ListServicesResponse(list)) = response.message_response else {
        panic!("another answer: {response:?}");
    };
    Ok(list.service.into_iter().map(|service| service.name).collect())
}

#[tokio::test]
async fn both_versions_list_what_this_port_serves() {
    let server = Server::start(limits()).await;
    let connection = server.connect().await;
    for listed in [list_v1(&connection, "").await, list_v1alpha(&connection, "").await] {
        let mut listed = listed.expect("a list");
        listed.sort();
        assert_eq!(listed, ["auth.v1.AuthService", "grpc.health.v1.Health",]);
    }
}

#[tokio::test]
async fn reflection_can_be_switched_off() {
    let server = Server::start_with(limits(), false).await;
    let connection = server.connect().await;
    for listed in [list_v1(&connection, "").await, list_v1alpha(&connection, "").await] {
        assert_eq!(listed.expect_err("off").code(), Code::Unimplemented);
    }
}

/// Reflection needs no token, so requests are small.
#[tokio::test]
async fn reflection_requests_have_the_common_size_limit() {
    let server = Server::start(limits()).await;
    let connection = server.connect().await;
    let (small, large) = ("x".repeat(60 * 1024), "x".repeat(64 * 1024));
    for (host, answered) in [(&small, true), (&large, false)] {
        for listed in [list_v1(&connection, host).await, list_v1alpha(&connection, host).await] {
            let listed = listed.expect("a list, or none");
            assert_eq!(!listed.is_empty(), answered, "{} bytes", host.len());
        }
    }
}
