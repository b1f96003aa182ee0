//! Search: what is found, by whom, and how soon.

use fixtures::{FreshDatabase, on_both_databases};
use sea_orm::{
    ActiveValue::Set,
    ConnectionTrait,
    sea_query::{Expr, ExprTrait, Query},
};
use shared::auth::Owner;

use super::world::{World, every_user, first_page, owner, titled};
use crate::{
    domain::task::{Content, Tags, Task, TaskPatch, Title},
    entity::task::{ActiveModel, Column, Entity},
    query::{
        filter::{Filter, search_words, tag_keys},
        page::PageRequest,
    },
    store::{owned::owned_insert, row::whole},
};

on_both_databases!(
    words_are_found_by_their_beginning_without_case_and_accents,
    tags_are_compared_by_their_letters,
    operators_and_wildcards_are_data,
    no_user_finds_tasks_of_another,
    what_changes_is_found_as_it_is_at_once,
    older_tasks_are_found_once_they_are_indexed,
);

impl World {
    /// The titles of what `owner` finds, sorted.
    async fn searched(&self, owner: &Owner, text: &str) -> Vec<String> {
        let words = search_words(text).expect("a text");
        self.filtered(owner, Filter { words, ..Filter::default() }).await
    }

    async fn tagged(&self, owner: &Owner, tag: &str) -> Vec<String> {
        let tags_any = tag_keys(&[tag.to_owned()]).expect("a tag");
        self.filtered(owner, Filter { tags_any, ..Filter::default() }).await
    }

    async fn filtered(&self, owner: &Owner, filter: Filter) -> Vec<String> {
        let request = PageRequest { filter, ..first_page() };
        let page = self.tasks.list(owner, &request).await.expect("a page");
        let mut titles: Vec<_> =
            page.tasks.into_iter().map(|task| task.content.title.into_string()).collect();
        titles.sort();
        titles
    }
}

async fn words_are_found_by_their_beginning_without_case_and_accents(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for title in ["Crème brûlée", "STRASSE 12", "牛乳を買う", "Ёлка", "İstanbul", "№5 ½"]
    {
        world.made(&alice, title).await;
    }
    for (text, found) in [
        ("creme", &["Crème brûlée"][..]),
        ("BRÛ crè", &["Crème brûlée"]),
        ("reme", &[]),
        ("creme strasse", &[]),
        ("Straße", &["STRASSE 12"]),
        ("牛乳", &["牛乳を買う"]),
        ("乳", &["牛乳を買う"]),
        ("買う", &["牛乳を買う"]),
        ("牛買", &[]),
        ("елка", &["Ёлка"]),
        ("istan", &["İstanbul"]),
        ("no5", &["№5 ½"]),
        ("1", &["STRASSE 12", "№5 ½"]),
        ("brulee-creme", &["Crème brûlée"]),
    ] {
        assert_eq!(world.searched(&alice, text).await, found, "{text}");
    }
}

async fn tags_are_compared_by_their_letters(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let tags = ["かき", "かぎ", "café", "cafe", "чай", "чаи", "sınır", "sinir", "กา", "ก้า"];
    for tag in tags {
        let tags = Tags::parse(vec![tag.to_owned(), "all".to_owned()]).expect("tags");
        world.tasks.create(&alice, Content { tags, ..titled(tag) }).await.expect("created");
    }
    for (number, tag) in tags.into_iter().enumerate() {
        assert_eq!(world.tagged(&alice, tag).await, [tag]);
        assert_eq!(world.tagged(&alice, &tag.to_uppercase()).await.len(), 1, "{tag}");
        let tags_none = tag_keys(&[tag.to_owned()]).expect("a tag");
        let others = world.filtered(&alice, Filter { tags_none, ..Filter::default() }).await;
        assert_eq!(others.len(), tags.len() - 1);
        assert!(!others.contains(&tags[number].to_owned()));
    }
    assert_eq!(world.tagged(&alice, "cafe\u{301}").await, ["café"]);
    assert_eq!(world.searched(&alice, "cafe").await, ["cafe", "café"], "words are searched");
    let counts = world.tasks.count(&alice, &Filter::default()).await.expect("counts");
    assert_eq!(counts.tags.len(), tags.len() + 1);
    assert!(counts.tags[1..].iter().all(|(_, count)| *count == 1), "{counts:?}");
}

async fn operators_and_wildcards_are_data(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    for title in ["plain", "cats or dogs", "near and far", "not a column: words"] {
        world.made(&alice, title).await;
    }
    let tags = Tags::parse(vec!["\"'; -- \\ * | & !".to_owned()]).expect("a tag");
    let odd = Content { tags, ..titled("odd") };
    world.tasks.create(&alice, odd).await.expect("created");
    for (text, found) in [
        ("plain%", &["plain"][..]),
        ("pl_in", &[]),
        ("p*n", &[]),
        ("*plain*", &["plain"]),
        ("\"plain\"", &["plain"]),
        ("'plain' --", &["plain"]),
        ("plain' OR '1'='1", &[]),
        ("plain OR cats", &[]),
        ("or dogs", &["cats or dogs"]),
        ("NEAR(far)", &["near and far"]),
        ("AND", &["near and far"]),
        ("NOT", &["not a column: words"]),
        ("words:column", &["not a column: words"]),
        ("^plain", &["plain"]),
        ("-plain", &["plain"]),
        ("plain | !cats & :* <-> \\ (", &[]),
        ("plain:*", &["plain"]),
        ("{plain} \\' \\\\ $1 ?", &[]),
        ("plain\0", &["plain"]),
    ] {
        assert_eq!(world.searched(&alice, text).await, found, "{text}");
    }
    assert_eq!(world.tagged(&alice, "\"'; -- \\ * | & !").await, ["odd"]);
    assert_eq!(world.tagged(&alice, "\"").await, [""; 0]);
}

