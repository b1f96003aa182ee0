use shared::error::Classified;

use super::*;
use crate::query::sort::SortKey;

fn faulty<T: std::fmt::Debug>(answer: Result<T, Error>) -> Vec<String> {
    let error = answer.expect_err("faults");
    error.violations().iter().map(|violation| violation.field.to_string()).collect()
}

#[test]
fn an_empty_message_asks_for_everything_newest_first() {
    let request = page_request(&pb::ListTasksRequest::default()).expect("a page");
    assert_eq!((request.size, request.sort), (50, Sort::NEWEST));
    assert_eq!((request.filter, request.after), (Filter::default(), None));
    let counted = count_filter(pb::CountTasksRequest::default()).expect("a filter");
    assert_eq!(counted, Filter::default());
}

#[test]
fn both_messages_say_the_same_filter_in_the_same_way() {
    let tags = |tag: &str| vec![tag.to_owned()];
    let list = pb::ListTasksRequest {
        completed: Some(false),
        priorities: vec![4, 3, 4],
        tags_any: tags(" Home "),
        tags_all: tags("Wörk"),
        tags_none: tags("x"),
        due_from: Some("2026-11-25".into()),
        due_until: Some("2026-11-25".into()),
        overdue: Some(true),
        has_due: Some(true),
        text: "b A".into(),
        time_zone: "Europe/Berlin".into(),
        ..Default::default()
    };
    let count = pb::CountTasksRequest {
        user_id: String::new(),
        completed: list.completed,
        priorities: list.priorities.clone(),
        tags_any: list.tags_any.clone(),
        tags_all: list.tags_all.clone(),
        tags_none: list.tags_none.clone(),
        due_from: list.due_from.clone(),
        due_until: list.due_until.clone(),
        overdue: list.overdue,
        has_due: list.has_due,
        text: list.text.clone(),
        time_zone: list.time_zone.clone(),
    };
    let filter = page_request(&list).expect("a page").filter;
    assert_eq!(filter, count_filter(count).expect("a filter"));
    assert_eq!(filter.priorities, [Priority::High, Priority::Urgent]);
    assert_eq!((filter.words.concat(), filter.tags_all.concat()), ("ab".into(), "wörk".into()));
    assert_eq!(filter.zone.as_str(), "Europe/Berlin");
}

#[test]
fn a_page_names_all_its_faults() {
    let message = pb::ListTasksRequest {
        page_size: -1,
        page_token: "x".into(),
        priorities: vec![1, 0],
        tags_any: vec![String::new()],
        tags_all: vec!["a".into(); 21],
        tags_none: vec!["\0".into()],
        due_from: Some("2026-11-31".into()),
        due_until: Some(String::new()),
        text: "%".into(),
        time_zone: "Mars".into(),
        ..Default::default()
    };
    let filters = [
        "priorities",
        "tags_any",
        "tags_all",
        "tags_none",
        "due_from",
        "due_until",
        "text",
        "time_zone",
    ];
    let mut all = filters.to_vec();
    all.insert(0, "page_size");
    all.push("page_token");
    assert_eq!(faulty(page_request(&message)), all);
    let message = pb::ListTasksRequest { sort: 7, page_token: "x".into(), ..message };
    all.pop();
    all.push("sort");
    assert_eq!(faulty(page_request(&message)), all, "the token of no order is no token");
    let backwards = pb::CountTasksRequest {
        due_from: Some("2026-11-26".into()),
        due_until: Some("2026-11-25".into()),
        ..Default::default()
    };
    assert_eq!(faulty(count_filter(backwards)), ["due_until"]);
}

#[test]
fn a_token_belongs_to_its_filter_and_order() {
    let key = SortKey::Text("a".into());
    let sort = Sort { by: SortField::Title, descending: true };
    let filter = Filter { words: vec!["milk".into()], deleted: true, ..Filter::default() };
    let message = pb::ListTasksRequest {
        page_token: PageCursor { key, id: uuid::Uuid::from_u128(7), epoch: 5 }
            .token(sort, &filter, ""),
        text: "Milk!".into(),
        sort: pb::TaskSort::Title.into(),
        descending: Some(true),
        deleted: true,
        ..Default::default()
    };
    let request = page_request(&message).expect("a page");
    assert_eq!((request.sort, &request.filter), (sort, &filter));
    assert!(request.after.is_some());
    for other in [
        pb::ListTasksRequest { text: "mil".into(), ..message.clone() },
        pb::ListTasksRequest { descending: None, ..message.clone() },
        pb::ListTasksRequest { sort: pb::TaskSort::Position.into(), ..message.clone() },
        pb::ListTasksRequest { deleted: false, ..message.clone() },
        pb::ListTasksRequest { user_id: "bob".into(), ..message.clone() },
        pb::ListTasksRequest { completed: Some(true), ..message },
    ] {
        assert_eq!(faulty(page_request(&other)), ["page_token"]);
    }
}
