//! The source as a map of paths to texts.

use std::{collections::BTreeMap, fs, path::Path};

/// Files of other authors, and files that a run leaves behind.
const SKIPPED: [&str; 9] = [
    ".git",
    ".next",
    ".venv",
    "__pycache__",
    "data",
    "next-env.d.ts",
    "node_modules",
    "target",
    "Cargo.lock",
];

/// The endings of source files.
const PROGRAMMED: [&str; 11] =
    ["rs", "proto", "py", "sh", "js", "mjs", "ts", "tsx", "jsx", "css", "html"];

/// Files by their path from the top of the repository.
#[derive(Default)]
pub struct Tree(BTreeMap<String, String>);

impl Tree {
    /// Everything in the repository that is text.
    pub fn read() -> Self {
        let mut tree = Self::default();
        tree.read_folder(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/..")), "");
        tree
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let entry = entry.expect("an entry");
            let name = entry.file_name().into_string().expect("a name in UTF-8");
            let kind = entry.file_type().expect("a type");
            let path = format!("{prefix}{name}");
            if SKIPPED.contains(&name.as_str()) {
                continue;
            }
            if kind.is_dir() {
                self.read_folder(&entry.path(), &format!("{path}/"));
            } else if kind.is_file()
                && let Ok(text) = fs::read_to_string(entry.path())
            {
                self.0.insert(path, text);
            }
        }
    }

    /// Adds a file.
    pub fn plant(&mut self, path: &str, text: &str) {
        self.0.insert(path.to_owned(), text.to_owned());
    }

    /// Every file.
    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    /// Every source file: by its ending, or by the `#!` in its first line.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, text)| {
            let ending = Path::new(path).extension().and_then(|ending| ending.to_str());
            ending.is_some_and(|ending| PROGRAMMED.contains(&ending)) || text.starts_with("#!")
        })
    }

    /// Every Rust file.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files().filter(|(path, _)| Path::new(path).extension().is_some_and(|e| e == "rs"))
    }

    /// The numbered lines of Rust that runs in production: no tests, no comments.
    pub fn production(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        self.production_lines().filter(|(.., line)| !is_comment(line))
    }

    /// The numbered comment lines of Rust that runs in production.
    pub fn comments(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        self.production_lines().filter(|(.., line)| is_comment(line))
    }

    /// The first paragraph of the module comment of each file that runs in production.
    pub fn subjects(&self) -> impl Iterator<Item = (&str, String)> {
        self.rust().filter(|(path, _)| !is_test(path)).map(|(path, text)| {
            let comment = text.lines().map_while(|line| line.strip_prefix("//! "));
            (path, comment.collect::<Vec<_>>().join(" "))
        })
    }

    /// The numbered lines of Rust files that run in production, without their inline tests.
    fn production_lines(&self) -> impl Iterator<Item = (&str, usize, &str)> {
        self.rust().filter(|(path, _)| !is_test(path)).flat_map(|(path, text)| {
            let mut is_test = false;
            (1..)
                .zip(text.lines())
                .filter(move |(_, line)| {
                    let was_test = is_test || *line == "#[cfg(test)]";
                    // A formatted item ends with the first line of its indent that ends so.
                    let ends = !line.starts_with(' ') && line.ends_with([';', '}']);
                    is_test = was_test && !ends;
                    !was_test
                })
                .map(move |(number, line)| (path, number, line))
        })
    }
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

/// Whether a file holds nothing but tests.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}
