//! Rules about documents that name files and tests.

use super::{Breaches, tree::Tree};

/// What stands where a promise has no test yet.
const LATER: &str = "to be completed";

/// Every folder, file and test that a document names as `path` or `path::test` is there, and
/// nothing is left for later.
pub fn kept(tree: &Tree) -> Breaches {
    let mut breaches = Breaches::new();
    let documents = tree.files().filter(|(path, _)| path.starts_with("docs/"));
    for (document, text) in documents {
        for (number, line) in (1..).zip(text.lines()) {
            if line.to_lowercase().contains(LATER) {
                breaches.push(format!("{document}:{number}: is to be completed"));
            }
            let quoted = line.split('`').skip(1).step_by(2);
            for named in quoted.filter(|quoted| is_place(quoted)) {
                if !is_there(tree, named) {
                    breaches.push(format!("{document}:{number}: {named} is not there"));
                }
            }
        }
    }
    breaches
}

/// Whether it is spelled as a path of this repository.
fn is_place(quoted: &str) -> bool {
    let path = quoted.split("::").next().unwrap_or_default();
    let is_file = path.contains('/') && !path.contains([' ', '<']);
    is_file
        && [
            "auth-service/",
            "proto/",
            "server/",
            "shared/",
            "standalone/",
            "task-service/",
            "tests/",
        ]
        .iter()
        .any(|top| path.starts_with(top))
}

fn is_there(tree: &Tree, named: &str) -> bool {
    let (path, test) = named.split_once("::").unwrap_or((named, ""));
    let declared = format!("fn {test}(");
    let folder = format!("{}/", path.trim_end_matches('/'));
    tree.files().any(|(file, text)| {
        if test.is_empty() {
            file == path || file.starts_with(&folder)
        } else {
            file == path && text.contains(&declared)
        }
    })
}
