//! The lists of settings against what the three programs read.

use std::collections::{BTreeSet, HashMap};

use shared::auth::published_key_settings;

use super::*;

/// The least that must be set.
fn sound() -> HashMap<&'static str, String> {
    HashMap::from([
        ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a".to_owned()),
        ("BETTER_AUTH_URL", "http://localhost:3000".to_owned()),
    ])
}

/// The names that a program reads where hardly anything is set, so that every default is parsed.
fn names_read<T>(
    read: impl FnOnce(&mut Reader<'_, HashMap<&'static str, String>>) -> Option<T>,
) -> BTreeSet<&'static str> {
    let vars = sound();
    let mut reader = Reader::new(&vars);
    server::telemetry::init(&mut reader);
    let config = read(&mut reader);
    let names = reader.names_read();
    assert!(reader.finish(config).is_ok(), "settings that are sound");
    names
}

#[track_caller]
fn assert_listed(read: &BTreeSet<&'static str>, rows: &[Row]) {
    let listed: BTreeSet<_> = rows.iter().map(|row| row.name).collect();
    assert_eq!(listed.len(), rows.len(), "a setting is listed twice");
    let differing: Vec<_> = listed.symmetric_difference(read).collect();
    assert_eq!(differing, [&""; 0], "listed and not read, or read and not listed");
}

#[test]
fn each_program_reads_the_settings_of_its_list_and_no_others() {
    let auth = names_read(auth_service::Config::read);
    assert_listed(&auth, &auth_service::Config::rows());

    let mut tasks = names_read(task_service::Config::read);
    tasks.extend(published_key_settings().iter().map(|row| row.name));
    assert_listed(&tasks, &task_service::Config::rows());

    let both = names_read(|reader| read(reader).expect("no file is read"));
    assert_listed(&both, &rows());
}

#[test]
fn a_database_that_is_named_as_for_one_service_is_told() {
    let secret = ("BETTER_AUTH_SECRET", "0b5f1c9e7a3d48626e2f9b04c7d1583a");
    let unread = |more: &[(&'static str, &str)]| {
        let all = [&[secret], more].concat();
        let vars: HashMap<_, _> = all.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let mut reader = Reader::new(&vars);
        let pair = read(&mut reader).expect("no file is read");
        let unread = reader.unread();
        assert!(reader.finish(pair).is_ok());
        unread
    };
    let one = ("DATABASE_URL", "postgres://u:s3cret@h/d");
    let auth = ("AUTH_DATABASE_URL", "postgres://u@h/a");
    let tasks = ("TASK_DATABASE_URL", "postgres://u@h/t");
    for (set, times) in [
        (&[][..], 0),
        (&[one], 1),
        (&[one, auth], 1),
        (&[auth, tasks], 0),
        (&[one, auth, tasks], 0),
    ] {
        let told = unread(set);
        assert_eq!(told.len(), times, "{told:?}");
        assert!(told.iter().all(|told| told.contains("TASK_DATABASE_URL")), "{told:?}");
    }
}
