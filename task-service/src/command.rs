//! Commands of an operator, from a shell.

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

/// Where a program finds what the commands need.
pub trait Sources {
    /// The database of tasks; `None`: a fault was noted.
    fn tasks(reader: &mut Reader<'_, Env>) -> Option<DatabaseUrl>;
}

impl Command {
    /// Runs the command and prints what came of it.
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
