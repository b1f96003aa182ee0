//! A task service without a database: what is left is the cost of the server, and of the
//! gate in front of it. `tests/bench/run.py` measures it with and without.

mod service;
mod stub;

use std::{error::Error, process::ExitCode, sync::Arc};

use clap::{Parser, ValueEnum};
use proto::task::v1::task_service_server::TaskServiceServer;
use server::{Addresses, Assembly, MAX_REQUEST_BYTES, Settings, telemetry};
use shared::{
    auth::{Gate, Keyring, TokenPolicy, TokenVerifier},
    clock::SystemClock,
    config::{Env, Reader},
    origin::BETTER_AUTH_URL,
};

use crate::{service::Service, stub::Stub};

// As in the services: a difference in allocators would be taken for one in the server.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The stub service: answers every list with 20 tasks from memory.
///
/// Settings are those of task-service; no database is opened.
#[derive(Parser)]
#[command(name = "bench-stub")]
struct Cli {
    /// Whether the gate is in front of the service
    #[arg(long, value_enum)]
    gate: Switch,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    server::cli::exit::code("bench-stub", serve(cli.gate).await)
}

async fn serve(gate: Switch) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let keys = Keyring::read(&mut reader).map(Arc::new);
    let policy = TokenPolicy::read(&mut reader, &BETTER_AUTH_URL);
    let any = Addresses::by_default("127.0.0.1:0", "127.0.0.1:0");
    let settings = Settings::read(&mut reader, &any);
    let (keys, policy) = reader.finish(keys.zip(policy))?;

    let mut assembly = Assembly::default();
    let guarded = gate == Switch::On;
    let service = TaskServiceServer::new(Service(Stub::new(guarded)))
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    if guarded {
        let verifier = TokenVerifier::new(keys, policy, Arc::new(SystemClock));
        assembly.add(Gate::new(verifier).guard(service));
    } else {
        assembly.add(service);
    }
    let app = assembly.bind(&settings).await?;
    announce(&app.grpc_addr().to_string());
    app.run(server::termination_signal()?).await;
    Ok(())
}

#[expect(clippy::print_stderr, reason = "the harness waits for it, at every RUST_LOG")]
fn announce(address: &str) {
    eprintln!("listening grpc={address}");
}
