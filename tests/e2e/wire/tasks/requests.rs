//! HTTP requests of the rpcs.

use http::{
    Method,
    header::{HeaderName, IF_MATCH},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message;
use proto::task::v1::{
    CompleteTaskRequest, CountTasksRequest, CreateTaskRequest, DeleteTaskRequest, GetTaskRequest,
    ListSecurityEventsRequest, ListTasksRequest, MoveTaskRequest, Reminder, ReopenTaskRequest,
    SkipTaskRequest, SyncTasksRequest, ToggleTaskRequest, UndeleteTaskRequest, UpdateTaskRequest,
};
use serde_json::{Map, Value, json};

use super::{
    query,
    schedule::{write_moment, write_recurrence, write_reminder},
    task::PRIORITIES,
};
use crate::{
    exchange::HttpRequest,
    wire::security_event::{self, Spelling},
};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request, and what is needed to understand its answer.
pub struct Asks {
    pub asked: HttpRequest,
    /// The paths of the update mask, which went out as members.
    pub mask: Vec<String>,
    list: Option<ListTasksRequest>,
}

impl From<HttpRequest> for Asks {
    fn from(asked: HttpRequest) -> Self {
        Self { asked, mask: Vec::new(), list: None }
    }
}

impl Asks {
    /// What the message of this rpc asks for.
    pub fn read(rpc: &str, message: &[u8]) -> Self {
        match rpc {
            "CreateTask" => create(&decoded(message)).into(),
            "ListTasks" => list(decoded(message)),
            "UpdateTask" => update(decoded(message)),
            "GetTask" => {
                let GetTaskRequest { user_id, id } = decoded(message);
                HttpRequest::new(Method::GET, &task(&user_id, &id)).into()
            }
            "DeleteTask" => {
                let DeleteTaskRequest { user_id, id, etag } = decoded(message);
                if_match(HttpRequest::new(Method::DELETE, &task(&user_id, &id)), &etag).into()
            }
            "CompleteTask" => {
                let CompleteTaskRequest { user_id, id, etag } = decoded(message);
                let body = json!({ "completed": true });
                if_match(completion(&user_id, &id).json(&body), &etag).into()
            }
            "ReopenTask" => {
                let ReopenTaskRequest { user_id, id, etag } = decoded(message);
                let body = json!({ "completed": false });
                if_match(completion(&user_id, &id).json(&body), &etag).into()
            }
            "ToggleTask" => {
                let ToggleTaskRequest { user_id, id, etag } = decoded(message);
                if_match(completion(&user_id, &id), &etag).into()
            }
            "MoveTask" => reorder(&decoded(message)).into(),
            "SkipTask" => {
                let SkipTaskRequest { user_id, id, etag } = decoded(message);
                let path = format!("{}/skip", task(&user_id, &id));
                if_match(HttpRequest::new(Method::POST, &path), &etag).into()
            }
            "UndeleteTask" => {
                let UndeleteTaskRequest { user_id, id, etag } = decoded(message);
                let path = format!("{}/undelete", task(&user_id, &id));
                if_match(HttpRequest::new(Method::POST, &path), &etag).into()
            }
            "CountTasks" => {
                let message: CountTasksRequest = decoded(message);
                let path = format!("{}/counts", collection(&message.user_id));
                let path = format!("{path}?{}", query::of_count(message));
                HttpRequest::new(Method::GET, &path).into()
            }
            "ListSecurityEvents" => {
                let message: ListSecurityEventsRequest = decoded(message);
                let query =
                    security_event::query(message.page_size, &message.page_token, Spelling::Snake);
                let user = segment(&message.user_id);
                let path = format!("/api/{user}/security-events?{query}");
                HttpRequest::new(Method::GET, &path).into()
            }
            "SyncTasks" => sync(&decoded(message)).into(),
            _ => panic!("{rpc} has no route that this adapter knows"),
        }
    }

    /// Whether the number of all tasks was asked for.
    pub fn wants_total(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.include_total)
    }

    /// The page token in a `Link` to the next page of the list.
    #[track_caller]
    pub fn next_page_token(&self, link: &str) -> String {
        if link.is_empty() {
            return String::new();
        }
        let asked = self.list.clone().expect("a list");
        let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        let (path, query) = target.and_then(|it| it.split_once('?')).expect("a link with a query");
        assert_eq!(path, collection(&asked.user_id), "{link}");
        let next = ListTasksRequest { user_id: asked.user_id.clone(), ..query::list(query) };
        let token = next.page_token.clone();
        assert_eq!(next, ListTasksRequest { page_token: token.clone(), ..asked }, "{link}");
        token
    }
}

pub fn decoded<M: Message + Default>(message: &[u8]) -> M {
    M::decode(message).expect("the message of this rpc")
}

fn create(message: &CreateTaskRequest) -> HttpRequest {
    let asked = HttpRequest::new(Method::POST, &collection(&message.user_id)).json(&new(message));
    once(asked, &message.request_id)
}

/// With the key that makes it safe to repeat, if there is one.
pub fn once(asked: HttpRequest, request_id: &str) -> HttpRequest {
    if request_id.is_empty() { asked } else { asked.with(IDEMPOTENCY_KEY, request_id) }
}

