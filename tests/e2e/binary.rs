//! The three binaries, built once for all tests as this one was built.

use std::{
    collections::HashMap,
    path::PathBuf,
    process::{Command, Stdio},
    sync::LazyLock,
};

use serde_json::Value;

/// One of the programs that people run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Binary {
    Auth,
    Tasks,
    Standalone,
}

impl Binary {
    pub const ALL: [Self; 3] = [Self::Auth, Self::Tasks, Self::Standalone];

    /// Its file name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auth => "auth-service",
            Self::Tasks => "task-service",
            Self::Standalone => "standalone",
        }
    }

    /// Where it was built.
    pub fn path(self) -> &'static PathBuf {
        static BUILT: LazyLock<HashMap<String, PathBuf>> = LazyLock::new(build);
        &BUILT[self.name()]
    }

    /// A command that runs it, without any of this process's settings.
    pub fn command(self) -> Command {
        let mut command = Command::new(self.path());
        command.env_clear().stdin(Stdio::null());
        command
    }
}

/// Builds all binaries of the workspace beside this test, in its profile. Cargo has
/// let go of its lock by the time tests run.
fn build() -> HashMap<String, PathBuf> {
    let test = std::env::current_exe().expect("this test has a file");
    // <target>/<profile>/deps/<test>
    let profile_folder = test.ancestors().nth(2).expect("a profile folder");
    let target_folder = profile_folder.parent().expect("a target folder");
    let profile = match profile_folder.file_name().and_then(|name| name.to_str()) {
        None | Some("debug") => "dev",
        Some(other) => other,
    };
    let mut cargo = Command::new(env!("CARGO"));
    // Cargo's variables about this test's own package would have others built anew.
    for (name, _) in std::env::vars_os() {
        let is_of_package = name.to_str().is_some_and(|name| {
            name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
        });
        if is_of_package {
            cargo.env_remove(name);
        }
    }
    let output = cargo
        .args(["build", "--workspace", "--bins", "--message-format=json", "--profile", profile])
        .arg("--target-dir")
        .arg(target_folder)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "the binaries do not build");
    let stdout = String::from_utf8(output.stdout).expect("JSON lines");
    stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|artifact| {
            let path = PathBuf::from(artifact["executable"].as_str()?);
            Some((artifact["target"]["name"].as_str()?.to_owned(), path))
        })
        .collect()
}
