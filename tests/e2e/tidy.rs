//! The house rules, read off the source. Each rule is a function over a tree of files, and
//! each is shown to fail on a tree where it is broken.

mod cycles;
mod glossary;
mod imports;
mod promises;
mod rules;
mod tree;
mod words;

use self::tree::Tree;

/// What breaks a rule, a line each: `path:line: what`.
type Breaches = Vec<String>;

/// A rule, and a file that breaks it; `FILE path` in its text begins another one.
struct Rule {
    name: &'static str,
    breaches: fn(&Tree) -> Breaches,
    path: &'static str,
    text: &'static str,
}

const RULES: [Rule; 32] = [
    rule("files are short", rules::short_files, "shared/src/long.rs", "LONG"),
    rule("pages are short", rules::short_files, "examples/app/page.tsx", "LONG"),
    rule("so are styles", rules::short_files, "server/src/http/docs/page.css", "LONG"),
    rule("scripts say what is inside", rules::telling_names, "tests/clients/helpers.mjs", ""),
    rule("names say what is inside", rules::telling_names, "shared/src/date_utils.rs", ""),
    rule("nothing is left undone", rules::nothing_undone, "shared/src/a.rs", "fn a() { TODO }"),
    rule("lints are expected", rules::reasons, "shared/src/a.rs", "#[ALLOW(dead_code)]"),
    rule("expectations say why", rules::reasons, "shared/src/a.rs", "#[EXPECT(\n    unused,\n)]"),
    rule("no test is skipped", rules::nothing_ignored, "tests/e2e/a.rs", "#[test]\n#[IGNORE]"),
    rule(
        "ids are compared by their kind",
        rules::ids_of_their_kind,
        "auth-service/src/store/a.rs",
        "session::Column::UserId.eq(id)",
    ),
    rule(
        "transactions begin in one place",
        rules::one_way_to_begin,
        "task-service/src/store/a.rs",
        "on.execute_unprepared(\"BEGIN\")",
    ),
    rule(
        "conversions name every field",
        rules::whole_conversions,
        "task-service/src/wire/a.rs",
        "let pb::Task { id, title: _, .. } = task;",
    ),
    rule(
        "conversions leave no field to its default",
        rules::whole_conversions,
        "task-service/src/store/row.rs",
        "    ActiveModel {\n        id,\n        ..Default::default()\n    }",
    ),
    rule(
        "databases differ in one file",
        rules::one_dialect,
        "task-service/src/store/a.rs",
        "if backend == DbBackend::Postgres {}",
    ),
    rule(
        "tasks are not asked for by texts",
        rules::no_texts,
        "task-service/src/store/a.rs",
        "on.execute_unprepared(\"DELETE FROM task\")",
    ),
    rule("no path of one machine", rules::no_machine_paths, "tests/run", "#!/bin/sh\ncd /HOME/ada"),
    rule("proto types stay at the edge", imports::proto, "task-service/src/task.rs", "proto::x"),
    rule(
        "sea_orm stays in the store",
        imports::sea_orm,
        "task-service/src/grpc.rs",
        "use sea_orm::X;",
    ),
    rule(
        "lib.rs knows start errors alone",
        imports::sea_orm,
        "task-service/src/lib.rs",
        "use sea_orm::X;",
    ),
    rule("axum stays at the doors", imports::axum, "auth-service/src/a.rs", "use axum::Router;"),
    rule(
        "no address leads past them",
        imports::axum,
        "standalone/src/http/a.rs",
        "axum::Router::new()",
    ),
    rule(
        "tokens are issued by few",
        imports::issuer,
        "task-service/src/a.rs",
        "TokenIssuer::new()",
    ),
    rule(
        "statuses are made in few places",
        imports::status,
        "auth-service/src/a.rs",
        "Status::internal(x)",
    ),
    rule("promises are kept by tests", promises::kept, "docs/a.md", "| `tests/e2e/a.rs::gone` |"),
    rule("no promise is left for later", promises::kept, "docs/a.md", "| *To be completed* |"),
    rule("documents are in plain words", words::plain, "docs/a.md", "Sent to whoever asks."),
    rule("so are contracts", words::plain, "proto/a/v1/a.proto", "// Of somebody `else`."),
    rule("so is the manual", words::plain, ".env.example", "# Nobody asks."),
    rule("comments name their thing", words::no_riddles, "shared/src/a.rs", "// Nobody's."),
    rule("drills are there", promises::kept, "docs/a.md", "under load: `tests/faults/gone.py`"),
    rule(
        "modules import in one direction",
        cycles::none,
        "shared/src/a.rs",
        "use crate::{\n    B,\n};\nFILE shared/src/b.rs\nuse super::c::d;\n\
         FILE shared/src/c/mod.rs\nuse super::a::e;\nFILE shared/src/lib.rs\npub use b::B;",
    ),
    rule(
        "services meet on the wire",
        imports::services,
        "task-service/Cargo.toml",
        "auth-service = 1",
    ),
];

const fn rule(
    name: &'static str,
    breaches: fn(&Tree) -> Breaches,
    path: &'static str,
    text: &'static str,
) -> Rule {
    Rule { name, breaches, path, text }
}

#[test]
fn every_house_rule_holds() {
    let tree = Tree::read();
    assert!(tree.files().count() > 80, "the tree is not all here");
    let mut broken = Vec::new();
    for Rule { name, breaches, .. } in RULES {
        for breach in breaches(&tree) {
            broken.push(format!("{name}: {breach}"));
        }
    }
    broken.dedup();
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn only_tests_are_left_out_of_what_runs_in_production() {
    let mut tree = Tree::default();
    let text = "//! A.\n#[cfg(test)]\n#[path = \"b.rs\"]\nmod tests;\nuse a::B;\n\
                #[cfg(test)]\nmod more {\n    fn c() {\n    }\n}\nfn d() {}";
    tree.plant("shared/src/a.rs", text);
    tree.plant("shared/src/a_tests.rs", "fn e() {}");
    let lines: Vec<_> = tree.production().map(|(_, number, line)| (number, line)).collect();
    assert_eq!(lines, [(5, "use a::B;"), (11, "fn d() {}")]);
}

#[test]
fn every_house_rule_notices_when_it_is_broken() {
    for Rule { name, breaches, path, text } in RULES {
        // Spelled apart, so that this file does not break the rules itself.
        let text = text
            .replace("TODO", concat!("todo", "!()"))
            .replace("EXPECT", concat!("exp", "ect"))
            .replace("ALLOW", concat!("al", "low"))
            .replace("IGNORE", concat!("ig", "nore"))
            .replace("HOME", concat!("ho", "me"))
            .replace("LONG", &"//\n".repeat(401));
        let mut tree = Tree::default();
        assert_eq!(breaches(&tree), Vec::<String>::new(), "{name}");
        let (first, others) = text.split_once("FILE ").unwrap_or((&text, ""));
        tree.plant(path, first);
        for (path, text) in others.split("FILE ").filter_map(|file| file.split_once('\n')) {
            tree.plant(path, text);
        }
        assert_eq!(breaches(&tree).len(), 1, "{name}: {:?}", breaches(&tree));
    }
}
