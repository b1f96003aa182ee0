//! Rows that an older version wrote, beside this one: indexed anew while both serve.

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait,
    sea_query::{Expr, ExprTrait, Query},
};
use shared::auth::Owner;

use super::world::{World, every_user, first_page, owner, titled};
use crate::{
    domain::task::{Content, Tags, Task, sort_key},
    entity::task::{ActiveModel, Column, Entity},
    query::{
        filter::{Filter, search_words, tag_keys},
        full_text::Lexicon,
        page::PageRequest,
    },
    store::{owned::owned_insert, row::whole, system_queries},
};

on_both_databases!(
    rows_of_an_older_version_are_found_as_new_ones_once_they_are_indexed_anew,
    what_changes_meanwhile_is_left_alone,
);

/// The tokens that the version before made of these folded words and tags.
fn words_of_old(user: &str, words: &[&str], tags: &[&str]) -> String {
    let lexicon = Lexicon::of(user);
    let mut tokens: Vec<_> = words
        .iter()
        .map(|word| lexicon.tag("").token.split('§').next().expect("a mark").to_owned() + word)
        .chain(tags.iter().map(|key| lexicon.tag(key).token))
        .collect();
    tokens.sort();
    tokens.join(" ")
}

impl World {
    /// A task as the version before stored it.
    async fn old(&self, owner: &Owner, title: &str, tag: &str, words: String) -> Task {
        let tags = Tags::parse(vec![tag.to_owned()]).expect("a tag");
        let user_id = owner.user().as_str();
        let number = i64::try_from(words.len()).expect("short");
        let new = Content { tags, ..titled(title) };
        let task = Task::new(user_id, new, self.now(), number, 0);
        let row = ActiveModel { words: Set(Some(words)), phrases: Set(None), ..whole(&task) };
        owned_insert(owner, row).exec_without_returning(self.database.writer()).await.expect("in");
        task
    }

    async fn titles_of(&self, owner: &Owner, filter: Filter) -> Vec<String> {
        let request = PageRequest { filter, ..first_page() };
        let page = self.tasks.list(owner, &request).await.expect("a page");
        let mut titles: Vec<_> =
            page.tasks.into_iter().map(|task| task.content.title.into_string()).collect();
        titles.sort();
        titles
    }
}

fn text(text: &str) -> Filter {
    Filter { words: search_words(text).expect("a text"), ..Filter::default() }
}

fn tagged(tag: &str) -> Filter {
    let tags_any = tag_keys(&[tag.to_owned()]).expect("a tag");
    Filter { tags_any, ..Filter::default() }
}

#[expect(clippy::disallowed_methods, reason = "makes rows as an older version had them")]
async fn rows_of_an_older_version_are_found_as_new_ones_once_they_are_indexed_anew(
    fresh: FreshDatabase,
) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let old = words_of_old("alice", &["家のかき", "milk", "home"], &["かき"]);
    let task = world.old(&alice, "家のかぎ milk", "かぎ", old).await;
    world.old(&owner("bob"), "Milk", "home", words_of_old("bob", &["milk"], &["home"])).await;
    world.made(&alice, "家のかき milk").await;
    // One of this version that a replica of the other has changed since.
    let changed = world.made(&alice, "before").await;
    let change = Query::update()
        .table(Entity)
        .value(Column::Title, "接龙游戏 milk")
        .value(Column::Words, words_of_old("alice", &["接龙游戏", "milk"], &[]))
        .and_where(Expr::col(Column::Id).eq(changed.id))
        .to_owned();
    world.database.writer().execute(&change).await.expect("changed");

    let milk = world.titles_of(&alice, text("milk")).await;
    assert_eq!(
        milk,
        ["家のかき milk", "家のかぎ milk", "接龙游戏 milk"],
        "as both versions have it"
    );
    for filter in [text("かぎ"), text("龙游"), text("接龙游戏"), tagged("かぎ")] {
        world.titles_of(&alice, filter).await;
    }

    assert_eq!(world.tasks.index_outdated(every_user()).await.expect("indexed"), 3);
    for (filter, titles) in [
        (text("milk"), &["家のかき milk", "家のかぎ milk", "接龙游戏 milk"][..]),
        (text("のかぎ"), &["家のかぎ milk"]),
        (text("のかき"), &["家のかき milk"]),
        (text("龙游戏"), &["接龙游戏 milk"]),
        (text("before"), &[]),
        (tagged("かぎ"), &["家のかぎ milk"]),
        (tagged("かき"), &[]),
    ] {
        assert_eq!(world.titles_of(&alice, filter.clone()).await, titles, "{filter:?}");
    }
    assert_eq!(world.titles_of(&owner("bob"), tagged("HOME")).await, ["Milk"]);
    let now = world.tasks.get(&alice, task.id).await.expect("a task");
    assert_eq!(now, task, "nobody can tell that it events_after");
    assert_eq!(world.tasks.index_outdated(every_user()).await.expect("nothing to do"), 0);
}

async fn what_changes_meanwhile_is_left_alone(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let task = world.old(&alice, "Milk", "home", words_of_old("alice", &["milk"], &["home"])).await;
    let made = || Lexicon::of("alice").index("Milk", "", &[]);
    for (revision, rows) in [(task.revision - 1, 0), (task.revision, 1), (task.revision, 0)] {
        let place = (task.id, revision);
        let update =
            system_queries::indexed(every_user().user("alice"), place, sort_key("Milk"), made());
        let done = update.exec(world.database.writer()).await.expect("updated");
        assert_eq!(done.rows_affected, rows, "{revision}");
    }
}
