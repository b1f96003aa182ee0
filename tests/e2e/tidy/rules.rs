//! Rules about files and what stands in them.

use super::{Breaches, tree::Tree};

/// The most lines a file may have.
const LINES: usize = 400;

/// No source file is longer than one sitting's reading.
pub fn short_files(tree: &Tree) -> Breaches {
    let long = tree.sources().filter(|(_, text)| text.lines().count() > LINES);
    long.map(|(path, text)| format!("{path}: {} lines", text.lines().count())).collect()
}

/// No file is named after what could be in any file.
pub fn telling_names(tree: &Tree) -> Breaches {
    let vague = |path: &str| {
        let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
        ["util", "helper", "common", "manager"].iter().any(|word| name.contains(word))
    };
    tree.sources().filter(|(path, _)| vague(path)).map(|(path, _)| path.to_owned()).collect()
}

/// Nothing was left for later, and nothing from debugging was left behind.
pub fn nothing_undone(tree: &Tree) -> Breaches {
    let needles = [concat!("todo", "!("), concat!("dbg", "!("), concat!("unimplemented", "!(")];
    found(tree.rust(), |line| needles.iter().any(|needle| line.contains(needle)))
}

/// A lint is expected to fire and the reason stands beside it; it is never just silenced.
pub fn reasons(tree: &Tree) -> Breaches {
    let silenced = [concat!("#[al", "low("), concat!("#![al", "low(")];
    let mut breaches = found(tree.rust(), |line| silenced.iter().any(|s| line.contains(s)));
    for (path, text) in tree.rust() {
        for (at, _) in text.match_indices(concat!("#[exp", "ect(")) {
            let attribute = text[at..].split_once(")]").map_or("", |(attribute, _)| attribute);
            if !attribute.contains("reason = ") {
                let line = text[..at].lines().count() + 1;
                breaches.push(format!("{path}:{line}: no reason"));
            }
        }
    }
    breaches
}

/// Ids in Better Auth's tables are texts, UUIDs or numbers, and only the layout knows which:
/// to compare one with a text is an error of the database where it is something else.
pub fn ids_of_their_kind(tree: &Tree) -> Breaches {
    let is_breach = |line: &str| {
        ["user", "session", "account"].iter().any(|table| {
            let by_column = ["Id", "UserId"].iter().any(|id| {
                ["eq", "ne", "is_in", "is_not_in"]
                    .iter()
                    .any(|way| line.contains(&format!("{table}::Column::{id}.{way}(")))
            });
            let by_key = ["find_by_id", "delete_by_id"]
                .iter()
                .any(|way| line.contains(&format!("{table}::Entity::{way}(")));
            by_column || by_key
        })
    };
    tree.production()
        .filter(|(path, _, line)| path.starts_with("auth-service/src/") && is_breach(line))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}

/// A transaction that the driver does not count is not noticed when its connection is given
/// on, so none is begun by its words.
pub fn one_way_to_begin(tree: &Tree) -> Breaches {
    const WORDS: [&str; 4] = ["\"BEGIN", "\"COMMIT", "\"ROLLBACK", "\"SAVEPOINT"];
    tree.production()
        .filter(|(path, ..)| !path.starts_with("server/src/db/transaction"))
        .filter(|(_, _, line)| WORDS.iter().any(|word| line.contains(word)))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}

/// Where one shape of a task becomes another, every field is named: a new one does not compile
/// before each conversion has an answer for it.
pub fn whole_conversions(tree: &Tree) -> Breaches {
    const CONVERSIONS: [&str; 5] =
        ["/wire/", "/task/content.rs", "/task/patch.rs", "/store/row.rs", "/fingerprint.rs"];
    let is_conversion = |path: &str| {
        path.starts_with("task-service/src/") && CONVERSIONS.iter().any(|c| path.contains(c))
    };
    // The rest of a pattern or of a struct comes last; of ranges, only one at the start of a
    // line or behind a comma looks like it.
    let leaves_out = |line: &str| {
        line.match_indices("..").any(|(at, dots)| {
            let (before, after) = (line[..at].trim_end(), &line[at + dots.len()..]);
            (before.is_empty() || before.ends_with(',')) && !after.starts_with(['=', '.'])
        })
    };
    tree.production()
        .filter(|(path, _, line)| is_conversion(path) && leaves_out(line))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}

/// Differences between the databases are in one file of the store.
pub fn one_dialect(tree: &Tree) -> Breaches {
    const PLACES: [&str; 2] =
        ["task-service/src/store/dialect.rs", "task-service/src/migration/mod.rs"];
    in_tasks(tree, &PLACES, &["DbBackend::Postgres", "DbBackend::Sqlite"])
}

/// A statement that is a text has no owner that a lint could ask for.
pub fn no_texts(tree: &Tree) -> Breaches {
    const PLACES: [&str; 1] = ["task-service/src/migration/mod.rs"];
    in_tasks(tree, &PLACES, &["execute_unprepared(", "query_one_raw(", "query_all_raw("])
}

/// Lines of task-service with one of `needles`, but for these files.
fn in_tasks(tree: &Tree, places: &[&str], needles: &[&str]) -> Breaches {
    tree.production()
        .filter(|(path, ..)| path.starts_with("task-service/src/") && !places.contains(path))
        .filter(|(_, _, line)| needles.iter().any(|needle| line.contains(needle)))
        .map(|(path, number, line)| format!("{path}:{number}: {}", line.trim()))
        .collect()
}

/// Every test runs.
pub fn nothing_ignored(tree: &Tree) -> Breaches {
    found(tree.rust(), |line| line.trim_start().starts_with(concat!("#[ig", "nore")))
}

/// What works here works anywhere.
pub fn no_machine_paths(tree: &Tree) -> Breaches {
    let places = [concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/")];
    found(tree.sources(), |line| places.iter().any(|place| line.contains(place)))
}

fn found<'t>(
    files: impl Iterator<Item = (&'t str, &'t str)>,
    is_breach: impl Fn(&str) -> bool,
) -> Breaches {
    let mut breaches = Vec::new();
    for (path, text) in files {
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| is_breach(line)) {
            breaches.push(format!("{path}:{number}: {}", line.trim()));
        }
    }
    breaches
}
