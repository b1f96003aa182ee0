//! The filters of lists and counts on the wire.

use chrono::NaiveDate;
use proto::task::v1 as pb;
use shared::fields::Fields;

use super::priority::{UnknownPriority, priority};
use crate::{
    domain::{
        due::{Due, InvalidDate},
        task::Priority,
        zone::Zone,
    },
    error::Error,
    query::{
        filter::{Filter, search_words, tag_keys},
        page::{self, PageCursor, PageRequest},
        sort::{Sort, SortField},
    },
};

/// The filter in the message of a list.
fn filter(message: &pb::ListTasksRequest, fields: &mut Fields) -> Option<Filter> {
    let pb::ListTasksRequest {
        user_id: _,
        page_size: _,
        page_token: _,
        completed,
        include_total: _,
        priorities: numbers,
        tags_any,
        tags_all,
        tags_none,
        due_from,
        due_until,
        overdue,
        has_due,
        text,
        time_zone,
        sort: _,
        descending: _,
        deleted,
    } = message;
    let priorities = fields.take("priorities", priorities(numbers));
    let tags_any = fields.take("tags_any", tag_keys(tags_any));
    let tags_all = fields.take("tags_all", tag_keys(tags_all));
    let tags_none = fields.take("tags_none", tag_keys(tags_none));
    let due_from = fields.take("due_from", day(due_from.as_deref()));
    let due_until = fields.take("due_until", day(due_until.as_deref()));
    if let (Some(Some(from)), Some(Some(until))) = (due_from, due_until)
        && until < from
    {
        fields.fault("due_until", "must not be before `due_from`");
    }
    let words = fields.take("text", search_words(text));
    let zone = match time_zone.as_str() {
        "" => Some(Zone::UTC),
        name => fields.take("time_zone", Zone::parse(name)),
    };
    Some(Filter {
        completed: *completed,
        priorities: priorities?,
        tags_any: tags_any?,
        tags_all: tags_all?,
        tags_none: tags_none?,
        due_from: due_from?,
        due_until: due_until?,
        overdue: *overdue,
        has_due: *has_due,
        words: words?,
        zone: zone?,
        deleted: *deleted,
    })
}

/// The page request in `message`.
pub fn page_request(message: &pb::ListTasksRequest) -> Result<PageRequest, Error> {
    let mut fields = Fields::default();
    let size = fields.take("page_size", page::size(message.page_size));
    let filter = filter(message, &mut fields);
    let by = fields.take("sort", by(message.sort));
    let sort = by.map(|by| Sort::asked(by, message.descending, message.deleted));
    let after = match (message.page_token.as_str(), sort) {
        ("", _) | (_, None) => None,
        (token, Some(sort)) => fields
            .take("page_token", PageCursor::parse(token, sort, filter.as_ref(), &message.user_id)),
    };
    let with_total = message.include_total;
    let request =
        || Some(PageRequest { size: size?, after, filter: filter?, sort: sort?, with_total });
    Ok(fields.finish(request())?)
}

/// The filter of a count: that of the list with the same fields.
pub fn count_filter(message: pb::CountTasksRequest) -> Result<Filter, Error> {
    let pb::CountTasksRequest {
        user_id,
        completed,
        priorities,
        tags_any,
        tags_all,
        tags_none,
        due_from,
        due_until,
        overdue,
        has_due,
        text,
        time_zone,
    } = message;
    let list = pb::ListTasksRequest {
        user_id,
        page_size: 0,
        page_token: String::new(),
        completed,
        include_total: false,
        priorities,
        tags_any,
        tags_all,
        tags_none,
        due_from,
        due_until,
        overdue,
        has_due,
        text,
        time_zone,
        sort: 0,
        descending: None,
        deleted: false,
    };
    let mut fields = Fields::default();
    let filter = filter(&list, &mut fields);
    Ok(fields.finish(filter)?)
}

fn priorities(numbers: &[i32]) -> Result<Vec<Priority>, UnknownPriority> {
    let mut priorities = numbers.iter().map(|n| priority(*n)).collect::<Result<Vec<_>, _>>()?;
    priorities.sort_unstable();
    priorities.dedup();
    Ok(priorities)
}

fn day(text: Option<&str>) -> Result<Option<NaiveDate>, InvalidDate> {
    text.map(Due::parse_date).transpose()
}

/// The field to sort by, if set.
fn by(number: i32) -> Result<Option<SortField>, UnknownSort> {
    Ok(match pb::TaskSort::try_from(number).map_err(|_| UnknownSort)? {
        pb::TaskSort::Unspecified => None,
        pb::TaskSort::Created => Some(SortField::Created),
        pb::TaskSort::Updated => Some(SortField::Updated),
        pb::TaskSort::Due => Some(SortField::Due),
        pb::TaskSort::Priority => Some(SortField::Priority),
        pb::TaskSort::Title => Some(SortField::Title),
        pb::TaskSort::Position => Some(SortField::Position),
    })
}

/// The error of an unknown sort.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be created, updated, due, priority, title or position")]
struct UnknownSort;

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
