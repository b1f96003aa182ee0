//! The readiness of a server that waits for an event: it serves, and reports that it is not
//! ready.

use server::Assembly;
use tokio::sync::oneshot;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use crate::{
    wire::{Connection, origin},
    world::{Server, assert_served, limits, until, within},
};

async fn health(connection: &Connection, service: &str) -> ServingStatus {
    let mut client = HealthClient::with_origin(connection.clone(), origin());
    let request = HealthCheckRequest { service: service.to_owned() };
    within(client.check(request)).await.expect("a known service").into_inner().status()
}

/// Also before the first moment: no balancer sees a service that is not known, or ready.
#[tokio::test]
async fn readiness_comes_with_the_last_awaited_event() {
    let mut assembly = Assembly::default();
    let (first, second) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    for event in [first.1, second.1] {
        assembly.ready_after(async {
            let _ = event.await;
        });
    }
    let server = Server::start_beside(assembly, limits(), true).await;
    let probe = server.connect().await;
    for name in ["", "readiness", "auth.v1.AuthService"] {
        assert_eq!(health(&probe, name).await, ServingStatus::NotServing);
    }
    assert_eq!(health(&probe, "liveness").await, ServingStatus::Serving);
    assert_served(&mut server.client().await).await;
    second.0.send(()).expect("awaited");
    assert_eq!(health(&probe, "").await, ServingStatus::NotServing);
    first.0.send(()).expect("awaited");
    for name in ["", "auth.v1.AuthService"] {
        until(async || health(&probe, name).await == ServingStatus::Serving).await;
    }
}
