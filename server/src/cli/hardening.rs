//! Process hardening, for processes that hold secrets.

use rustix::{
    fs::Mode,
    process::{Resource, Rlimit, setrlimit, umask},
};

/// Restricts new files to the process's own user, disables core dumps, and on Linux blocks other
/// processes of the user from reading the memory.
pub fn harden() {
    umask(Mode::RWXG | Mode::RWXO);
    // Lowering a limit always succeeds.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
