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

/// The fields of a filter, which two messages have.
struct FilterFields<'m> {
    completed: Option<bool>,
    priorities: &'m [i32],
    tags_any: &'m [String],
    tags_all: &'m [String],
    tags_none: &'m [String],
    due_from: Option<&'m str>,
    due_until: Option<&'m str>,
    overdue: Option<bool>,
    has_due: Option<bool>,
    text: &'m str,
    time_zone: &'m str,
    deleted: bool,
}

impl FilterFields<'_> {
    fn read(self, fields: &mut Fields) -> Option<Filter> {
        let priorities = fields.take("priorities", priorities(self.priorities));
        let tags_any = fields.take("tags_any", tag_keys(self.tags_any));
        let tags_all = fields.take("tags_all", tag_keys(self.tags_all));
        let tags_none = fields.take("tags_none", tag_keys(self.tags_none));
        let due_from = fields.take("due_from", day(self.due_from));
        let due_until = fields.take("due_until", day(self.due_until));
        if let (Some(Some(from)), Some(Some(until))) = (due_from, due_until)
            && until < from
        {
            fields.fault("due_until", "must not be before `due_from`");
        }
        let words = fields.take("text", search_words(self.text));
        let zone = match self.time_zone {
            "" => Some(Zone::UTC),
            name => fields.take("time_zone", Zone::parse(name)),
        };
        Some(Filter {
            completed: self.completed,
            priorities: priorities?,
            tags_any: tags_any?,
            tags_all: tags_all?,
            tags_none: tags_none?,
            due_from: due_from?,
            due_until: due_until?,
            overdue: self.overdue,
            has_due: self.has_due,
            words: words?,
            zone: zone?,
            deleted: self.deleted,
        })
    }
}

/// The page request in `message`.
pub fn page_request(message: &pb::ListTasksRequest) -> Result<PageRequest, Error> {
    let pb::ListTasksRequest {
        user_id,
        page_size,
        page_token,
        include_total,
        sort,
        descending,
        deleted,
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
    let mut fields = Fields::default();
    let size = fields.take("page_size", page::size(*page_size));
    let filter = FilterFields {
        completed: *completed,
        priorities,
        tags_any,
        tags_all,
        tags_none,
        due_from: due_from.as_deref(),
        due_until: due_until.as_deref(),
        overdue: *overdue,
        has_due: *has_due,
        text,
        time_zone,
        deleted: *deleted,
    };
    let filter = filter.read(&mut fields);
    let by = fields.take("sort", by(*sort));
    let sort = by.map(|by| Sort::asked(by, *descending, *deleted));
    let after = match (page_token.as_str(), sort) {
        ("", _) | (_, None) => None,
        (token, Some(sort)) => {
            fields.take("page_token", PageCursor::parse(token, sort, filter.as_ref(), user_id))
        }
    };
    let with_total = *include_total;
    let request =
        || Some(PageRequest { size: size?, after, filter: filter?, sort: sort?, with_total });
    Ok(fields.finish(request())?)
}

/// The filter of a count.
pub fn count_filter(message: &pb::CountTasksRequest) -> Result<Filter, Error> {
    let pb::CountTasksRequest {
        user_id: _,
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
    let mut fields = Fields::default();
    let filter = FilterFields {
        completed: *completed,
        priorities,
        tags_any,
        tags_all,
        tags_none,
        due_from: due_from.as_deref(),
        due_until: due_until.as_deref(),
        overdue: *overdue,
        has_due: *has_due,
        text,
        time_zone,
        deleted: false,
    };
    let filter = filter.read(&mut fields);
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
