//! What the system is told of a process that holds secrets.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, setrlimit, umask},
};

/// Files are made for the user alone that the process runs as. No memory is written to disk
/// when it crashes, and on Linux no other process of that user reads it.
pub fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    // To ask for less is never refused.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
