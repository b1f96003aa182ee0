//! Conditions on a version (RFC 9110 section 13), keys that make a creation safe to repeat,
//! and how far a reader of events has come.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use server::http::{Fault, Problem, preconditions::EntityTags};
use tonic::Status;

use super::answer::problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// Names no version, as no etag is spelled like it.
const WEAK: &str = "W/";

/// Which preconditions a route honours, and what was sent of them. Every other one is
/// refused by name.
pub trait Conditions: Sized {
    /// Those the route honours.
    const HONOURED: &[HeaderName];

    /// Reads them.
    fn read(headers: &HeaderMap) -> Result<Self, Fault>;
}

/// None is honoured.
pub struct Unconditional;

impl Conditions for Unconditional {
    const HONOURED: &[HeaderName] = &[];

    fn read(_: &HeaderMap) -> Result<Self, Fault> {
        Ok(Self)
    }
}

/// What a change is based on: `If-Match`.
#[derive(Clone, Default)]
pub struct BasedOn {
    /// As the rpcs take it: empty where any version will do.
    pub etag: String,
    is_weak: bool,
}

impl Conditions for BasedOn {
    const HONOURED: &[HeaderName] = &[header::IF_MATCH];

    fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        let tags = match EntityTags::read(headers, &header::IF_MATCH)? {
            None | Some(EntityTags::Any) => return Ok(Self::default()),
            Some(EntityTags::Listed(tags)) => tags,
        };
        let is_weak = tags.iter().any(|tag| tag.is_weak);
        // A weak tag names no version to change (RFC 9110 section 13.1.1).
        let named: Vec<_> = tags.iter().filter(|tag| !tag.is_weak).map(|t| &*t.opaque).collect();
        let etag = match named[..] {
            [] => WEAK.to_owned(),
            [only] if !only.is_empty() => only.to_owned(),
            _ => named.iter().map(|one| tag(one)).collect::<Vec<_>>().join(", "),
        };
        Ok(Self { etag, is_weak })
    }
}

impl BasedOn {
    /// The refusal of an rpc. A proxy may have made a tag weak, and then no repetition helps.
    pub fn problem(&self, status: Status) -> Problem {
        let mut problem = problem(status);
        if self.is_weak && problem.status == StatusCode::PRECONDITION_FAILED {
            problem.message.push_str(
                "; a weak tag (`W/`) names no version to change: send the task's `etag` in quotes",
            );
        }
        problem
    }
}

/// Which version is to be read: `If-Match` and `If-None-Match`.
#[derive(Clone)]
pub struct Wanted {
    named: Option<EntityTags>,
    held: Option<EntityTags>,
}

impl Conditions for Wanted {
    const HONOURED: &[HeaderName] = &[header::IF_MATCH, header::IF_NONE_MATCH];

    fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        let named = EntityTags::read(headers, &header::IF_MATCH)?;
        let held = EntityTags::read(headers, &header::IF_NONE_MATCH)?;
        Ok(Self { named, held })
    }
}

impl Wanted {
    /// Whether a caller who may have the version `etag` wants none but others.
    pub fn is_another(&self, etag: &str) -> bool {
        self.named.as_ref().is_some_and(|tags| !tags.match_strongly(etag))
    }

    /// Whether the caller has the version `etag` already.
    pub fn is_held(&self, etag: &str) -> bool {
        self.held.as_ref().is_some_and(|tags| tags.match_weakly(etag))
    }
}

/// The tag of a version, for `ETag`.
pub fn tag(version: &str) -> String {
    format!("\"{version}\"")
}

/// The text of `Idempotency-Key`; empty where there is none.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    match single(headers, &IDEMPOTENCY_KEY)? {
        Some(key) if key.is_empty() => Err(faulty("Idempotency-Key", "must not be empty")),
        key => Ok(key.unwrap_or_default()),
    }
}

/// The text of `Last-Event-ID`, if it is one: a browser that has seen no event sends none,
/// or an empty one.
pub fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    Ok(single(headers, &LAST_EVENT_ID)?.filter(|id| !id.is_empty()))
}

/// The only value of a header. What is no ASCII comes as text that the rpcs refuse.
fn single(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (only, None) => Ok(only.map(|value| text(value).trim().to_owned())),
        _ => Err(faulty(name.as_str(), "must not come twice")),
    }
}

fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn faulty(header: &str, rule: &str) -> Problem {
    Problem::invalid(vec![Fault { field: header.to_owned(), message: rule.to_owned() }])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn a_change_is_based_on_strong_tags_alone() {
        for (values, etag) in [
            (&[][..], Some("")),
            (&["*"], Some("")),
            (&["\"2a\""], Some("2a")),
            (&["W/\"2a\""], Some("W/")),
            (&["W/\"1\", \"2a\""], Some("2a")),
            (&["\"2a\", \"2b\""], Some("\"2a\", \"2b\"")),
            (&["\"2a\"", "\"2b\""], Some("\"2a\", \"2b\"")),
            (&["\"\""], Some("\"\"")),
            (&["2a"], None),
            (&["*", "\"2a\""], None),
            (&[""], None),
        ] {
            let read = BasedOn::read(&headers("if-match", values)).map(|based_on| based_on.etag);
            assert_eq!(read.ok().as_deref(), etag, "{values:?}");
        }
    }

    #[test]
    fn a_version_is_held_weakly_and_named_strongly() {
        for (values, is_named) in [
            (&["\"2a\""][..], true),
            (&["\"1\", \"2a\""], true),
            (&["\"1\"", "\"2a\""], true),
            (&["*"], true),
            (&["W/\"2a\""], false),
            (&["\"2b\""], false),
        ] {
            let named = Wanted::read(&headers("if-match", values)).expect("tags");
            assert_eq!(named.is_another("2a"), !is_named, "{values:?}");
            assert!(!named.is_held("2a"), "{values:?}");
            let held = Wanted::read(&headers("if-none-match", values)).expect("tags");
            let is_held = is_named || values[0].starts_with("W/");
            assert_eq!(held.is_held("2a"), is_held, "{values:?}");
            assert!(!held.is_another("2a"), "{values:?}");
        }
        assert!(Wanted::read(&headers("if-none-match", &["2a"])).is_err());
    }

    #[test]
    fn a_key_comes_once_and_is_not_empty() {
        let key = |values| idempotency_key(&headers("idempotency-key", values)).ok();
        assert_eq!(key(&[]).as_deref(), Some(""));
        assert_eq!(key(&["a-1"]).as_deref(), Some("a-1"));
        assert_eq!((key(&[""]), key(&["a", "a"])), (None, None));
    }
}
