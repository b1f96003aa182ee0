//! A rule about import cycles between the top-level modules of a crate.

use std::collections::{BTreeMap, BTreeSet};

use super::{Breaches, tree::Tree};

const CRATES: [&str; 6] =
    ["proto", "shared", "server", "auth-service", "task-service", "standalone"];

/// The modules that each module imports.
type Imports<'t> = BTreeMap<&'t str, BTreeSet<&'t str>>;

/// No top-level module of a crate imports another one that imports it, directly or through
/// others. Re-exports at the root of the crate count as imports of the module they come from.
pub fn none(tree: &Tree) -> Breaches {
    let of_crate = |name: &&str| {
        let source = format!("{name}/src");
        let imports = imports(tree, &format!("{source}/"));
        cycles(&imports).into_iter().map(move |cycle| format!("{source}: {cycle}"))
    };
    CRATES.iter().flat_map(of_crate).collect()
}

/// The import graph of the modules in the folder `source`.
fn imports<'t>(tree: &'t Tree, source: &str) -> Imports<'t> {
    let mut files: BTreeMap<&str, String> = BTreeMap::new();
    for (path, _, line) in tree.production() {
        if let Some(path) = path.strip_prefix(source) {
            let text = files.entry(path).or_default();
            text.push_str(line);
            text.push('\n');
        }
    }
    let root = ["lib.rs", "main.rs"].map(|path| files.remove(path).unwrap_or_default()).concat();
    let modules: BTreeSet<&str> = files.keys().map(|path| module_of(path)).collect();
    let exports = exports(&root, &modules);
    let mut imports = Imports::new();
    for (path, text) in &files {
        let module = module_of(path);
        let imported = root_paths(text, depth_of(path))
            .into_iter()
            .filter_map(|name| modules.get(name).copied().or_else(|| exports.get(name).copied()));
        imports.entry(module).or_default().extend(imported.filter(|other| *other != module));
    }
    imports
}

/// The top-level module of a file.
fn module_of(path: &str) -> &str {
    let module = path.split('/').next().unwrap_or(path);
    module.strip_suffix(".rs").unwrap_or(module)
}

/// How many `super` lead from a file's module to the root of its crate.
fn depth_of(path: &str) -> usize {
    path.trim_end_matches("/mod.rs").split('/').count()
}

/// The names that the root of a crate exports, each with the module it comes from.
fn exports<'t>(root: &str, modules: &BTreeSet<&'t str>) -> BTreeMap<String, &'t str> {
    let mut exports = BTreeMap::new();
    for (at, needle) in root.match_indices("use ") {
        let tree = root[at + needle.len()..].split(';').next().unwrap_or_default();
        let tree = tree.strip_prefix("self::").unwrap_or(tree);
        for branch in branches(tree) {
            let mut names = branch.split(|c: char| !is_of_name(c)).filter(|name| !name.is_empty());
            if let Some(module) = names.next().and_then(|name| modules.get(name)) {
                exports.extend(names.map(|name| (name.to_owned(), *module)));
            }
        }
    }
    exports
}

/// The first names of all paths in `text` that begin at the root of the crate.
fn root_paths(text: &str, depth: usize) -> Vec<&str> {
    let above = "super::".repeat(depth);
    let mut names = Vec::new();
    for root in ["crate::", &above] {
        for (at, _) in text.match_indices(root) {
            let is_part = text[..at].ends_with(|c| is_of_name(c) || c == ':' || c == '$');
            let branches = branches(&text[at + root.len()..]);
            let firsts = branches
                .into_iter()
                .map(|branch| branch.split(|c: char| !is_of_name(c)).next().unwrap_or_default());
            names.extend(firsts.filter(|name| !is_part && *name != "super"));
        }
    }
    names
}

/// The branches of a tree of imports: what stands between its braces, or all of it.
fn branches(tree: &str) -> Vec<&str> {
    let Some(inner) = tree.strip_prefix('{') else { return vec![tree] };
    let (mut branches, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, c) in inner.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                branches.push(inner[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                branches.push(inner[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    branches
}

fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The shortest cycle through each module that is in one, once for the modules on it.
fn cycles(imports: &Imports<'_>) -> Vec<String> {
    let (mut cycles, mut seen) = (Vec::new(), BTreeSet::new());
    for start in imports.keys() {
        if let Some(cycle) = shortest_cycle(imports, start).filter(|_| !seen.contains(start)) {
            seen.extend(cycle.clone());
            cycles.push(cycle.join(" ▶ "));
        }
    }
    cycles
}

fn shortest_cycle<'t>(imports: &Imports<'t>, start: &'t str) -> Option<Vec<&'t str>> {
    let mut paths = vec![vec![start]];
    let mut reached = BTreeSet::new();
    while !paths.is_empty() {
        let mut longer = Vec::new();
        for path in paths {
            let last = path.last().and_then(|last| imports.get(last));
            for next in last.into_iter().flatten() {
                let mut path = path.clone();
                path.push(next);
                if *next == start {
                    return Some(path);
                }
                if reached.insert(*next) {
                    longer.push(path);
                }
            }
        }
        paths = longer;
    }
    None
}
