//! The Markdown documents of the repository: their blocks, the paths they name, and their links.

use std::{fs, path::Path};

use super::{block::Block, top};

/// The folders of the repository. A word that begins with one of them is a path.
const FOLDERS: [&str; 11] = [
    ".ci/",
    "auth-service/",
    "deploy/",
    "docs/",
    "examples/",
    "proto/",
    "server/",
    "shared/",
    "standalone/",
    "task-service/",
    "tests/",
];

/// One document, as it is now.
pub struct Document {
    /// Its path from the top of the repository.
    pub name: String,
    pub text: String,
    pub blocks: Vec<Block>,
}

impl Document {
    /// The document at `name`.
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(top(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), blocks: Block::all(name, &text), text }
    }

    /// Every document that promises something: those at the top, and `docs/`.
    pub fn all() -> Vec<Self> {
        let mut names: Vec<String> = ["", "docs/"].into_iter().flat_map(markdown_in).collect();
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// Its steps of a tour, in order.
    pub fn steps(&self) -> Vec<&Block> {
        self.blocks.iter().filter(|block| block.is_step()).collect()
    }

    /// The paths of the repository that it names.
    pub fn paths(&self) -> Vec<&str> {
        let words = self.text.split(|c: char| c.is_whitespace() || "`()[]<>,;|\"#".contains(c));
        let paths = words.filter(|word| FOLDERS.iter().any(|folder| word.starts_with(folder)));
        // A test is named as `path::test`, and a sentence may end with a path.
        paths
            .map(|path| path.split("::").next().unwrap_or(path).trim_end_matches(['.', ':']))
            .collect()
    }

    /// The targets of its links within the repository, outside of blocks.
    pub fn links(&self) -> Vec<String> {
        let mut prose = String::new();
        let mut is_block = false;
        for line in self.text.lines() {
            is_block ^= line.starts_with("```");
            if !is_block {
                prose.push_str(line);
                prose.push('\n');
            }
        }
        let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        targets
            .map(|(target, _)| target.to_owned())
            .filter(|target| !target.contains("://"))
            .collect()
    }

    /// Whether `link` leads to a file or folder that is there and, in a document, to a heading.
    pub fn leads_somewhere(&self, link: &str) -> bool {
        let (path, heading) = link.split_once('#').unwrap_or((link, ""));
        let folder = Path::new(&self.name).parent().unwrap_or(Path::new(""));
        let target =
            if path.is_empty() { top(&self.name) } else { top("").join(folder).join(path) };
        if heading.is_empty() {
            return target.exists();
        }
        let text = fs::read_to_string(target).unwrap_or_default();
        text.lines().any(|line| line.starts_with('#') && anchor(line) == heading)
    }
}

/// The names of the Markdown files right in `folder`.
fn markdown_in(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(top(folder)).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| format!("{folder}{}", name.to_string_lossy()))
        .filter(|name| Path::new(name).extension().is_some_and(|ending| ending == "md"))
        .collect()
}

/// The name by which a heading is linked to.
fn anchor(heading: &str) -> String {
    let words = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = words.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn paths_links_and_headings_are_found() {
    let text = "See `tests/e2e/a.rs::b`, docs/a.md. [a](b.md#c-d), [x](https://x) \
                \n```\n[no](link)\n```\n";
    let name = "docs/z.md".to_owned();
    let document = Document { name, blocks: Vec::new(), text: text.to_owned() };
    assert_eq!(document.paths(), ["tests/e2e/a.rs", "docs/a.md"]);
    assert_eq!(document.links(), ["b.md#c-d"]);
    assert_eq!(anchor("## Beside a `Better Auth` server, 2"), "beside-a-better-auth-server-2");
    assert!(document.leads_somewhere("../README.md"));
    assert!(!document.leads_somewhere("README.md") && !document.leads_somewhere("../README.md#no"));
}
