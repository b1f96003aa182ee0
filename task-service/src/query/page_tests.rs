//! Tokens are read where they were written for, and pages end in time.

use super::*;
use crate::domain::{
    task::{Content, Description, sample},
    timestamp::Timestamp,
};

fn cursor() -> PageCursor {
    PageCursor { key: SortKey::Number(1_700_000_000_123_456), id: Uuid::from_u128(7), epoch: 5 }
}

fn plain(token: &str) -> Result<PageCursor, InvalidToken> {
    PageCursor::parse(token, Sort::NEWEST, Some(&Filter::default()), "ada")
}

#[test]
fn a_token_is_read_back_with_its_own_filter_and_sort_alone() {
    let filters =
        [None, Some(false), Some(true)].map(|completed| Filter { completed, ..Filter::default() });
    let sorts = [SortField::Created, SortField::Updated, SortField::Priority]
        .into_iter()
        .flat_map(|by| [false, true].map(|descending| Sort { by, descending }));
    let lists: Vec<_> = sorts.flat_map(|sort| filters.iter().map(move |f| (sort, f))).collect();
    for made_for in &lists {
        let token = cursor().token(made_for.0, made_for.1, "ada");
        for used_with in &lists {
            let expected = if used_with == made_for { Ok(cursor()) } else { Err(InvalidToken) };
            assert_eq!(PageCursor::parse(&token, used_with.0, Some(used_with.1), "ada"), expected);
        }
        assert_eq!(PageCursor::parse(&token, made_for.0, None, "ada"), Ok(cursor()));
        let his = PageCursor::parse(&token, made_for.0, Some(made_for.1), "bob");
        assert_eq!(his, Err(InvalidToken));
    }
}

#[test]
fn every_kind_of_key_is_read_back_where_it_belongs() {
    let filter = Filter::default();
    for (by, key) in [
        (SortField::Due, SortKey::Number(-1)),
        (SortField::Due, SortKey::None),
        (SortField::Title, SortKey::Text("élan \u{1F980}".into())),
        (SortField::Position, SortKey::Text(String::new())),
        (SortField::Deleted, SortKey::Number(i64::MAX)),
    ] {
        let sort = Sort { by, descending: false };
        let cursor = PageCursor { key, ..cursor() };
        assert_eq!(
            PageCursor::parse(&cursor.token(sort, &filter, "ada"), sort, Some(&filter), "ada"),
            Ok(cursor)
        );
    }
    for (by, key) in [
        (SortField::Created, SortKey::None),
        (SortField::Title, SortKey::Number(1)),
        (SortField::Title, SortKey::None),
        (SortField::Title, SortKey::Text("a\0b".into())),
        (SortField::Title, SortKey::Text("a".repeat(1025))),
        (SortField::Due, SortKey::Text("a".into())),
    ] {
        let sort = Sort { by, descending: false };
        let token = PageCursor { key, ..cursor() }.token(sort, &filter, "ada");
        assert_eq!(PageCursor::parse(&token, sort, Some(&filter), "ada"), Err(InvalidToken));
    }
}

#[test]
fn whatever_was_not_written_by_us_is_refused() {
    let token = cursor().token(Sort::NEWEST, &Filter::default(), "ada");
    assert_eq!(plain(&token), Ok(cursor()));
    let version_3 = format!("Aw{}", &token[2..]);
    let cut = &token[..token.len() - 1];
    for text in [
        "",
        "!",
        "Ag",
        cut,
        &version_3,
        &token[..36],
        &format!("{token}="),
        &format!("{token}A"),
        &format!(" {token}"),
    ] {
        assert_eq!(plain(text), Err(InvalidToken), "{text:?}");
    }
}

#[test]
fn sizes_have_a_default_and_a_ceiling() {
    for (asked, given) in [
        (0, Ok(50)),
        (1, Ok(1)),
        (200, Ok(200)),
        (201, Ok(200)),
        (i32::MAX, Ok(200)),
        (-1, Err(NegativeSize)),
        (i32::MIN, Err(NegativeSize)),
    ] {
        assert_eq!(size(asked), given, "{asked}");
    }
}

#[test]
fn a_text_counts_as_long_as_json_spells_it() {
    for text in ["plain", "\u{1}\u{1f}", "\"\\\"", "🦀\u{7f}/"] {
        let json = serde_json::to_string(text).expect("JSON");
        assert_eq!(encoded_len(text), json.len() - 2, "{text:?}");
    }
}

#[test]
fn a_page_of_huge_tasks_ends_early_and_goes_on() {
    let description = Description::parse("🦀".repeat(10_000)).expect("a description");
    let new = Content { description, ..sample("huge") };
    let made = |n| Task::new("alice", new.clone(), Timestamp::from_micros(n), n, 0);
    let tasks: Vec<_> = (0..200).map(made).collect();
    let (sort, filter) = (Sort::NEWEST, Filter::default());
    let request = PageRequest { size: 200, after: None, filter, sort, with_total: false };
    let page = Page::cut(tasks.clone(), None, &request, "alice", 5);
    assert!((10..15).contains(&page.tasks.len()), "{}", page.tasks.len());
    let last = &tasks[page.tasks.len() - 1];
    let next = PageCursor::of(last, SortField::Created, 5).token(sort, &request.filter, "alice");
    assert_eq!(page.next, Some(next));
}
