//! Both services in one process, on SQLite files unless told otherwise: `cargo run`, and
//! the pair is up.

#[cfg(test)]
mod documents_tests;
mod secret;
mod settings;
mod welcome;

use std::{error::Error, process::ExitCode, sync::Arc};

use auth_service::Signing;
use clap::Subcommand;
use server::{
    Addresses, App, Assembly, Start,
    cli::{self, Program, doctor::Report},
    db::DatabaseUrl,
};
use shared::{
    clock::SystemClock,
    config::{Env, Reader, Row},
};

use self::settings::Pair;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct Standalone;

/// The commands of both services.
#[derive(Subcommand)]
enum Command {
    #[command(flatten)]
    Auth(auth_service::Command),
    #[command(flatten)]
    Tasks(task_service::Command),
}

impl Program for Standalone {
    type Command = Command;
    type Config = Pair;
    const NAME: &'static str = "standalone";
    const ABOUT: &'static str = "\
The auth-and-tasks pair in one process: accounts, sessions and tasks over HTTP and gRPC

Nothing has to be set: data goes to ./data, and where no BETTER_AUTH_SECRET is given one is drawn
and kept in data/secret. The databases are AUTH_DATABASE_URL and TASK_DATABASE_URL here.";
    const ADDRESSES: Addresses = settings::ADDRESSES;

    fn settings() -> Vec<Row> {
        settings::rows()
    }

    fn read(reader: &mut Reader<'_, Env>) -> Result<Option<Pair>, Box<dyn Error>> {
        Ok(settings::read(reader)?)
    }

    /// A look draws no secret.
    fn read_for_doctor(reader: &mut Reader<'_, Env>) -> Result<Option<Pair>, Box<dyn Error>> {
        let known = settings::known_keys(reader)?;
        Ok(if known.is_some() { settings::read(reader)? } else { None })
    }

    async fn serve(pair: Pair) -> Result<(), Box<dyn Error>> {
        let start = Start {
            settings: &pair.auth.server,
            databases: &[&pair.auth.database, &pair.tasks.database],
            routers: vec![auth_service::closed_router()],
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

    async fn examine(pair: Pair, report: &mut Report) {
        settings::examine_secret_file(&Reader::new(&Env), report);
        auth_service::examine(&pair.auth, &Env, report).await;
        task_service::examine(&pair.tasks, report).await;
    }

    async fn run(command: Command) -> Result<(), Box<dyn Error>> {
        match command {
            Command::Auth(command) => command.run::<Self>().await,
            Command::Tasks(command) => command.run::<Self>().await,
        }
    }
}

impl auth_service::Sources for Standalone {
    fn signing(reader: &mut Reader<'_, Env>) -> Result<Option<Signing>, Box<dyn Error>> {
        let keys = settings::known_keys(reader)?;
        Ok(keys.zip(settings::policy(reader)))
    }

    fn accounts(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl> {
        settings::auth_database(reader)
    }
}

impl task_service::Sources for Standalone {
    fn tasks(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl> {
        settings::task_database(reader)
    }
}

/// One of the two could not be started.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Auth(#[from] auth_service::StartError),
    #[error(transparent)]
    Tasks(#[from] task_service::StartError),
}

fn main() -> ExitCode {
    cli::main::<Standalone>()
}
