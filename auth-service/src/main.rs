//! The auth-service binary: settings, serve, stop. `--help` tells the rest.

use std::{error::Error, process::ExitCode, sync::Arc};

use auth_service::{ADDRESSES, Config, Mint, SessionsCommand};
use clap::{Parser, Subcommand};
use server::{Assembly, Start, cli::doctor::Report, telemetry};
use shared::{
    auth::{Keyring, TokenPolicy},
    clock::SystemClock,
    config::{Env, Reader},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Accounts and sessions for Better Auth frontends, over HTTP and gRPC.
///
/// Settings are environment variables; `.env.example` lists them all. Required are
/// BETTER_AUTH_SECRET (at least 32 random characters, shared with task-service) and
/// BETTER_AUTH_URL (the address that browsers use).
#[derive(Parser)]
#[command(name = "auth-service", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C (the default)
    Serve,
    /// Print an access token for a user, signed with the configured secret
    Token(Mint),
    /// Act on sessions, while servers run
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Look at settings, database, clocks and hash cost, and say what to mend
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Exit with 0 if the server at GRPC_ADDR is ready, else with 1
    Health {
        /// If it is live, whatever it waits for
        #[arg(long)]
        live: bool,
    },
}

fn main() -> ExitCode {
    server::cli::exit::run("auth-service", run(Cli::parse()))
}

async fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Token(mint) => token(&mint),
        Command::Sessions(command) => sessions(&command).await,
        Command::Doctor { json } => doctor(json).await,
        Command::Health { live } => server::probe_own(Reader::new(&Env), ADDRESSES, live).await,
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let config = Config::read(&mut reader);
    reader.warn_of_unread();
    let config = reader.finish(config)?;
    let start = Start {
        settings: &config.server,
        databases: &[&config.database],
        doors: vec![auth_service::closed_door()],
    };
    let clock = Arc::new(SystemClock);
    let assemble = async |assembly: &mut Assembly| {
        auth_service::assemble(&config, clock.clone(), assembly).await
    };
    start.serve(assemble, |app| app.announce(Some(config.keys.signing_id()))).await
}

#[expect(clippy::print_stdout, reason = "the token is what was asked for")]
fn token(mint: &Mint) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let keys = Keyring::read(&mut reader);
    let policy = TokenPolicy::read(&mut reader, None);
    let (keys, policy) = reader.finish(keys.zip(policy))?;
    println!("{}", mint.mint(Arc::new(keys), policy)?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was done is what the operator reads")]
async fn sessions(command: &SessionsCommand) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let database = Config::read_database(&mut reader);
    let ended = command.run(&reader.finish(database)?).await?;
    println!("sessions ended: {ended}");
    Ok(())
}

async fn doctor(as_json: bool) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let config = Config::read(&mut reader);
    let mut report = Report::default();
    report.unread_settings(&reader.unread());
    match reader.finish(config) {
        Ok(config) => {
            auth_service::examine(&config, &Env, &mut report).await;
        }
        Err(faults) => report.faulty_settings(&faults),
    }
    Ok(report.tell(as_json)?)
}
