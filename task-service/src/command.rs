//! The admin commands: `restore`.

use std::error::Error;

use clap::Subcommand;
use server::db::DatabaseUrl;
use shared::config::{Env, Reader};

/// Commands of every program that holds the tasks.
#[derive(Subcommand)]
pub enum Command {
    /// Take up a database of tasks that was restored from a backup; run it before the first start
    ///
    /// Sync, page and resume tokens from before are refused, etags of lost changes match
    /// nothing, and deleted users are removed again.
    Restore,
}

/// The settings that the commands need, as each program reads them.
pub trait Sources {
    /// The database of tasks; `None` after a fault, which `reader` has.
    fn tasks(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl>;
}

impl Command {
    /// Runs the command and prints the result.
    #[expect(clippy::print_stdout, reason = "an operator reads it")]
    pub async fn run<S: Sources>(self) -> Result<(), Box<dyn Error>> {
        let Self::Restore = self;
        let mut reader = Reader::new(&Env);
        let database = S::tasks(&mut reader);
        crate::restore(&reader.finish(database)?).await?;
        println!("the database of tasks is taken up");
        Ok(())
    }
}
