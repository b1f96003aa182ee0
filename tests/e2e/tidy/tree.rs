//! The source as a map of paths to texts.

use std::{collections::BTreeMap, fs, path::Path};

/// What nobody of this project wrote, or what a run left behind.
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

/// The endings of what somebody programs in.
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

    /// Every file that somebody programs in: by its ending, or by the `#!` it begins with.
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
        self.rust().filter(|(path, _)| !is_test(path)).flat_map(|(path, text)| {
            let mut is_test = false;
            (1..)
                .zip(text.lines())
                .filter(move |(_, line)| {
                    let was_test = is_test || *line == "#[cfg(test)]";
                    // A formatted item ends with the first line of its indent that ends so.
                    let ends = !line.starts_with(' ') && line.ends_with([';', '}']);
                    is_test = was_test && !ends;
                    !was_test && !line.trim_start().starts_with("//")
                })
                .map(move |(number, line)| (path, number, line))
        })
    }
}

/// Whether a file holds nothing but tests.
fn is_test(path: &str) -> bool {
    path.starts_with("tests/") || path.contains("/tests/") || path.ends_with("tests.rs")
}
