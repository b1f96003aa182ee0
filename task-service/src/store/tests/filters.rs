//! Every filter alone and together with others, in every order, against a model.

use fixtures::{FreshDatabase, on_both_databases};

use super::{
    variety::{DAYS, ZONES, in_order, passes},
    world::{World, first_page, in_state},
};
use crate::{
    domain::{
        due::Due,
        task::{Priority, Task},
        zone::Zone,
    },
    query::{
        filter::{Filter, search_words, tag_keys},
        page::PageRequest,
        sort::{Sort, SortField},
    },
    store::{
        access::{Access, Bounds},
        read,
        selection::View,
    },
};

on_both_databases!(
    every_filter_in_every_order_finds_what_its_words_say,
    pages_that_end_early_are_as_complete,
    whichever_index_is_read_finds_the_same,
    days_are_those_of_the_callers_zone,
);

const ALL: [SortField; 7] = [
    SortField::Created,
    SortField::Updated,
    SortField::Due,
    SortField::Priority,
    SortField::Title,
    SortField::Position,
    SortField::Deleted,
];

fn text(text: &str) -> Filter {
    Filter { words: search_words(text).expect("a text"), ..Filter::default() }
}

fn keys(tags: &[&str]) -> Vec<String> {
    tag_keys(&tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>()).expect("tags")
}

/// Each alone, and some together.
fn filters() -> Vec<Filter> {
    let day = |n: usize| Due::parse_date(DAYS[n]).ok();
    let berlin = Zone::parse("Europe/Berlin").expect("a zone");
    let plain = Filter::default;
    let mut filters = vec![
        plain(),
        in_state(Some(true)),
        in_state(Some(false)),
        Filter { priorities: vec![Priority::High], ..plain() },
        Filter { priorities: vec![Priority::Low, Priority::Urgent], ..plain() },
        Filter { tags_any: keys(&["HOME"]), ..plain() },
        Filter { tags_any: keys(&["Cafe", "work", "かき"]), ..plain() },
        Filter { tags_all: keys(&["home office", "café"]), ..plain() },
        Filter { tags_none: keys(&["café", "A\"B'C"]), ..plain() },
        Filter { tags_any: keys(&["off"]), ..plain() },
        Filter { due_from: day(1), ..plain() },
        Filter { due_until: day(1), zone: berlin.clone(), ..plain() },
        Filter { due_from: day(1), due_until: day(1), zone: berlin.clone(), ..plain() },
        Filter { overdue: Some(true), ..plain() },
        Filter { overdue: Some(false), zone: berlin.clone(), ..plain() },
        Filter { has_due: Some(true), ..plain() },
        Filter { has_due: Some(false), ..plain() },
        text("milk"),
        text("creme brul"),
        text("off"),
        text("乳"),
        text("2本"),
        text("本を"),
        text("重跑 50条"),
        text("กาแฟ"),
        text("itgc gen"),
        Filter { has_due: Some(false), overdue: Some(true), ..plain() },
        Filter { completed: Some(true), overdue: Some(true), ..plain() },
        Filter { tags_any: keys(&["home"]), tags_none: keys(&["work"]), ..text("1") },
        Filter { tags_all: keys(&["work"]), tags_any: keys(&["home", "cafe"]), ..plain() },
        Filter { overdue: Some(false), due_from: day(0), ..in_state(Some(false)) },
        Filter {
            priorities: vec![Priority::Low, Priority::Medium, Priority::High],
            due_until: day(3),
            tags_none: keys(&["work"]),
            ..in_state(Some(false))
        },
    ];
    let trash: Vec<_> =
        filters.iter().cloned().map(|filter| Filter { deleted: true, ..filter }).collect();
    filters.extend(trash);
    filters
}

async fn every_filter_in_every_order_finds_what_its_words_say(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.varied().await;
    for user in ["alice", "bob"] {
        // Pages as long as the list, and of a size that changes with the filter.
        finds_what_the_filters_say(&world, user, |n| vec![200, n % 4 + 1]).await;
    }
}

