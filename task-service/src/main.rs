//! The task-service binary.

use std::{error::Error, process::ExitCode, sync::Arc};

use server::{
    Addresses, Assembly, Start,
    cli::{
        self, Program,
        doctor::{self, Report},
    },
    db::DatabaseUrl,
};
use shared::{
    clock::SystemClock,
    config::{Env, Reader, Row},
    origin::{BETTER_AUTH_URL, Origin},
};
use task_service::{ADDRESSES, Config};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct TaskService;

impl Program for TaskService {
    type Command = task_service::Command;
    type Config = Config;
    const NAME: &'static str = "task-service";
    const ABOUT: &'static str = "\
Keeps each user's own tasks and serves them over gRPC and HTTP

Required are BETTER_AUTH_SECRET (the secret that access tokens are signed with) and
BETTER_AUTH_URL (the address that browsers use).";
    const ADDRESSES: Addresses = ADDRESSES;

    fn settings() -> Vec<Row> {
        Config::rows()
    }

    fn read(reader: &mut Reader<'_, Env>) -> Result<Option<Config>, Box<dyn Error>> {
        Ok(Config::read(reader))
    }

    async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
        let start =
            Start { settings: &config.server, databases: &[&config.database], routers: Vec::new() };
        let clock = Arc::new(SystemClock);
        let assemble = async |assembly: &mut Assembly| {
            task_service::assemble(&config, clock.clone(), assembly).await
        };
        let keys = &config.keys;
        let key_id = keys.is_configured().then(|| keys.signing_id());
        start.serve(assemble, |app| app.announce(key_id)).await
    }

    async fn examine(config: Config, report: &mut Report) {
        let server = &config.server;
        let own = Origin::read_own(&mut Reader::new(&Env), &BETTER_AUTH_URL);
        let trusted = &server.trusted_origins;
        doctor::settings(report, &config.keys, &config.policy, own.as_ref(), trusted);
        doctor::secret_strength(report, &Reader::new(&Env));
        doctor::server(report, server);
        task_service::examine(&config, report).await;
    }

    async fn run(command: task_service::Command) -> Result<(), Box<dyn Error>> {
        command.run::<Self>().await
    }
}

impl task_service::Sources for TaskService {
    fn tasks(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl> {
        Config::read_database(reader)
    }
}

fn main() -> ExitCode {
    cli::main::<TaskService>()
}
