//! Both services in one process, on SQLite files unless told otherwise: `cargo run`, and
//! the pair is up.

mod secret;
mod settings;
mod welcome;

use std::{error::Error, process::ExitCode, sync::Arc};

use auth_service::{Mint, SessionsCommand};
use clap::{Parser, Subcommand};
use server::{App, Assembly, Start, cli::doctor::Report, telemetry};
use shared::{
    clock::SystemClock,
    config::{Env, Reader},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The auth-and-tasks pair in one process: accounts, sessions and tasks over
/// HTTP and gRPC.
///
/// Nothing has to be set: data goes to ./data, and where no BETTER_AUTH_SECRET is given
/// one is drawn and kept in data/secret. `.env.example` lists what can be set; the
/// databases are AUTH_DATABASE_URL and TASK_DATABASE_URL here.
#[derive(Parser)]
#[command(name = "standalone", version)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until SIGTERM or Ctrl-C (the default)
    Serve,
    /// Print an access token for a user, signed with the secret in use
    Token(Mint),
    /// Act on sessions, while the server runs
    #[command(subcommand)]
    Sessions(SessionsCommand),
    /// Look at settings, databases, clock and hash cost, and say what to mend
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Take up a database of tasks that was restored from a backup; run it before the start
    ///
    /// Sync, page and resume tokens from before are refused, etags of lost changes match
    /// nothing, and deleted users are removed again.
    Restore,
    /// Exit with 0 if the server at GRPC_ADDR is ready, else with 1
    Health {
        /// If it is live, whatever it waits for
        #[arg(long)]
        live: bool,
    },
}

fn main() -> ExitCode {
    server::cli::exit::run("standalone", run(Cli::parse()))
}

async fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Token(mint) => token(&mint),
        Command::Sessions(command) => sessions(&command).await,
        Command::Doctor { json } => doctor(json).await,
        Command::Restore => restore().await,
        Command::Health { live } => {
            server::probe_own(Reader::new(&Env), settings::ADDRESSES, live).await
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let pair = settings::read(&mut reader)?;
    reader.warn_of_unread();
    let pair = reader.finish(pair)?;
    let start = Start {
        settings: &pair.auth.server,
        databases: &[&pair.auth.database, &pair.tasks.database],
        doors: vec![auth_service::closed_door()],
    };
    let clock = Arc::new(SystemClock);
    let assemble = async |assembly: &mut Assembly| -> Result<(), StartError> {
        auth_service::assemble(&pair.auth, clock.clone(), assembly).await?;
        Ok(task_service::assemble(&pair.tasks, clock.clone(), assembly).await?)
    };
    let listening = |app: &App| {
        welcome::print(app.grpc_addr(), app.http_addr(), pair.drawn);
        app.announce(Some(pair.auth.keys.signing_id()));
    };
    start.serve(assemble, listening).await
}

/// One of the two could not be started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Auth(#[from] auth_service::StartError),
    #[error(transparent)]
    Tasks(#[from] task_service::StartError),
}

#[expect(clippy::print_stdout, reason = "the token is what was asked for")]
fn token(mint: &Mint) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let keys = settings::known_keys(&mut reader)?;
    let policy = settings::policy(&mut reader);
    let (keys, policy) = reader.finish(keys.zip(policy))?;
    println!("{}", mint.mint(keys, policy)?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was done is what the operator reads")]
async fn sessions(command: &SessionsCommand) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let database = settings::auth_database(&mut reader);
    let ended = command.run(&reader.finish(database)?).await?;
    println!("sessions ended: {ended}");
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what was done is what the operator reads")]
async fn restore() -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    let database = settings::task_database(&mut reader);
    task_service::restore(&reader.finish(database)?).await?;
    println!("the database of tasks is taken up");
    Ok(())
}

async fn doctor(as_json: bool) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let mut report = Report::default();
    // A look draws no secret.
    let known = settings::known_keys(&mut reader)?;
    let pair = if known.is_some() { settings::read(&mut reader)? } else { None };
    report.unread_settings(&reader.unread());
    match reader.finish(pair) {
        Ok(pair) => {
            settings::examine_secret_file(&Reader::new(&Env), &mut report);
            auth_service::examine(&pair.auth, &Env, &mut report).await;
            task_service::examine(&pair.tasks, &mut report).await;
        }
        Err(faults) => report.faulty_settings(&faults),
    }
    Ok(report.tell(as_json)?)
}
