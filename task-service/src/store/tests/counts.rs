//! Counts: right, whatever is selected, and one with the list.

use std::{cmp::Reverse, collections::BTreeMap};

use fixtures::{FreshDatabase, on_both_databases};

use super::{
    variety::passes,
    world::{World, first_page, in_state, owner, titled},
};
use crate::{
    domain::{
        task::{Content, Priority, Tags, TaskPatch, tags},
        zone::Zone,
    },
    query::{
        count::Counts,
        filter::{Filter, search_words},
        page::PageRequest,
    },
    store::access::Bounds,
};

on_both_databases!(
    counts_are_those_of_the_tasks_that_pass,
    a_tag_is_counted_whole_and_spelled_as_it_was_last,
    the_counts_of_an_unknown_user_are_zero,
    a_count_reads_the_latest_tasks_alone_and_says_so,
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
                is_partial: false,
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

async fn a_count_reads_the_latest_tasks_alone_and_says_so(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.varied().await;
    let alice = owner("alice");
    let mut live = world.everything("alice").await;
    live.retain(|task| task.deleted_at.is_none());
    live.sort_by_key(|task| Reverse((task.created_at, task.id)));
    let world = world.reading(Bounds { sample: 4, few: 5, page: 4, count: 10 });
    let total = async |filter: &Filter| {
        let request = PageRequest { with_total: true, filter: filter.clone(), ..first_page() };
        world.tasks.list(&alice, &request).await.expect("a page").total
    };
    let without_tag = Filter { tags_none: vec!["café".into()], ..Filter::default() };
    for filter in [Filter::default(), without_tag.clone()] {
        let counts = world.tasks.count(&alice, &filter).await.expect("counts");
        let passing = live[..10].iter().filter(|task| passes(&filter, task, world.now()));
        assert!(counts.is_partial);
        assert_eq!(
            counts.open + counts.completed,
            i64::try_from(passing.count()).expect("few"),
            "{filter:?}"
        );
    }
    assert_eq!(total(&Filter::default()).await, Some(live.len() as u64), "known by the usage");
    assert_eq!(total(&without_tag).await, None);
    let completed = in_state(Some(true));
    let all = live.iter().filter(|task| task.completed()).count();
    assert!(all < 10);
    let counts = world.tasks.count(&alice, &completed).await.expect("counts");
    assert_eq!((counts.completed, counts.is_partial), (i64::try_from(all).expect("few"), false));
    assert_eq!(total(&completed).await, Some(all as u64), "an index has these few");
}
