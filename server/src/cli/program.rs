//! A program: the command line that every binary shares, with its own commands.

use std::{error::Error, future::Future, process::ExitCode};

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use shared::config::{Env, Reader, Row};

use super::{doctor::Report, exit, settings};
use crate::{db, health, settings::Addresses, telemetry};

type Outcome = Result<(), Box<dyn Error>>;

/// The differences between the binaries. All read the process environment.
pub trait Program {
    /// The commands of this program alone.
    type Command: Subcommand;
    /// All settings of a serving process.
    type Config;
    /// The name, in errors and in `--help`.
    const NAME: &'static str;
    /// The purpose and the required settings: the head of `--help`.
    const ABOUT: &'static str;
    /// The addresses, for `health`.
    const ADDRESSES: Addresses;

    /// The rows of all settings that [`read`](Self::read) reads, in the order of `--help`.
    fn settings() -> Vec<Row>;

    /// Reads all settings. Faults are recorded in `reader`; an error is an unreadable settings
    /// file.
    fn read(reader: &mut Reader<'_, Env>) -> Result<Option<Self::Config>, Box<dyn Error>>;

    /// Reads all settings for `doctor`, without changing anything.
    fn read_for_doctor(
        reader: &mut Reader<'_, Env>,
    ) -> Result<Option<Self::Config>, Box<dyn Error>> {
        Self::read(reader)
    }

    /// Serves until SIGTERM or Ctrl-C.
    fn serve(config: Self::Config) -> impl Future<Output = Outcome>;

    /// Checks everything the program needs.
    fn examine(config: Self::Config, report: &mut Report) -> impl Future<Output = ()>;

    /// Runs one of the program's own commands.
    fn run(command: Self::Command) -> impl Future<Output = Outcome>;
}

/// The command line of a program; `main` adds the name and the help.
#[derive(Parser)]
#[command(version)]
struct Cli<C: Subcommand> {
    #[command(subcommand)]
    command: Option<Command<C>>,
}

#[derive(Subcommand)]
enum Command<C: Subcommand> {
    /// Serve until SIGTERM or Ctrl-C (the default)
    Serve,
    #[command(flatten)]
    Own(C),
    /// Look at settings, databases, clocks and what else is needed, and say what to mend
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

/// The `main` of a binary: reads the command line, runs the command, and exits with 0 for
/// success, 2 for faulty settings or a faulty command line, 1 for other errors.
#[must_use]
pub fn main<P: Program>() -> ExitCode {
    db::set_application_name(P::NAME);
    let (about, _) = P::ABOUT.split_once("\n\n").unwrap_or((P::ABOUT, ""));
    let command = Cli::<P::Command>::command()
        .name(P::NAME)
        .about(about)
        .long_about(P::ABOUT)
        .after_long_help(settings::help(&P::settings()));
    let matches = command.get_matches();
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    exit::run(P::NAME, run::<P>(cli.command.unwrap_or(Command::Serve)))
}

async fn run<P: Program>(command: Command<P::Command>) -> Outcome {
    match command {
        Command::Serve => {
            let mut reader = Reader::new(&Env);
            telemetry::init(&mut reader);
            let config = P::read(&mut reader)?;
            reader.warn_about_unread();
            P::serve(reader.finish(config)?).await
        }
        Command::Own(command) => P::run(command).await,
        Command::Doctor { json } => doctor::<P>(json).await,
        Command::Health { live } => health::probe_own(Reader::new(&Env), &P::ADDRESSES, live).await,
    }
}

async fn doctor<P: Program>(as_json: bool) -> Outcome {
    let mut reader = Reader::new(&Env);
    telemetry::init(&mut reader);
    let config = P::read_for_doctor(&mut reader)?;
    let mut report = Report::default();
    report.unread_settings(&reader.unread());
    match reader.finish(config) {
        Ok(config) => P::examine(config, &mut report).await,
        Err(faults) => report.faulty_settings(&faults),
    }
    Ok(report.print(as_json)?)
}