/// Some conditions match too many tasks to be sorted, and pages end before they are full.
async fn pages_that_end_early_are_as_complete(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.varied().await;
    let world = world.reading(Bounds { sample: 4, few: 5, page: 4, count: 100 });
    finds_what_the_filters_say(&world, "alice", |n| vec![n % 4 + 1]).await;
}

/// Each filter in each order, with pages of these sizes.
async fn finds_what_the_filters_say(world: &World, user: &str, sizes: fn(usize) -> Vec<usize>) {
    let now = world.now();
    let mut found_some = 0;
    let everything = world.everything(user).await;
    assert_eq!(everything.len(), 30);
    for (n, filter) in filters().into_iter().enumerate() {
        let expected: Vec<Task> =
            everything.iter().filter(|task| passes(&filter, task, now)).cloned().collect();
        found_some += usize::from(!expected.is_empty());
        for by in ALL {
            if by == SortField::Deleted && !filter.deleted {
                continue;
            }
            for descending in [false, true] {
                let sort = Sort { by, descending };
                let mut expected = expected.clone();
                in_order(&mut expected, sort);
                for size in sizes(n) {
                    let filter = filter.clone();
                    let request = PageRequest { size, filter, sort, ..first_page() };
                    let found = world.found(user, request.clone()).await;
                    assert_eq!(found, expected, "{user} {request:?}");
                }
            }
        }
        let request = PageRequest { size: 1, with_total: true, filter, ..first_page() };
        let owner = super::world::owner(user);
        let page = world.tasks.list(&owner, &request).await.expect("a page");
        assert_eq!(page.total, Some(expected.len() as u64), "{request:?}");
        let counts = world.tasks.count(&owner, &request.filter).await.expect("counts");
        let total = usize::try_from(counts.open + counts.completed).expect("a count");
        assert_eq!(total, expected.len(), "{request:?}");
    }
    assert!(found_some > 35, "{found_some}: a filter that finds nothing shows little");
}

/// By whichever index a list is read, those of the conditions that it has or that of its order.
async fn whichever_index_is_read_finds_the_same(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.varied().await;
    let alice = super::world::owner("alice");
    for filter in filters() {
        for by in ALL {
            let sort = Sort { by, descending: by == SortField::Due };
            let request = PageRequest { filter: filter.clone(), sort, ..first_page() };
            let view = world
                .tasks
                .view(world.database.reader(), &alice, &filter, by, 1)
                .await
                .expect("a view");
            let mut expected = None;
            for access in Access::of(&filter, by).chain([Access::Order]) {
                let mut ids = Vec::new();
                for walk in (View { access, ..view }).walks(&request) {
                    let walk = walk.select(None);
                    let read = read::all(world.database.reader(), &alice, walk).await;
                    ids.extend(read.expect("tasks").into_iter().map(|task| task.id));
                }
                let expected = expected.get_or_insert_with(|| ids.clone());
                assert_eq!(&ids, expected, "{access:?} {request:?}");
            }
        }
    }
}

async fn days_are_those_of_the_callers_zone(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    world.varied().await;
    let everything = world.everything("alice").await;
    for zone in ZONES {
        let zone = Zone::parse(zone).expect("a zone");
        for day in DAYS {
            let day = Due::parse_date(day).ok();
            let plain = Filter { zone: zone.clone(), ..Filter::default() };
            for filter in [
                Filter { due_from: day, due_until: day, ..plain.clone() },
                Filter { due_from: day, ..plain.clone() },
                Filter { due_until: day, ..plain.clone() },
                Filter { overdue: Some(true), ..plain.clone() },
                Filter { overdue: Some(false), ..plain },
            ] {
                for descending in [false, true] {
                    let sort = Sort { by: SortField::Due, descending };
                    let passing = everything.iter().filter(|t| passes(&filter, t, world.now()));
                    let mut expected: Vec<_> = passing.cloned().collect();
                    in_order(&mut expected, sort);
                    let filter = filter.clone();
                    let request = PageRequest { size: 3, filter, sort, ..first_page() };
                    assert_eq!(
                        world.found("alice", request.clone()).await,
                        expected,
                        "{request:?}"
                    );
                }
            }
        }
        world.later(7 * 3600);
    }
}
