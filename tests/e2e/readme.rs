//! The documents are executed: their tours are walked, their commands are the ones that run.

mod block;
mod document;
mod errors;
mod same;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use fixtures::{Backend, FreshDatabase};
use shared::config::{Env, Vars};

use self::{block::Block, document::Document, same::assert_same};
use crate::{
    binary::Binary,
    process::{Starting, run},
};

/// The addresses in the documents, which a test cannot use: they may be taken.
const GRPC: &str = "127.0.0.1:50051";
const HTTP: &str = "127.0.0.1:8000";

/// How the documents call the binary.
const CARGO_RUN: &str = "cargo run -q --";

/// The fewest steps, expected outputs and snippets of all documents together: examples stay
/// executed when they move from one document to another.
const STEPS: usize = 17;
const OUTPUTS: usize = 16;
const SNIPPETS: usize = 7;

/// The most lines that the first page may have.
const README_LINES: usize = 170;

fn top(path: &str) -> PathBuf {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).join(path)
}

/// The text of the one block with this info string in all documents.
fn only(documents: &[Document], info: &str) -> String {
    let blocks = documents.iter().flat_map(|document| &document.blocks);
    let mut found = blocks.filter(|block| block.info == info);
    match (found.next(), found.next()) {
        (Some(block), None) => block.text.trim().to_owned(),
        _ => panic!("the documents must have exactly one block `{info}`"),
    }
}

#[test]
fn the_two_commands_are_the_ones_that_are_run() {
    let documents = Document::all();
    // The workspace's default member is what a bare `cargo run` runs.
    assert_eq!(only(&documents, "sh run"), "cargo run");
    let workspace = fs::read_to_string(top("Cargo.toml")).expect("Cargo.toml");
    assert!(workspace.contains(r#"default-members = ["standalone"]"#));

    let test = only(&documents, "sh test");
    let ci = fs::read_to_string(top(".ci/run")).expect(".ci/run");
    assert!(ci.lines().any(|line| line == test), "`{test}` is not a line of .ci/run");
}

#[test]
fn the_readme_is_short() {
    let lines = Document::read("README.md").text.lines().count();
    assert!(lines <= README_LINES, "README.md has {lines} lines");
}

#[test]
fn every_expected_output_belongs_to_a_step_of_its_tour() {
    let (mut steps, mut outputs) = (0, 0);
    for Document { blocks, .. } in Document::all() {
        for (number, block) in blocks.iter().enumerate() {
            steps += usize::from(block.is_step());
            if block.is_output() {
                let step = number.checked_sub(1).map(|before| &blocks[before]);
                assert!(step.is_some_and(Block::is_step), "after {}", block.place);
                outputs += 1;
            }
        }
    }
    assert!(steps >= STEPS && outputs >= OUTPUTS, "{steps} steps, {outputs} outputs");
}

#[test]
fn every_file_they_name_is_there() {
    let documents = Document::all();
    let mut named = 0;
    let mut missing = Vec::new();
    for document in &documents {
        for path in document.paths() {
            named += 1;
            if !top(path).exists() {
                missing.push(format!("{}: {path}", document.name));
            }
        }
    }
    assert!(named > 100, "{named}");
    assert!(missing.is_empty(), "named, and not there: {missing:#?}");
}

#[test]
fn every_link_leads_somewhere() {
    let documents = Document::all();
    let links = documents
        .iter()
        .flat_map(|document| document.links().into_iter().map(move |link| (document, link)));
    let (good, bad): (Vec<_>, Vec<_>) =
        links.partition(|(document, link)| document.leads_somewhere(link));
    let bad: Vec<_> =
        bad.iter().map(|(document, link)| format!("{}: {link}", document.name)).collect();
    assert!(bad.is_empty(), "links that lead nowhere: {bad:#?}");
    assert!(good.len() > 20, "{}", good.len());
}

/// The first column of the tables in `docs/configuration.md` names every setting of
/// `.env.example`, once, and no other.
#[test]
fn every_setting_is_described() {
    let example = fs::read_to_string(top(".env.example")).expect(".env.example");
    let is_setting =
        |name: &str| name.len() > 3 && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    let settings: BTreeSet<&str> = example
        .lines()
        .filter_map(|line| line.trim_start_matches('#').split_once('='))
        .map(|(name, _)| name)
        .filter(|name| is_setting(name))
        .collect();
    assert!(settings.len() > 40, "{settings:?}");

    let manual = Document::read("docs/configuration.md");
    let cells = manual.text.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    let described: Vec<&str> = names.filter(|name| is_setting(name)).collect();
    let distinct: BTreeSet<&str> = described.iter().copied().collect();
    assert_eq!(distinct, settings);
    assert_eq!(described.len(), distinct.len(), "a setting is described twice");
}

/// A block that names a file shows lines of that file; `tests/clients` runs the files.
#[test]
fn every_snippet_stands_in_the_file_it_names() {
    let documents = Document::all();
    let blocks = documents.iter().flat_map(|document| &document.blocks);
    let shown = blocks.filter_map(|block| Some((block, block.file()?)));
    let mut seen = 0;
    for (block, file) in shown {
        let text = fs::read_to_string(top(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.contains(&block.text), "{}: not so in {file}", block.place);
        seen += 1;
    }
    assert!(seen >= SNIPPETS, "{seen}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_tour_is_walked_as_printed() {
    let path = search_path();
    if let Some(missing) =
        ["bash", "buf", "curl", "python3"].into_iter().find(|tool| !is_in(&path, tool))
    {
        let required = Env.var("REQUIRE_CLIENTS").is_some_and(|value| value == "1");
        assert!(!required, "the tours need {missing}, which is not installed");
        fixtures::notice(&format!("the tours were not walked: {missing} is not installed"));
        return;
    }

    let documents = Document::all();
    let toured: Vec<_> = documents.iter().filter(|document| !document.steps().is_empty()).collect();
    for document in &toured {
        walk(document, &path).await;
    }
    assert!(toured.iter().any(|document| document.name == "README.md"));
}

/// Walks the tour of a document on a server of its own.
async fn walk(document: &Document, path: &str) {
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

    let (name, blocks, steps) = (&document.name, &document.blocks, document.steps());
    let binary = format!("'{}'", Binary::Standalone.path().display());
    let script =
        block::script(&steps).replace(GRPC, &grpc).replace(HTTP, &http).replace(CARGO_RUN, &binary);
    let script_file = folder.join("tour.sh");
    fs::write(&script_file, script).expect("the script");

    let mut bash = Command::new("bash");
    bash.arg(&script_file).current_dir(folder).env_clear();
    bash.env("PATH", path).env("HOME", folder).stdin(std::process::Stdio::null());
    let ended = run(bash);
    let printed = ended.stdout.replace(&grpc, GRPC).replace(&http, HTTP);
    assert_eq!(ended.code, Some(0), "the tour of {name} ends early:\n{printed}\n{}", ended.stderr);

    let outputs = block::outputs(&printed, steps.len());
    for (number, block) in blocks.iter().enumerate() {
        if block.is_output() {
            let step = blocks[..number].iter().filter(|block| block.is_step()).count() - 1;
            assert_same(block, &outputs[step]);
        }
    }
}

/// The search path of programs: the pinned clients first.
fn search_path() -> String {
    let pinned = top("tests/clients/node_modules/.bin");
    let pinned = fs::canonicalize(&pinned).unwrap_or(pinned);
    format!("{}:{}", pinned.display(), Env.var("PATH").unwrap_or_default())
}

fn is_in(path: &str, tool: &str) -> bool {
    path.split(':').any(|folder| Path::new(folder).join(tool).is_file())
}
