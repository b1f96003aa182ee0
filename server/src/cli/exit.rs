//! The end of a process: its exit code, and its errors on standard error.

use std::{error::Error, future::Future, process::ExitCode};

use shared::{config::Faults, error::causes};

use crate::cli::hardening;

/// Runs a program, hardened, to its exit code (see [`code`]). Background work, such as an
/// unanswered name look-up, does not delay the end.
#[must_use]
pub fn run(program: &str, work: impl Future<Output = Result<(), Box<dyn Error>>>) -> ExitCode {
    hardening::harden();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return code(program, Err(error.into())),
    };
    let code = code(program, runtime.block_on(work));
    runtime.shutdown_background();
    code
}

/// 0 for success, 2 for faulty settings, 1 for everything else. Errors are printed with
/// their causes; settings are named, their values never shown.
#[expect(clippy::print_stderr, reason = "the last output of a process, with or without a log")]
#[must_use]
pub fn code(program: &str, result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    if let Some(Faults(faults)) = error.downcast_ref() {
        for fault in faults {
            eprintln!("{program}: {} {}", fault.name, fault.message);
        }
        return ExitCode::from(2);
    }
    eprintln!("{program}: {}", causes(&*error));
    ExitCode::FAILURE
}