async fn no_user_finds_tasks_of_another(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let users = ["alice", "Alice", "alic", "%"];
    let tags = || Tags::parse(vec!["shared".to_owned()]).expect("a tag");
    for user in users {
        let task = Content { tags: tags(), ..titled(&format!("secret of {user}")) };
        world.tasks.create(&owner(user), task).await.expect("created");
    }
    for user in users {
        let (owner, own) = (owner(user), [format!("secret of {user}")]);
        assert_eq!(world.searched(&owner, "secret").await, own);
        assert_eq!(world.tagged(&owner, "shared").await, own);
        let others = Filter { tags_none: vec!["other".into()], ..Filter::default() };
        assert_eq!(world.filtered(&owner, others).await, own);
        let words = search_words("secret").expect("a text");
        let counts = world.tasks.count(&owner, &Filter { words, ..Filter::default() }).await;
        assert_eq!(counts.expect("counts").open, 1);
    }
    // Even a row that was indexed with the tokens of another user.
    let mallory = owner("mallory");
    let theirs = Task::new("alice", titled("secret of mallory"), world.now(), 9, 0);
    let planted = owned_insert(&mallory, whole(&theirs));
    planted.exec_without_returning(world.database.writer()).await.expect("inserted");
    assert_eq!(world.searched(&owner("alice"), "secret").await, ["secret of alice"]);
}

async fn what_changes_is_found_as_it_is_at_once(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let task = world.made(&alice, "apples").await;
    world.made(&alice, "apricots").await;
    assert_eq!(world.searched(&alice, "ap").await, ["apples", "apricots"]);
    let patch = TaskPatch { title: Title::parse("pears").ok(), ..TaskPatch::default() };
    world.tasks.update(&alice, task.id, patch, None).await.expect("updated");
    assert_eq!(world.searched(&alice, "ap").await, ["apricots"]);
    assert_eq!(world.searched(&alice, "pear").await, ["pears"]);
    let tags = Tags::parse(vec!["Fruit".into()]).ok();
    let patch = TaskPatch { tags, ..TaskPatch::default() };
    world.tasks.update(&alice, task.id, patch, None).await.expect("updated");
    assert_eq!(world.tagged(&alice, "FRUIT").await, ["pears"]);
    assert_eq!(world.searched(&alice, "fru").await, ["pears"], "the words of tags are words");
    world.tasks.delete(&alice, task.id, None).await.expect("deleted");
    assert_eq!(world.searched(&alice, "pear").await, [""; 0]);
    let words = search_words("pear").expect("a text");
    let trash = Filter { words, deleted: true, ..Filter::default() };
    assert_eq!(world.filtered(&alice, trash).await, ["pears"]);
    world.tasks.undelete(&alice, task.id, None).await.expect("undeleted");
    assert_eq!(world.tagged(&alice, "fruit").await, ["pears"]);
    world.tasks.delete(&alice, task.id, None).await.expect("deleted");
    world.later(2);
    world.tasks.empty_trash(every_user(), std::time::Duration::from_secs(1)).await.expect("purged");
    assert_eq!(world.searched(&alice, "pear").await, [""; 0]);
    assert_eq!(world.searched(&alice, "a").await, ["apricots"]);
}

#[expect(clippy::disallowed_methods, reason = "makes rows as an older version had them")]
async fn older_tasks_are_found_once_they_are_indexed(fresh: FreshDatabase) {
    let world = World::on(&fresh).await;
    let alice = owner("alice");
    let tags = Tags::parse(vec!["Old".into()]).expect("a tag");
    let new = Content { tags, ..titled("from before") };
    let older = Task::new("alice", new, world.now(), 1, 0);
    let row = ActiveModel { words: Set(None), title_key: Set(None), ..whole(&older) };
    owned_insert(&alice, row).exec_without_returning(world.database.writer()).await.expect("in");
    let made = world.made(&alice, "before long").await;
    // One that was in the index and is to be made anew.
    let again = Query::update()
        .table(Entity)
        .value(Column::Words, Expr::cust("NULL"))
        .and_where(Expr::col(Column::Id).eq(made.id))
        .to_owned();
    world.database.writer().execute(&again).await.expect("updated");
    let none = Filter { tags_none: vec!["old".into()], ..Filter::default() };
    assert_eq!(world.searched(&alice, "before").await, [""; 0]);
    assert_eq!(world.filtered(&alice, none.clone()).await, ["before long", "from before"]);
    world.tasks.index_outdated(every_user()).await.expect("indexed");
    assert_eq!(world.searched(&alice, "before").await, ["before long", "from before"]);
    assert_eq!(world.tagged(&alice, "old").await, ["from before"]);
    assert_eq!(world.filtered(&alice, none).await, ["before long"]);
}
