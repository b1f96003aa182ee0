//! Lists: filters, search and sort.

use proto::task::v1::{ListTasksRequest, Priority, Task, TaskSort};

use crate::{
    answer::Refused,
    caller::{SignedIn, at},
    scenarios::in_both_worlds,
    wire::Difference,
    world::World,
};

in_both_worlds!(
    every_filter_leaves_what_passes_it,
    filters_hold_together,
    a_day_is_over_when_it_is_over_where_the_caller_is,
    words_are_found_from_their_beginning_without_case_and_accents,
    words_are_found_inside_text_without_spaces,
    nothing_in_a_search_is_an_operator,
    every_sort_goes_both_ways_and_pages_keep_to_it,
    a_page_token_is_good_for_its_own_filter_and_order_alone,
    the_trash_is_a_list_of_its_own,
    every_fault_of_a_list_is_named_at_once,
    nothing_of_others_is_ever_found,
);

/// What is asked of a list.
type Say = fn(&mut ListTasksRequest);

/// Tasks that differ in everything that a list can be asked by.
async fn variety(caller: &SignedIn) {
    for (title, date, priority, tags) in [
        ("beta", Some("2031-11-25"), Priority::High, &["home", "Garden"][..]),
        ("Alpha", None, Priority::Low, &["HOME"]),
        ("gamma", Some("2001-01-01"), Priority::Urgent, &["work"]),
    ] {
        let made = caller.make(title, |new| {
            (new.due_date, new.tags) = (date.map(str::to_owned), texts(tags));
            new.set_priority(priority);
        });
        made.await.expect("a task");
    }
    let delta = caller.make("délta", |new| {
        (new.due_at, new.due_zone) = (Some(at("2031-11-25T23:30:00Z")), Some("UTC".into()));
        new.description = "about the loan".into();
    });
    let delta = delta.await.expect("a task");
    caller.complete(&delta.id).await.expect("completed");
}

/// The titles of all pages of the list, sorted.
async fn found(caller: &SignedIn, say: impl Fn(&mut ListTasksRequest)) -> Vec<String> {
    let mut titles = listed(caller, 50, say).await;
    titles.sort();
    titles
}

