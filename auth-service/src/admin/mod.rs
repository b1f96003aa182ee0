//! Admin commands: for an operator at a shell, beside running servers.

mod doctor;
mod sessions;
mod token;

use std::{error::Error, sync::Arc};

use clap::Subcommand;
use server::db::DatabaseUrl;
use shared::{
    auth::{Keyring, TokenPolicy},
    config::{Env, Reader},
};

pub use self::{doctor::examine, sessions::AdminError};
use self::{sessions::SessionsCommand, token::Token};

/// Commands of every program that holds the accounts.
#[derive(Subcommand)]
pub enum Command {
    /// Print an access token for a user, signed with the secret in use
    Token(Token),
    /// Act on sessions, while servers run
    #[command(subcommand)]
    Sessions(SessionsCommand),
}

/// The secrets in use and the rules for tokens.
pub type Signing = (Arc<Keyring>, TokenPolicy);

/// The configuration that the commands of a program need.
pub trait Sources {
    /// The keys and rules of tokens; `None`: a fault was recorded.
    fn signing(reader: &mut Reader<'_, Env>) -> Result<Option<Signing>, Box<dyn Error>>;

    /// The database of accounts; `None`: a fault was recorded.
    fn accounts(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl>;
}

impl Command {
    /// Runs the command and prints its result.
    #[expect(clippy::print_stdout, reason = "an operator reads it, or a script")]
    pub async fn run<S: Sources>(self) -> Result<(), Box<dyn Error>> {
        let mut reader = Reader::new(&Env);
        match self {
            Self::Token(token) => {
                let signing = S::signing(&mut reader)?;
                let (keys, policy) = reader.finish(signing)?;
                println!("{}", token.issue(keys, policy)?);
            }
            Self::Sessions(command) => {
                let database = S::accounts(&mut reader);
                let ended = command.run(&reader.finish(database)?).await?;
                println!("sessions ended: {ended}");
            }
        }
        Ok(())
    }
}
