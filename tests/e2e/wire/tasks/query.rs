//! What lists and counts select by, as a query string and back.

use form_urlencoded::Serializer;
use proto::task::v1::{CountTasksRequest, ListTasksRequest, TaskSort};

use super::task::PRIORITIES;

/// What a list is sorted by, by its name.
const SORTS: [(&str, TaskSort); 6] = [
    ("created", TaskSort::Created),
    ("updated", TaskSort::Updated),
    ("due", TaskSort::Due),
    ("priority", TaskSort::Priority),
    ("title", TaskSort::Title),
    ("position", TaskSort::Position),
];

/// The parameters that are set. A number without a name is sent as it is.
pub fn of_list(message: &ListTasksRequest) -> String {
    let mut query = Serializer::new(String::new());
    let mut say = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    };
    let text = |value: &String| (!value.is_empty()).then(|| value.clone());
    let switch = |value: Option<bool>| value.map(|value| value.to_string());
    say("page_size", (message.page_size != 0).then(|| message.page_size.to_string()));
    say("page_token", text(&message.page_token));
    say("completed", switch(message.completed));
    say("include_total", message.include_total.then(|| "true".to_owned()));
    for number in &message.priorities {
        let known = PRIORITIES.iter().find(|(_, priority)| i32::from(*priority) == *number);
        say("priorities", Some(known.map_or(number.to_string(), |(name, _)| (*name).to_owned())));
    }
    let lists = [
        ("tags_any", &message.tags_any),
        ("tags_all", &message.tags_all),
        ("tags_none", &message.tags_none),
    ];
    for (name, tags) in lists {
        for tag in tags {
            say(name, Some(tag.clone()));
        }
    }
    say("due_from", message.due_from.clone());
    say("due_until", message.due_until.clone());
    say("overdue", switch(message.overdue));
    say("has_due", switch(message.has_due));
    say("text", text(&message.text));
    say("time_zone", text(&message.time_zone));
    if message.sort != 0 {
        let known = SORTS.iter().find(|(_, sort)| i32::from(*sort) == message.sort);
        say("sort", Some(known.map_or(message.sort.to_string(), |(name, _)| (*name).to_owned())));
    }
    say("descending", switch(message.descending));
    say("deleted", message.deleted.then(|| "true".to_owned()));
    query.finish()
}

/// The filters of a count.
pub fn of_count(message: CountTasksRequest) -> String {
    of_list(&ListTasksRequest {
        completed: message.completed,
        priorities: message.priorities,
        tags_any: message.tags_any,
        tags_all: message.tags_all,
        tags_none: message.tags_none,
        due_from: message.due_from,
        due_until: message.due_until,
        overdue: message.overdue,
        has_due: message.has_due,
        text: message.text,
        time_zone: message.time_zone,
        ..ListTasksRequest::default()
    })
}

/// The list that a query asks for.
#[track_caller]
pub fn list(query: &str) -> ListTasksRequest {
    let mut asked = ListTasksRequest::default();
    let switch = |value: &str| value.parse::<bool>().expect("a switch");
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let value = value.into_owned();
        match name.as_ref() {
            "page_token" => asked.page_token = value,
            "page_size" => asked.page_size = value.parse().expect("a size"),
            "completed" => asked.completed = Some(switch(&value)),
            "include_total" => asked.include_total = switch(&value),
            "priorities" => {
                let known = PRIORITIES.iter().find(|(name, _)| *name == value);
                asked.priorities.push(known.expect("a name").1.into());
            }
            "tags_any" => asked.tags_any.push(value),
            "tags_all" => asked.tags_all.push(value),
            "tags_none" => asked.tags_none.push(value),
            "due_from" => asked.due_from = Some(value),
            "due_until" => asked.due_until = Some(value),
            "overdue" => asked.overdue = Some(switch(&value)),
            "has_due" => asked.has_due = Some(switch(&value)),
            "text" => asked.text = value,
            "time_zone" => asked.time_zone = value,
            "sort" => {
                let known = SORTS.iter().find(|(name, _)| *name == value);
                asked.sort = known.expect("a name").1.into();
            }
            "descending" => asked.descending = Some(switch(&value)),
            "deleted" => asked.deleted = switch(&value),
            _ => panic!("a query with `{name}`: {query}"),
        }
    }
    asked
}
