//! Tags: any words, in the order and the spelling they were given.

use proto::task::v1::Task;
use tonic::Status;

use crate::{answer::Refused, caller::SignedIn, scenarios::in_both_worlds, world::World};

in_both_worlds!(
    tags_come_back_in_the_order_and_the_spelling_they_were_given,
    of_tags_that_are_the_same_letters_the_first_stays,
    tags_of_other_letters_are_other_tags,
    too_many_and_too_long_tags_are_refused,
    tags_change_as_a_whole_or_not_at_all,
);

async fn tagged(caller: &SignedIn, tags: &[&str]) -> Result<Task, Status> {
    caller.make("Water the plants", |new| new.tags = texts(tags)).await
}

fn texts(tags: &[&str]) -> Vec<String> {
    tags.iter().map(ToString::to_string).collect()
}

async fn tags_come_back_in_the_order_and_the_spelling_they_were_given(world: &World) {
    let alice = world.alice().await;
    let longest = "🦀".repeat(50);
    let many: Vec<_> = (0..20).map(|number| format!("number {number}")).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    for (given, kept) in [
        (&[][..], &[][..]),
        (&["Home", "errand", "Café au lait"], &["Home", "errand", "Café au lait"]),
        (&[" padded\t"], &["padded"]),
        (&[&longest], &[&longest]),
        (
            &["a,b", "\"quoted\"", "';--", "%_*", "#1", "{}"],
            &["a,b", "\"quoted\"", "';--", "%_*", "#1", "{}"],
        ),
        (&many, &many),
    ] {
        let task = tagged(&alice, given).await.expect("a task");
        assert_eq!(task.tags, kept);
        assert_eq!(alice.get(&task.id).await.expect("the task"), task);
    }
    assert_eq!(alice.all_tasks().await.len(), 6);
}

async fn of_tags_that_are_the_same_letters_the_first_stays(world: &World) {
    let alice = world.alice().await;
    let given = ["Café", "home", "CAFÉ", "HOME", "cafe\u{301}", " home ", "homes"];
    let task = tagged(&alice, &given).await.expect("a task");
    assert_eq!(task.tags, ["Café", "home", "homes"]);
    // Twenty of them twice are twenty.
    let twice: Vec<_> = (0..40).map(|number| format!("number {}", number % 20)).collect();
    let twice: Vec<_> = twice.iter().map(String::as_str).collect();
    assert_eq!(tagged(&alice, &twice).await.expect("a task").tags, twice[..20]);
}

async fn tags_of_other_letters_are_other_tags(world: &World) {
    let alice = world.alice().await;
    let given =
        ["かき", "かぎ", "cafe", "café", "й", "и", "sinir", "sınır", "กา", "ก้า", "कि", "की"];
    let task = tagged(&alice, &given).await.expect("a task");
    assert_eq!(task.tags, given);
    for tag in given {
        let other = tagged(&alice, &[tag]).await.expect("a task");
        let found = alice.list(|it| it.tags_all = texts(&[tag])).await.expect("a page").tasks;
        let ids: Vec<_> = found.iter().map(|task| &task.id).collect();
        assert_eq!(ids, [&other.id, &task.id], "{tag}");
    }
}

async fn too_many_and_too_long_tags_are_refused(world: &World) {
    let alice = world.alice().await;
    let many: Vec<_> = (0..1_000).map(|number| number.to_string()).collect();
    let many: Vec<_> = many.iter().map(String::as_str).collect();
    let long = "🦀".repeat(51);
    for faulty in [
        &many[..21],
        &many,
        &[&long],
        &[""],
        &["fine", " "],
        &["a\nb"],
        &["\0"],
        &["\u{1b}[31m"],
        &["\u{200b}"],
    ] {
        assert_eq!(tagged(&alice, faulty).await.faulty(), ["tags"], "{:.40?}", faulty[0]);
    }
    assert!(alice.all_tasks().await.is_empty());
}

async fn tags_change_as_a_whole_or_not_at_all(world: &World) {
    let alice = world.alice().await;
    let task = tagged(&alice, &["home", "garden"]).await.expect("a task");
    let renamed = alice.change(&task.id, &[], |it| it.title = Some("Rest".into())).await;
    assert_eq!(renamed.expect("updated").tags, ["home", "garden"], "not set");
    let other = alice.change(&task.id, &["title"], |it| {
        (it.title, it.tags) = (Some("Sleep".into()), texts(&["not named"]));
    });
    assert_eq!(other.await.expect("updated").tags, ["home", "garden"], "not named");
    let replaced = alice.change(&task.id, &[], |it| it.tags = texts(&["Home"])).await;
    assert_eq!(replaced.expect("updated").tags, ["Home"], "another spelling is a change");
    let faulty = alice.change(&task.id, &["tags"], |it| it.tags = texts(&["a", ""])).await;
    assert_eq!(faulty.faulty(), ["tags"]);
    let none = alice.change(&task.id, &["tags"], |_| ()).await.expect("updated");
    assert!(none.tags.is_empty(), "{:?}", none.tags);
    assert_eq!(alice.get(&task.id).await.expect("the task"), none);
}
