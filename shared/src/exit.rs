//! How a binary ends: what went wrong on standard error, a line a fault.

use std::{error::Error, process::ExitCode};

use crate::{config::Faults, error::causes};

/// 0 for success, 2 for faulty settings, 1 for everything else. Errors are printed with
/// their causes; settings are named, their values never shown.
#[expect(clippy::print_stderr, reason = "the last words of a process, with or without a log")]
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