/// The fields of a new task.
pub fn new(message: &CreateTaskRequest) -> Value {
    let mut body = json!({ "title": message.title });
    if !message.description.is_empty() {
        body["description"] = json!(message.description);
    }
    if message.priority != 0 {
        body["priority"] = priority(message.priority);
    }
    if !message.tags.is_empty() {
        body["tags"] = json!(message.tags);
    }
    if let Some(date) = &message.due_date {
        body["due_date"] = json!(date);
    }
    if let Some(at) = message.due_at {
        body["due_at"] = write_moment(at);
    }
    if let Some(zone) = &message.due_zone {
        body["due_zone"] = json!(zone);
    }
    if !message.reminders.is_empty() {
        body["reminders"] = reminders(&message.reminders);
    }
    if let Some(recurrence) = &message.recurrence {
        body["recurrence"] = write_recurrence(recurrence);
    }
    body
}

fn list(message: ListTasksRequest) -> Asks {
    let query = query::of_list(&message);
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("{}{mark}{query}", collection(&message.user_id));
    Asks { list: Some(message), ..HttpRequest::new(Method::GET, &path).into() }
}

/// `*` is PUT. A mask names the members of PATCH, `null` where there is no value; without
/// one the members are the fields that are set.
fn update(message: UpdateTaskRequest) -> Asks {
    let mask = message.update_mask.clone().unwrap_or_default().paths;
    let place = task(&message.user_id, &message.id);
    let etag = message.etag.clone();
    let (method, body) = changes(message);
    Asks { mask, ..if_match(HttpRequest::new(method, &place).json(&body), &etag).into() }
}

/// The members of a change, and how it is asked for.
pub fn changes(message: UpdateTaskRequest) -> (Method, Value) {
    let mask = message.update_mask.unwrap_or_default().paths;
    let fields = [
        ("title", message.title.map(Value::from)),
        ("description", message.description.map(Value::from)),
        ("completed", message.completed.map(Value::from)),
        ("priority", message.priority.map(priority)),
        ("tags", (!message.tags.is_empty()).then(|| json!(message.tags))),
        ("due_date", message.due_date.map(Value::from)),
        ("due_at", message.due_at.map(write_moment)),
        ("due_zone", message.due_zone.map(Value::from)),
        ("reminders", (!message.reminders.is_empty()).then(|| reminders(&message.reminders))),
        ("recurrence", message.recurrence.as_ref().map(write_recurrence)),
    ];
    let set = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let set: Map<String, Value> = set.collect();
    let (method, body) = match mask.as_slice() {
        [] => (Method::PATCH, set),
        [star] if star == "*" => (Method::PUT, set),
        paths => {
            assert!(!paths.iter().any(|path| path == "*"), "neither PUT nor PATCH: {paths:?}");
            let value = |path: &String| set.get(path).cloned().unwrap_or_default();
            (Method::PATCH, paths.iter().map(|path| (path.clone(), value(path))).collect())
        }
    };
    (method, Value::Object(body))
}

pub fn reminders(reminders: &[Reminder]) -> Value {
    reminders.iter().map(write_reminder).collect()
}

fn reorder(message: &MoveTaskRequest) -> HttpRequest {
    let places = [("before", &message.before), ("after", &message.after)];
    let set =
        places.into_iter().filter_map(|(name, id)| Some((name.to_owned(), json!(id.as_ref()?))));
    let path = format!("{}/move", task(&message.user_id, &message.id));
    let asked = HttpRequest::new(Method::POST, &path).json(&Value::Object(set.collect()));
    if_match(asked, &message.etag)
}

fn sync(message: &SyncTasksRequest) -> HttpRequest {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if message.page_size != 0 {
        query.append_pair("page_size", &message.page_size.to_string());
    }
    if !message.sync_token.is_empty() {
        query.append_pair("sync_token", &message.sync_token);
    }
    let path = format!("{}/sync?{}", collection(&message.user_id), query.finish());
    HttpRequest::new(Method::GET, &path)
}

/// The name of a priority. A number that has none is sent as it is: no API may accept it.
pub fn priority(number: i32) -> Value {
    let known = PRIORITIES.iter().find(|(_, priority)| i32::from(*priority) == number);
    known.map_or(Value::from(number), |(name, _)| Value::from(*name))
}

/// A version goes in quotes; what is spelled like a weak tag is sent as one.
fn if_match(asked: HttpRequest, etag: &str) -> HttpRequest {
    match etag {
        "" => asked,
        weak if weak.starts_with("W/\"") => asked.with(IF_MATCH, weak),
        list if list.starts_with('"') => asked.with(IF_MATCH, list),
        version => asked.with(IF_MATCH, &format!("\"{version}\"")),
    }
}

/// Where the tasks of a user are.
pub fn collection(user_id: &str) -> String {
    format!("/api/{}/tasks", segment(user_id))
}

fn task(user_id: &str, id: &str) -> String {
    format!("{}/{}", collection(user_id), segment(id))
}

fn completion(user_id: &str, id: &str) -> HttpRequest {
    HttpRequest::new(Method::PATCH, &format!("{}/complete", task(user_id, id)))
}

/// One segment of a path, whatever is in it.
fn segment(text: &str) -> String {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}
