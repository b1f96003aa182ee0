//! Counts: right, whatever is selected, and one with the list.

use std::collections::BTreeMap;

use fixtures::{FreshDatabase, on_both_databases};

use super::{
    variety::passes,
    world::{World, in_state, owner, titled},
};
use crate::{
    domain::{
        task::{Content, Priority, Tags, TaskPatch, tags},
        zone::Zone,
    },
    query::{
        count::Counts,
        filter::{Filter, search_words},
    },
};

on_both_databases!(
    counts_are_those_of_the_tasks_that_pass,
    a_tag_is_counted_whole_and_spelled_as_it_was_last,
    the_counts_of_an_unknown_user_are_zero,
);

async fn counts_are_those_of_the_tasks_that_pass(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.varied().await;
    let now = world.now();
    let berlin = Zone::parse("Europe/Berlin").expect("a zone");
    for user in ["alice", "bob"] {
        let everything = world.everything(user).await;
        for filter in [
            Filter::default(),
            in_state(Some(true)),
            Filter { zone: berlin.clone(), ..in_state(Some(false)) },
            Filter { words: search_words("milk").expect("a text"), ..Filter::default() },
            Filter { tags_any: vec!["café".into()], ..Filter::default() },
            Filter { tags_none: vec!["café".into()], ..Filter::default() },
            Filter { overdue: Some(true), ..Filter::default() },
            Filter { overdue: Some(false), ..Filter::default() },
            Filter { priorities: vec![Priority::High], has_due: Some(true), ..Filter::default() },
        ] {
            let passing = || everything.iter().filter(|task| passes(&filter, task, now));
            let count = |n: usize| i64::try_from(n).expect("few");
            let mut priorities = BTreeMap::new();
            let mut by_key: BTreeMap<String, i64> = BTreeMap::new();
            for task in passing() {
                *priorities.entry(task.content.priority).or_default() += 1;
                for tag in task.content.tags.as_slice() {
                    *by_key.entry(tags::key(tag).expect("a tag")).or_default() += 1;
                }
            }
            let is_overdue = Filter { overdue: Some(true), ..filter.clone() };
            let counts = world.tasks.count(&owner(user), &filter).await.expect("counts");
            let said = counts.tags.iter().map(|(tag, n)| (tags::key(tag).expect("a tag"), *n));
            assert_eq!(said.collect::<BTreeMap<_, _>>(), by_key);
            assert!(counts.tags.is_sorted_by_key(|(_, n)| -n));
            let expected = Counts {
                open: count(passing().filter(|task| !task.completed()).count()),
                completed: count(passing().filter(|task| task.completed()).count()),
                overdue: match filter.overdue {
                    Some(false) => 0,
                    _ => count(everything.iter().filter(|t| passes(&is_overdue, t, now)).count()),
                },
                priorities,
                tags: counts.tags.clone(),
            };
            assert_eq!(counts, expected, "{user} {filter:?}");
        }
    }
}

async fn a_tag_is_counted_whole_and_spelled_as_it_was_last(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let tagged = |tag: &str| Tags::parse(vec![tag.to_owned(), "x".to_owned()]).expect("tags");
    let mut first = None;
    for tag in ["Café", "café", "CAFÉ", "\"quoted\" 'тег'"] {
        let task = Content { tags: tagged(tag), ..titled("a") };
        let made = world.tasks.create(&alice, task).await.expect("created");
        first.get_or_insert(made.id);
    }
    let tags = async || {
        let counts = world.tasks.count(&alice, &Filter::default()).await.expect("counts");
        counts.tags.into_iter().map(|(tag, count)| format!("{tag}: {count}")).collect::<Vec<_>>()
    };
    assert_eq!(tags().await, ["x: 4", "CAFÉ: 3", "\"quoted\" 'тег': 1"]);
    let id = first.expect("a task");
    let patch = TaskPatch { tags: Some(tagged("cafÉ")), ..TaskPatch::default() };
    world.tasks.update(&alice, id, patch, None).await.expect("updated");
    assert_eq!(tags().await[1], "cafÉ: 3");
    world.tasks.delete(&alice, id, None).await.expect("deleted");
    assert_eq!(tags().await[..2], ["x: 3", "CAFÉ: 2"]);
}

async fn the_counts_of_an_unknown_user_are_zero(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.made(&owner("bob"), "his").await;
    let counts = world.tasks.count(&owner("alice"), &Filter::default()).await;
    assert_eq!(counts.expect("counts"), Counts::default());
}