/// The titles of all pages of this size, as they come.
async fn listed(caller: &SignedIn, size: i32, say: impl Fn(&mut ListTasksRequest)) -> Vec<String> {
    let (mut titles, mut token) = (Vec::new(), String::new());
    loop {
        let page = caller.list(|it| {
            say(it);
            (it.page_size, it.page_token) = (size, token);
        });
        let page = page.await.expect("a page");
        titles.extend(page.tasks.into_iter().map(|task: Task| task.title));
        token = page.next_page_token;
        if token.is_empty() {
            return titles;
        }
    }
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

async fn every_filter_leaves_what_passes_it(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    let cases: [(Say, &[&str]); 20] = [
        (|_| (), &["Alpha", "beta", "délta", "gamma"]),
        (|it| it.completed = Some(true), &["délta"]),
        (|it| it.completed = Some(false), &["Alpha", "beta", "gamma"]),
        (|it| it.priorities = vec![Priority::High.into()], &["beta"]),
        (|it| it.priorities = vec![1, 4, 4], &["Alpha", "gamma"]),
        (|it| it.tags_any = texts(&["Home"]), &["Alpha", "beta"]),
        (|it| it.tags_any = texts(&["home", "WORK"]), &["Alpha", "beta", "gamma"]),
        (|it| it.tags_all = texts(&["home", "garden"]), &["beta"]),
        (|it| it.tags_all = texts(&["gard"]), &[]),
        (|it| it.tags_none = texts(&["home"]), &["délta", "gamma"]),
        (|it| it.due_from = Some("2031-11-25".into()), &["beta", "délta"]),
        (|it| it.due_from = Some("2031-11-26".into()), &[]),
        (|it| it.due_until = Some("2031-11-25".into()), &["beta", "délta", "gamma"]),
        (|it| it.due_until = Some("2031-11-24".into()), &["gamma"]),
        (|it| it.overdue = Some(true), &["gamma"]),
        (|it| it.overdue = Some(false), &["Alpha", "beta", "délta"]),
        (|it| it.has_due = Some(true), &["beta", "délta", "gamma"]),
        (|it| it.has_due = Some(false), &["Alpha"]),
        (|it| it.text = "loan".into(), &["délta"]),
        (|it| it.text = "garden".into(), &["beta"]),
    ];
    for (number, (say, expected)) in cases.into_iter().enumerate() {
        assert_eq!(found(&alice, say).await, expected, "filter {number}");
        let counted = alice.list(|it| {
            say(it);
            it.include_total = true;
        });
        let total = counted.await.expect("a page").total_size;
        assert_eq!(total, i64::try_from(expected.len()).ok(), "filter {number}");
    }
}

async fn filters_hold_together(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    let both = |it: &mut ListTasksRequest| {
        (it.completed, it.has_due) = (Some(false), Some(true));
        it.tags_none = texts(&["work"]);
    };
    assert_eq!(found(&alice, both).await, ["beta"]);
    let mixed = |it: &mut ListTasksRequest| {
        (it.tags_any, it.tags_none) = (texts(&["home"]), texts(&["garden"]));
        it.text = "al".into();
    };
    assert_eq!(found(&alice, mixed).await, ["Alpha"]);
    let nothing = |it: &mut ListTasksRequest| {
        (it.overdue, it.completed) = (Some(true), Some(true));
    };
    assert!(found(&alice, nothing).await.is_empty());
    // They hold over all pages.
    let open = listed(&alice, 1, |it| it.completed = Some(false)).await;
    assert_eq!(open, ["gamma", "Alpha", "beta"]);
}

async fn a_day_is_over_when_it_is_over_where_the_caller_is(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    // Half past eleven in the night in UTC is the next day in Berlin.
    for (zone, expected) in
        [("", &["beta", "délta"][..]), ("Europe/Berlin", &["beta"]), ("UTC", &["beta", "délta"])]
    {
        let on_that_day = |it: &mut ListTasksRequest| {
            it.due_from = Some("2031-11-25".into());
            it.due_until = Some("2031-11-25".into());
            it.time_zone = zone.into();
        };
        assert_eq!(found(&alice, on_that_day).await, expected, "{zone}");
    }
}

async fn words_are_found_from_their_beginning_without_case_and_accents(world: &World) {
    let alice = world.alice().await;
    for title in ["Crème brûlée", "CREAM cheese", "Straße fegen", "naïve café", "ﬁne", "日本語"]
    {
        alice.create(title).await;
    }
    for (text, expected) in [
        ("creme", &["Crème brûlée"][..]),
        ("CRE", &["CREAM cheese", "Crème brûlée"]),
        ("cre che", &["CREAM cheese"]),
        ("che cre", &["CREAM cheese"]),
        ("eam", &[]),
        ("cafe\u{301}", &["naïve café"]),
        ("NAÏVE", &["naïve café"]),
        ("fin", &["ﬁne"]),
        ("日本", &["日本語"]),
        ("brulee creme x", &[]),
    ] {
        assert_eq!(found(&alice, |it| it.text = text.into()).await, expected, "{text}");
    }
    // What is renamed is found by its new name alone.
    let task = alice.create("temporary").await;
    alice.change(&task.id, &[], |it| it.title = Some("lasting".into())).await.expect("updated");
    assert_eq!(found(&alice, |it| it.text = "lasting".into()).await, ["lasting"]);
    assert!(found(&alice, |it| it.text = "temporary".into()).await.is_empty());
}

async fn words_are_found_inside_text_without_spaces(world: &World) {
    let alice = world.alice().await;
    for title in ["今天玩成语接龙游戏", "重跑gen-itgc后50条", "成功的语言", "ซื้อนมที่ตลาด", "かぎ"]
    {
        alice.create(title).await;
    }
    for (text, expected) in [
        ("成语", &["今天玩成语接龙游戏"][..]),
        ("语接龙游", &["今天玩成语接龙游戏"]),
        ("戏", &["今天玩成语接龙游戏"]),
        ("gen", &["重跑gen-itgc后50条"]),
        ("50条", &["重跑gen-itgc后50条"]),
        ("0条", &[]),
        ("后", &["重跑gen-itgc后50条"]),
        ("成", &["今天玩成语接龙游戏", "成功的语言"]),
        ("ตลาด", &["ซื้อนมที่ตลาด"]),
        ("かき", &[]),
    ] {
        assert_eq!(found(&alice, |it| it.text = text.into()).await, expected, "{text}");
    }
}

async fn nothing_in_a_search_is_an_operator(world: &World) {
    let alice = world.alice().await;
    for title in ["100% cotton", "snake_case", "a AND b", "plain", "NOT near", "c++ \"quoted\""] {
        alice.create(title).await;
    }
    for (text, expected) in [
        ("100%", &["100% cotton"][..]),
        ("a* plain*", &[]),
        ("plain OR cotton", &[]),
        ("a AND b", &["a AND b"]),
        ("NOT plain", &[]),
        ("NOT", &["NOT near"]),
        ("near(a b)", &[]),
        ("\"quoted", &["c++ \"quoted\""]),
        ("case", &["snake_case"]),
        ("plain' --", &["plain"]),
        ("title:plain", &[]),
        ("!plain", &["plain"]),
        ("(plain", &["plain"]),
        ("plain:*", &["plain"]),
        ("p_ain", &[]),
        ("^plain", &["plain"]),
    ] {
        assert_eq!(found(&alice, |it| it.text = text.into()).await, expected, "{text}");
    }
}

async fn every_sort_goes_both_ways_and_pages_keep_to_it(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    for (sort, up) in [
        (TaskSort::Created, ["beta", "Alpha", "gamma", "délta"]),
        (TaskSort::Updated, ["beta", "Alpha", "gamma", "délta"]),
        (TaskSort::Priority, ["Alpha", "délta", "beta", "gamma"]),
        (TaskSort::Title, ["Alpha", "beta", "délta", "gamma"]),
        (TaskSort::Position, ["beta", "Alpha", "gamma", "délta"]),
    ] {
        let mut down = up;
        down.reverse();
        for (descending, expected) in [(Some(false), up), (Some(true), down)] {
            for size in [1, 2, 50] {
                let say = |it: &mut ListTasksRequest| {
                    it.descending = descending;
                    it.set_sort(sort);
                };
                assert_eq!(listed(&alice, size, say).await, expected, "{sort:?} {size}");
            }
        }
    }
    // What is not due comes last, whichever way.
    alice.create("also not due").await;
    for (descending, first) in
        [(false, ["gamma", "beta", "délta"]), (true, ["délta", "beta", "gamma"])]
    {
        for size in [1, 2, 3, 50] {
            let say = |it: &mut ListTasksRequest| {
                it.descending = Some(descending);
                it.set_sort(TaskSort::Due);
            };
            let titles = listed(&alice, size, say).await;
            assert_eq!(titles[..3], first, "{descending} {size}");
            let mut rest = titles[3..].to_vec();
            rest.sort();
            assert_eq!(rest, ["Alpha", "also not due"], "{descending} {size}");
        }
    }
    // Unsaid, by creation is newest first, and every other way is upwards.
    assert_eq!(listed(&alice, 50, |it| it.set_sort(TaskSort::Title)).await[0], "Alpha");
    let newest = listed(&alice, 50, |it| it.set_sort(TaskSort::Created)).await;
    assert_eq!(newest[0], "also not due");
    assert_eq!(listed(&alice, 50, |_| ()).await, newest);
}

async fn a_page_token_is_good_for_its_own_filter_and_order_alone(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    let asked: Say = |it| {
        it.page_size = 1;
        it.set_sort(TaskSort::Due);
        (it.has_due, it.text) = (Some(true), "a".into());
    };
    let first = alice.list(|it| {
        asked(it);
        it.text = String::new();
    });
    let token = first.await.expect("a page").next_page_token;
    let others: [Say; 6] = [
        |_| (),
        |it| it.text = "b".into(),
        |it| (it.text, it.descending) = (String::new(), Some(true)),
        |it| (it.text, it.sort) = (String::new(), TaskSort::Title.into()),
        |it| (it.text, it.has_due) = (String::new(), None),
        |it| (it.text, it.deleted) = (String::new(), true),
    ];
    for (number, other) in others.into_iter().enumerate() {
        let page = alice.list(|it| {
            asked(it);
            other(it);
            it.page_token.clone_from(&token);
        });
        assert_eq!(page.await.faulty(), ["page_token"], "{number}");
    }
}

async fn the_trash_is_a_list_of_its_own(world: &World) {
    let alice = world.alice().await;
    variety(&alice).await;
    for title in ["one", "two"] {
        let task = alice.create(title).await;
        alice.delete(&task.id).await.expect("deleted");
    }
    let trash = alice.list(|it| (it.deleted, it.include_total) = (true, true)).await;
    let trash = trash.expect("a page");
    let titles: Vec<_> = trash.tasks.iter().map(|task| task.title.as_str()).collect();
    assert_eq!((titles.as_slice(), trash.total_size), (&["two", "one"][..], Some(2)));
    assert!(trash.tasks.iter().all(|task| task.deleted_at.is_some()));
    assert_eq!(listed(&alice, 1, |it| it.deleted = true).await, ["two", "one"]);
    assert!(found(&alice, |it| it.text = "one".into()).await.is_empty());
    let back = alice.undelete(&trash.tasks[0].id).await.expect("it is back");
    assert_eq!(back.deleted_at, None);
    assert_eq!(found(&alice, |it| it.deleted = true).await, ["one"]);
    assert_eq!(found(&alice, |it| it.text = "two".into()).await, ["two"]);
}

async fn every_fault_of_a_list_is_named_at_once(world: &World) {
    let alice = world.alice().await;
    let faulty = alice.list(|it| {
        it.page_size = -1;
        it.tags_any = texts(&[""]);
        it.tags_all = texts(&["a"; 21]);
        it.tags_none = texts(&["a\nb"]);
        it.due_from = Some("2026-11-31".into());
        it.due_until = Some("soon".into());
        it.text = "x".repeat(201);
        it.time_zone = "Mars/Olympus".into();
        it.page_token = "x".into();
    });
    let all = [
        "page_size",
        "tags_any",
        "tags_all",
        "tags_none",
        "due_from",
        "due_until",
        "text",
        "time_zone",
        "page_token",
    ];
    assert_eq!(faulty.await.faulty(), all);
    let backwards = alice.list(|it| {
        (it.due_from, it.due_until) = (Some("2026-11-26".into()), Some("2026-11-25".into()));
    });
    assert_eq!(backwards.await.faulty(), ["due_until"]);
    let wordy = "a ".repeat(21);
    for text in [wordy.as_str(), "\0", "%", "---"] {
        assert_eq!(alice.list(|it| it.text = text.into()).await.faulty(), ["text"], "{text:?}");
    }
    for number in [9, -1] {
        let answer = alice.list(|it| it.priorities = vec![1, number]).await;
        assert_eq!(answer.faulty(), ["priorities"], "{number}");
        assert_eq!(alice.list(|it| it.sort = number).await.faulty(), ["sort"], "{number}");
    }
    if !world.differs(Difference::PrioritiesHaveNames) {
        let both = alice.list(|it| (it.priorities, it.sort) = (vec![0], 7)).await;
        assert_eq!(both.faulty(), ["priorities", "sort"]);
    }
}

async fn nothing_of_others_is_ever_found(world: &World) {
    let (alice, bob) = (world.alice().await, world.bob().await);
    variety(&bob).await;
    let gone = bob.create("beta gone").await;
    bob.delete(&gone.id).await.expect("deleted");
    alice.create("hers").await;
    let asked: [Say; 6] = [
        |it| it.text = "beta".into(),
        |it| it.tags_any = texts(&["home"]),
        |it| it.overdue = Some(true),
        |it| it.has_due = Some(true),
        |it| it.deleted = true,
        |it| it.priorities = vec![4],
    ];
    for (number, say) in asked.into_iter().enumerate() {
        assert!(found(&alice, say).await.is_empty(), "{number}");
    }
    for sort in 0..=6 {
        assert_eq!(found(&alice, |it| it.sort = sort).await, ["hers"]);
    }
}
