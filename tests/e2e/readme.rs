//! The README does what it says: its tour is walked, its commands are the ones that run.

mod block;
mod same;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use fixtures::{Backend, FreshDatabase};
use shared::config::{Env, Vars};

use self::{block::Block, same::assert_same};
use crate::{
    binary::Binary,
    process::{Starting, run},
};

/// The addresses in the README, which a test cannot use: they may be taken.
const GRPC: &str = "127.0.0.1:50051";
const HTTP: &str = "127.0.0.1:8000";

/// How the README calls the binary.
const CARGO_RUN: &str = "cargo run -q --";

fn top(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

fn blocks() -> Vec<Block> {
    Block::all(&fs::read_to_string(top("README.md")).expect("README.md"))
}

/// The text of the one block with this info string.
fn only(blocks: &[Block], info: &str) -> String {
    let mut found = blocks.iter().filter(|block| block.info == info);
    match (found.next(), found.next()) {
        (Some(block), None) => block.text.trim().to_owned(),
        _ => panic!("README.md must have exactly one block `{info}`"),
    }
}

#[test]
fn the_two_commands_are_the_ones_that_are_run() {
    let blocks = blocks();
    // The workspace's default member is what a bare `cargo run` runs.
    assert_eq!(only(&blocks, "sh run"), "cargo run");
    let workspace = fs::read_to_string(top("Cargo.toml")).expect("Cargo.toml");
    assert!(workspace.contains(r#"default-members = ["standalone"]"#));

    let test = only(&blocks, "sh test");
    let ci = fs::read_to_string(top(".ci/run")).expect(".ci/run");
    assert!(ci.lines().any(|line| line == test), "`{test}` is not a line of .ci/run");
}

#[test]
fn every_expected_output_belongs_to_a_step_of_the_tour() {
    let blocks = blocks();
    for (number, block) in blocks.iter().enumerate() {
        if block.is_output() {
            let step = number.checked_sub(1).map(|before| &blocks[before]);
            assert!(step.is_some_and(Block::is_step), "after line {}", block.line);
        }
    }
    assert!(blocks.iter().filter(|block| block.is_step()).count() >= 3);
}

#[test]
fn every_file_it_names_is_there() {
    const FOLDERS: [&str; 8] = [
        ".ci/",
        "auth-service/",
        "examples/",
        "proto/",
        "shared/",
        "standalone/",
        "task-service/",
        "tests/",
    ];
    let readme = fs::read_to_string(top("README.md")).expect("README.md");
    let words = readme.split(|c: char| c.is_whitespace() || "`()[]<>,;".contains(c));
    let named: Vec<&str> =
        words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder))).collect();
    assert!(named.len() > 10, "{named:?}");
    let missing: Vec<_> =
        named.into_iter().filter(|path| !top(path.trim_end_matches(['.', ':'])).exists()).collect();
    assert!(missing.is_empty(), "README.md names what is not there: {missing:?}");
}

/// A block that names a file shows lines of it; `tests/clients/nextjs` drives them.
#[test]
fn every_snippet_stands_in_the_file_it_names() {
    let blocks = blocks();
    let shown = blocks.iter().filter_map(|block| Some((block, block.file()?)));
    let mut seen = 0;
    for (block, file) in shown {
        let text = fs::read_to_string(top(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&block.text), "README.md, line {}: not so in {file}", block.line);
        seen += 1;
    }
    assert!(seen >= 4, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tour_is_walked_as_printed() {
    let path = search_path();
    if let Some(missing) =
        ["bash", "buf", "curl", "python3"].into_iter().find(|tool| !is_in(&path, tool))
    {
        let required = Env.var("REQUIRE_CLIENTS").is_some_and(|value| value == "1");
        assert!(!required, "the tour needs {missing}, which is not installed");
        fixtures::notice(&format!("the tour was not walked: {missing} is not installed"));
        return;
    }

    // A folder of its own, removed at the end. The database in it is standalone's.
    let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("SQLite is always there");
    let file = fresh.address().trim_start_matches("sqlite://");
    let folder = Path::new(file).parent().expect("a folder");
    fs::create_dir_all(folder).expect("a folder");

    let mut command = Binary::Standalone.command();
    command
        .current_dir(folder)
        .env("GRPC_ADDR", "127.0.0.1:0")
        .env("HTTP_ADDR", "127.0.0.1:0")
        .env("LOG_FORMAT", "json");
    let server = Starting::from_command(Binary::Standalone, command).wait();
    let (grpc, http) = (server.address().to_string(), server.http_address().to_string());

    let blocks = blocks();
    let steps: Vec<&Block> = blocks.iter().filter(|block| block.is_step()).collect();
    let binary = format!("'{}'", Binary::Standalone.path().display());
    let script =
        block::script(&steps).replace(GRPC, &grpc).replace(HTTP, &http).replace(CARGO_RUN, &binary);
    let script_file = folder.join("tour.sh");
    fs::write(&script_file, script).expect("the script");

    let mut bash = Command::new("bash");
    bash.arg(&script_file).current_dir(folder).env_clear();
    bash.env("PATH", &path).env("HOME", folder).stdin(std::process::Stdio::null());
    let ended = run(bash);
    let printed = ended.stdout.replace(&grpc, GRPC).replace(&http, HTTP);
    assert_eq!(ended.code, Some(0), "the tour ends early:\n{printed}\n{}", ended.stderr);

    let outputs = block::outputs(&printed, steps.len());
    for (number, block) in blocks.iter().enumerate() {
        if block.is_output() {
            let step = blocks[..number].iter().filter(|block| block.is_step()).count() - 1;
            assert_same(block, &outputs[step]);
        }
    }
}

/// Where programs are looked for: the pinned clients first.
fn search_path() -> String {
    let pinned = top("tests/clients/node_modules/.bin");
    let pinned = fs::canonicalize(&pinned).unwrap_or(pinned);
    format!("{}:{}", pinned.display(), Env.var("PATH").unwrap_or_default())
}

fn is_in(path: &str, tool: &str) -> bool {
    path.split(':').any(|folder| Path::new(folder).join(tool).is_file())
}
