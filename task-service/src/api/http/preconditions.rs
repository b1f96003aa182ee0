//! Preconditions (RFC 9110 section 13), the idempotency key and `Last-Event-ID`.

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use server::http::{Fault, Problem, preconditions::EntityTags};
use tonic::Status;

use super::responses::problem;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// An etag that no version has.
const WEAK: &str = "W/";

/// The preconditions that a route honours. Every other one is refused by name.
pub trait Preconditions: Sized {
    /// The honoured headers.
    const HONOURED: &[HeaderName];

    /// Reads the headers.
    fn read(headers: &HeaderMap) -> Result<Self, Fault>;
}

/// No preconditions.
pub struct NoPreconditions;

impl Preconditions for NoPreconditions {
    const HONOURED: &[HeaderName] = &[];

    fn read(_: &HeaderMap) -> Result<Self, Fault> {
        Ok(Self)
    }
}

/// The precondition of a change: `If-Match`.
#[derive(Default)]
pub struct ChangePreconditions {
    /// The etag for the rpcs; empty for any version.
    pub etag: String,
    is_weak: bool,
}

impl Preconditions for ChangePreconditions {
    const HONOURED: &[HeaderName] = &[header::IF_MATCH];

    fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        let tags = match EntityTags::read(headers, &header::IF_MATCH)? {
            None | Some(EntityTags::Any) => return Ok(Self::default()),
            Some(EntityTags::Listed(tags)) => tags,
        };
        let is_weak = tags.iter().any(|tag| tag.is_weak);
        // A weak tag never matches (RFC 9110 section 13.1.1).
        let named: Vec<_> = tags.iter().filter(|tag| !tag.is_weak).map(|t| &*t.opaque).collect();
        let etag = match named[..] {
            [] => WEAK.to_owned(),
            [only] if !only.is_empty() => only.to_owned(),
            _ => named.iter().map(|one| tag(one)).collect::<Vec<_>>().join(", "),
        };
        Ok(Self { etag, is_weak })
    }
}

impl ChangePreconditions {
    /// The error of an rpc as a problem, with a hint if a tag was weak, as some proxies make it.
    pub fn problem(&self, status: Status) -> Problem {
        let mut problem = problem(status);
        if self.is_weak && problem.status == StatusCode::PRECONDITION_FAILED {
            problem.message.to_mut().push_str(
                "; a weak tag (`W/`) names no version to change: send the task's `etag` in quotes",
            );
        }
        problem
    }
}

/// The preconditions of a read: `If-Match` and `If-None-Match`.
pub struct ReadPreconditions {
    named: Option<EntityTags>,
    held: Option<EntityTags>,
}

impl Preconditions for ReadPreconditions {
    const HONOURED: &[HeaderName] = &[header::IF_MATCH, header::IF_NONE_MATCH];

    fn read(headers: &HeaderMap) -> Result<Self, Fault> {
        let named = EntityTags::read(headers, &header::IF_MATCH)?;
        let held = EntityTags::read(headers, &header::IF_NONE_MATCH)?;
        Ok(Self { named, held })
    }
}

impl ReadPreconditions {
    /// Whether `If-Match` fails for the version `etag`.
    pub fn if_match_fails(&self, etag: &str) -> bool {
        self.named.as_ref().is_some_and(|tags| !tags.match_strongly(etag))
    }

    /// Whether `If-None-Match` has the version `etag`.
    pub fn if_none_match_has(&self, etag: &str) -> bool {
        self.held.as_ref().is_some_and(|tags| tags.match_weakly(etag))
    }
}

/// The value of `ETag` for a version.
pub fn tag(version: &str) -> String {
    format!("\"{version}\"")
}

/// The idempotency key; empty if there is none.
pub fn idempotency_key(headers: &HeaderMap) -> Result<String, Problem> {
    match single(headers, &IDEMPOTENCY_KEY)? {
        Some(key) if key.is_empty() => Err(faulty("Idempotency-Key", "must not be empty")),
        key => Ok(key.unwrap_or_default()),
    }
}

/// The `Last-Event-ID`; a browser without an event sends none or an empty one.
pub fn last_event_id(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    Ok(single(headers, &LAST_EVENT_ID)?.filter(|id| !id.is_empty()))
}

/// The single value of a header. Text outside ASCII is left for the rpcs to refuse.
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
            let read = ChangePreconditions::read(&headers("if-match", values))
                .map(|preconditions| preconditions.etag);
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
            let named = ReadPreconditions::read(&headers("if-match", values)).expect("tags");
            assert_eq!(named.if_match_fails("2a"), !is_named, "{values:?}");
            assert!(!named.if_none_match_has("2a"), "{values:?}");
            let held = ReadPreconditions::read(&headers("if-none-match", values)).expect("tags");
            let is_held = is_named || values[0].starts_with("W/");
            assert_eq!(held.if_none_match_has("2a"), is_held, "{values:?}");
            assert!(!held.if_match_fails("2a"), "{values:?}");
        }
        assert!(ReadPreconditions::read(&headers("if-none-match", &["2a"])).is_err());
    }

    #[test]
    fn a_key_comes_once_and_is_not_empty() {
        let key = |values| idempotency_key(&headers("idempotency-key", values)).ok();
        assert_eq!(key(&[]).as_deref(), Some(""));
        assert_eq!(key(&["a-1"]).as_deref(), Some("a-1"));
        assert_eq!((key(&[""]), key(&["a", "a"])), (None, None));
    }
}
