//! The task-service binary: settings, serve, stop. `--help` tells the rest.

use std::{error::Error, process::ExitCode, sync::Arc};

use clap::{Parser, Subcommand};
use server::{
    Assembly, Start,
    cli::doctor::{self, Report},
    telemetry,
};
use shared::{
    clock::SystemClock,
    config::{Env, Reader},
    origin::Origin,
};
use task_service::{ADDRESSES, Config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the help says beneath the options.
const SETTINGS: &str = "\
Settings are environment variables; .env.example lists them all. The most important:
  BETTER_AUTH_SECRET  the secret that access tokens are signed with (required)
  BETTER_AUTH_URL     the address that browsers use (required)
  DATABASE_URL        sqlite://... or postgres://... [default: sqlite://data/tasks.db]
  GRPC_ADDR           address and port of gRPC [default: 127.0.0.1:50052]
  HTTP_ADDR           address and port of HTTP, or `off` [default: 127.0.0.1:8002]
  RUST_LOG            what is logged [default: info]";

/// Keeps each user's own tasks and serves them over gRPC and HTTP.
#[derive(Parser)]
#[command(name = "task-service", version, after_help = SETTINGS)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C (the default)
    Serve,
    /// Look at settings, database and clocks, and say what to mend
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take up a database that was restored from a backup; run it before the first start
    ///
    /// Sync, page and resume tokens from before are refused, etags of lost changes match
    /// nothing, and auth-service has deleted users removed again.
    Restore,
    /// Exit with 0 if the server at GRPC_ADDR is ready, else with 1
    Health {
        /// If it is live, whatever it waits for
        #[arg(long)]
        live: bool,
    },
}

fn main() -> ExitCode {
    server::cli::exit::run("task-service", run(Cli::parse()))
}

async fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Doctor { json } => doctor(json).await,
        Command::Restore => restore().await,
        Command::Health { live } => server::probe_own(Reader::new(&Env), ADDRESSES, live).await,
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let config = Config::read(&mut reader);
    reader.warn_of_unread();
    let config = reader.finish(config)?;
    let start =
        Start { settings: &config.server, databases: &[&config.database], doors: Vec::new() };
    let clock = Arc::new(SystemClock);
    let assemble = async |assembly: &mut Assembly| {
        task_service::assemble(&config, clock.clone(), assembly).await
    };
    let keys = &config.keys;
    let key_id = keys.is_known().then(|| keys.signing_id());
    start.serve(assemble, |app| app.announce(key_id)).await
}

#[expect(clippy::print_stdout, reason = "what was done is what the operator reads")]
async fn restore() -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let database = Config::read_database(&mut reader);
    task_service::restore(&reader.finish(database)?).await?;
    println!("the database of tasks is taken up");
    Ok(())
}

async fn doctor(as_json: bool) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let config = Config::read(&mut reader);
    let own = Origin::read_own(&mut reader, None);
    let mut report = Report::default();
    report.unread_settings(&reader.unread());
    match reader.finish(config) {
        Ok(config) => {
            let trusted = &config.server.trusted_origins;
            doctor::settings(&mut report, &config.keys, &config.policy, own.as_ref(), trusted);
            doctor::strength(&mut report, &Reader::new(&Env));
            doctor::proxies(&mut report, &config.server.trusted_proxies);
            task_service::examine(&config, &mut report).await;
        }
        Err(faults) => report.faulty_settings(&faults),
    }
    Ok(report.tell(as_json)?)
}
