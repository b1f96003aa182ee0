//! What each rpc asks for, as a request to the door.

use http::{
    Method,
    header::{HeaderName, IF_MATCH},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use prost::Message;
use serde_json::{Map, Value, json};
use shared::proto::task::v1::{
    CompleteTaskRequest, CreateTaskRequest, DeleteTaskRequest, GetTaskRequest, ListTasksRequest,
    ReopenTaskRequest, ToggleTaskRequest, UpdateTaskRequest,
};

use super::task::PRIORITIES;
use crate::exchange::Asked;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// A request, and what is needed to understand its answer.
pub struct Asks {
    pub asked: Asked,
    /// The paths of the update mask, which went out as members.
    pub mask: Vec<String>,
    list: Option<ListTasksRequest>,
}

impl From<Asked> for Asks {
    fn from(asked: Asked) -> Self {
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
                Asked::new(Method::GET, &task(&user_id, &id)).into()
            }
            "DeleteTask" => {
                let DeleteTaskRequest { user_id, id, etag } = decoded(message);
                if_match(Asked::new(Method::DELETE, &task(&user_id, &id)), &etag).into()
            }
            "CompleteTask" => {
                let CompleteTaskRequest { user_id, id } = decoded(message);
                completion(&user_id, &id).json(&json!({ "completed": true })).into()
            }
            "ReopenTask" => {
                let ReopenTaskRequest { user_id, id } = decoded(message);
                completion(&user_id, &id).json(&json!({ "completed": false })).into()
            }
            "ToggleTask" => {
                let ToggleTaskRequest { user_id, id } = decoded(message);
                completion(&user_id, &id).into()
            }
            _ => panic!("{rpc} has no route that this adapter knows"),
        }
    }

    /// Whether the number of all tasks was asked for.
    pub fn wants_total(&self) -> bool {
        self.list.as_ref().is_some_and(|list| list.include_total)
    }

    /// The token in a `Link` to the next page, which asks for the same list again.
    #[track_caller]
    pub fn next_page_token(&self, link: &str) -> String {
        if link.is_empty() {
            return String::new();
        }
        let asked = self.list.clone().expect("a list");
        let target = link.strip_prefix('<').and_then(|link| link.strip_suffix(">; rel=\"next\""));
        let (path, query) = target.and_then(|it| it.split_once('?')).expect("a link with a query");
        assert_eq!(path, collection(&asked.user_id), "{link}");
        let mut next = ListTasksRequest { user_id: asked.user_id.clone(), ..Default::default() };
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "page_token" => next.page_token = value.into_owned(),
                "page_size" => next.page_size = value.parse().expect("a size"),
                "completed" => next.completed = Some(value.parse().expect("a switch")),
                "include_total" => next.include_total = value.parse().expect("a switch"),
                _ => panic!("a link with `{name}`: {link}"),
            }
        }
        let token = next.page_token.clone();
        assert_eq!(next, ListTasksRequest { page_token: token.clone(), ..asked }, "{link}");
        token
    }
}

fn decoded<M: Message + Default>(message: &[u8]) -> M {
    M::decode(message).expect("the message of this rpc")
}

fn create(message: &CreateTaskRequest) -> Asked {
    let mut body = json!({ "title": message.title });
    if !message.description.is_empty() {
        body["description"] = json!(message.description);
    }
    if message.priority != 0 {
        body["priority"] = priority(message.priority);
    }
    let asked = Asked::new(Method::POST, &collection(&message.user_id)).json(&body);
    match message.request_id.as_str() {
        "" => asked,
        key => asked.with(IDEMPOTENCY_KEY, key),
    }
}

fn list(message: ListTasksRequest) -> Asks {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if message.page_size != 0 {
        query.append_pair("page_size", &message.page_size.to_string());
    }
    if !message.page_token.is_empty() {
        query.append_pair("page_token", &message.page_token);
    }
    if let Some(completed) = message.completed {
        query.append_pair("completed", &completed.to_string());
    }
    if message.include_total {
        query.append_pair("include_total", "true");
    }
    let query = query.finish();
    let mark = if query.is_empty() { "" } else { "?" };
    let path = format!("{}{mark}{query}", collection(&message.user_id));
    Asks { list: Some(message), ..Asked::new(Method::GET, &path).into() }
}

/// `*` is PUT. A mask names the members of PATCH, `null` where there is no value; without
/// one the members are the fields that are set.
fn update(message: UpdateTaskRequest) -> Asks {
    let mask = message.update_mask.clone().unwrap_or_default().paths;
    let fields = [
        ("title", message.title.map(Value::from)),
        ("description", message.description.map(Value::from)),
        ("completed", message.completed.map(Value::from)),
        ("priority", message.priority.map(priority)),
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
    let asked = Asked::new(method, &task(&message.user_id, &message.id)).json(&Value::Object(body));
    Asks { mask, ..if_match(asked, &message.etag).into() }
}

/// The name of a priority. A number that has none is sent as it is: no door may take it.
fn priority(number: i32) -> Value {
    let known = PRIORITIES.iter().find(|(_, priority)| i32::from(*priority) == number);
    known.map_or(Value::from(number), |(name, _)| Value::from(*name))
}

/// A version goes in quotes; what is spelled like a weak tag is sent as one.
fn if_match(asked: Asked, etag: &str) -> Asked {
    match etag {
        "" => asked,
        weak if weak.starts_with("W/\"") => asked.with(IF_MATCH, weak),
        version => asked.with(IF_MATCH, &format!("\"{version}\"")),
    }
}

/// Where the tasks of a user are.
fn collection(user_id: &str) -> String {
    format!("/api/{}/tasks", segment(user_id))
}

fn task(user_id: &str, id: &str) -> String {
    format!("{}/{}", collection(user_id), segment(id))
}

fn completion(user_id: &str, id: &str) -> Asked {
    Asked::new(Method::PATCH, &format!("{}/complete", task(user_id, id)))
}

/// One segment of a path, whatever is in it.
fn segment(text: &str) -> String {
    const RESERVED: &AsciiSet =
        &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(text, RESERVED).to_string()
}
