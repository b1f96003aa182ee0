//! The floor: what the same stack costs with nothing of ours in it. The same crates on the tables of
//! task-service, one prepared statement a call, a token check of its own, no limits, no logs.
//! `tests/bench/run.py` measures task-service against it.

mod grpc;
mod http;
#[path = "../service.rs"]
mod service;
mod store;
mod token;

use std::{env, error::Error};

use proto::task::v1::task_service_server::TaskServiceServer;
use tokio::net::TcpListener;
use tonic::transport::{Server, server::TcpIncoming};

use crate::{grpc::Floor, service::Service, store::Store, token::Verifier};

// As in the services: a difference in allocators would be taken for one in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[expect(clippy::disallowed_methods, reason = "the floor has no settings of ours")]
#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = Store::open(&env::var("DATABASE_URL")?).await?;
    let verifier = Verifier::new(&env::var("BETTER_AUTH_SECRET")?)?;
    let grpc = TcpListener::bind("127.0.0.1:0").await?;
    let http = TcpListener::bind("127.0.0.1:0").await?;
    announce(&format!("grpc={} http={}", grpc.local_addr()?, http.local_addr()?));

    let service = Service(Floor { store: store.clone(), verifier: verifier.clone() });
    let grpc = TcpIncoming::from(grpc).with_nodelay(Some(true));
    let grpc =
        Server::builder().add_service(TaskServiceServer::new(service)).serve_with_incoming(grpc);
    let http = axum::serve(http, http::router(store, verifier));
    tokio::select! {
        done = grpc => done?,
        done = http => done?,
        done = tokio::signal::ctrl_c() => done?,
    }
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the harness waits for it")]
fn announce(addresses: &str) {
    eprintln!("listening {addresses}");
}
