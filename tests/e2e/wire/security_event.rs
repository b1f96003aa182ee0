//! Security events in JSON.

use proto::audit::v1::SecurityEvent;
use serde_json::Value;

use super::timestamp::{Digits, timestamp};

/// Spelling of names and timestamps in JSON.
#[derive(Clone, Copy)]
pub enum Spelling {
    Camel,
    Snake,
}

/// The events of an answer, and the token of the next page.
#[track_caller]
pub fn events(json: &Value, spelling: Spelling) -> (Vec<SecurityEvent>, String) {
    let name = |snake: &str| spelling.of(snake);
    assert_eq!(names(json), ["events".to_owned(), name("next_page_token")]);
    let token = &json[name("next_page_token")];
    let events = json["events"].as_array().expect("a list").iter();
    let events = events.map(|json| event(json, spelling)).collect();
    (events, token.as_str().unwrap_or_default().to_owned())
}

#[track_caller]
fn event(json: &Value, spelling: Spelling) -> SecurityEvent {
    const MEMBERS: [&str; 8] =
        ["at", "detail", "id", "ip_address", "kind", "request_id", "session_id", "user_agent"];
    assert_eq!(names(json), MEMBERS.map(|name| spelling.of(name)));
    let optional = |name: &str| json[spelling.of(name)].as_str().map(str::to_owned);
    let text = |name: &str| optional(name).expect("a text");
    let digits = match spelling {
        Spelling::Camel => Digits::Milli,
        Spelling::Snake => Digits::Micro,
    };
    SecurityEvent {
        id: text("id"),
        kind: text("kind"),
        at: timestamp(&json["at"], digits),
        ip_address: optional("ip_address"),
        user_agent: optional("user_agent"),
        session_id: optional("session_id"),
        request_id: optional("request_id"),
        detail: optional("detail"),
    }
}

/// The query that asks for a page.
pub fn query(page_size: i32, page_token: &str, spelling: Spelling) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if page_size != 0 {
        query.append_pair(&spelling.of("page_size"), &page_size.to_string());
    }
    if !page_token.is_empty() {
        query.append_pair(&spelling.of("page_token"), page_token);
    }
    query.finish()
}

#[track_caller]
fn names(object: &Value) -> Vec<String> {
    let mut names: Vec<_> = object.as_object().expect("an object").keys().cloned().collect();
    names.sort();
    names
}

impl Spelling {
    fn of(self, snake: &str) -> String {
        let mut words = snake.split('_');
        let first = words.next().unwrap_or_default().to_owned();
        let joined = |name: String, word: &str| match self {
            Self::Camel => name + &word[..1].to_uppercase() + &word[1..],
            Self::Snake => name + "_" + word,
        };
        words.fold(first, joined)
    }
}
