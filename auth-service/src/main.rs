//! The auth-service binary.

use std::{error::Error, process::ExitCode, sync::Arc};

use auth_service::{ADDRESSES, Config, Signing};
use server::{
    Addresses, Assembly, Start,
    cli::{self, Program, doctor::Report},
    db::DatabaseUrl,
};
use shared::{
    auth::{Keyring, TokenPolicy},
    clock::SystemClock,
    config::{Env, Reader, Row},
    origin::BETTER_AUTH_URL,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct AuthService;

impl Program for AuthService {
    type Command = auth_service::Command;
    type Config = Config;
    const NAME: &'static str = "auth-service";
    const ABOUT: &'static str = "\
Accounts and sessions for Better Auth frontends, over HTTP and gRPC

Required are BETTER_AUTH_SECRET (at least 32 random characters, shared with task-service) and
BETTER_AUTH_URL (the address that browsers use).";
    const ADDRESSES: Addresses = ADDRESSES;

    fn settings() -> Vec<Row> {
        Config::rows()
    }

    fn read(reader: &mut Reader<'_, Env>) -> Result<Option<Config>, Box<dyn Error>> {
        Ok(Config::read(reader))
    }

    async fn serve(config: Config) -> Result<(), Box<dyn Error>> {
        let start = Start {
            settings: &config.server,
            databases: &[&config.database],
            routers: vec![auth_service::closed_router()],
        };
        let clock = Arc::new(SystemClock);
        let assemble = async |assembly: &mut Assembly| {
            auth_service::assemble(&config, clock.clone(), assembly).await
        };
        start.serve(assemble, |app| app.announce(Some(config.keys.signing_id()))).await
    }

    async fn examine(config: Config, report: &mut Report) {
        auth_service::examine(&config, &Env, report).await;
    }

    async fn run(command: auth_service::Command) -> Result<(), Box<dyn Error>> {
        command.run::<Self>().await
    }
}

impl auth_service::Sources for AuthService {
    fn signing(reader: &mut Reader<'_, Env>) -> Result<Option<Signing>, Box<dyn Error>> {
        let keys = Keyring::read(reader).map(Arc::new);
        Ok(keys.zip(TokenPolicy::read(reader, &BETTER_AUTH_URL)))
    }

    fn accounts(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl> {
        Config::read_database(reader)
    }
}

fn main() -> ExitCode {
    cli::main::<AuthService>()
}
