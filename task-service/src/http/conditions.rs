//! Conditions on a version (RFC 9110 section 13), keys that make a creation safe to repeat,
//! and how far a reader of events has come.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use shared::http::{Fault, Problem};

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The version of `If-Match`, as the rpcs take it: empty where any will do.
pub fn if_match(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(tag) = single(headers, &header::IF_MATCH)? else { return Ok(String::new()) };
    if tag == "*" {
        return Ok(String::new());
    }
    let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    match opaque {
        Some(version) if !version.is_empty() && !version.contains('"') => Ok(version.to_owned()),
        // A weak tag never matches here (section 13.1.1); the rpc calls it stale.
        _ if tag.starts_with("W/\"") => Ok(tag),
        _ => Err(faulty("If-Match", "must be one entity tag in quotes, or `*`")),
    }
}

/// Whether `If-None-Match` names the version with this tag.
pub fn if_none_match(headers: &HeaderMap, tag: &str) -> bool {
    let given = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|v| v.to_str().ok());
    given
        .flat_map(|list| list.split(','))
        .map(str::trim)
        .any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
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
    fn a_version_is_one_strong_tag_or_any() {
        for (values, version) in [
            (&[][..], Some("")),
            (&["*"], Some("")),
            (&["\"2a\""], Some("2a")),
            (&["W/\"2a\""], Some("W/\"2a\"")),
            (&["2a"], None),
            (&["\"2a\", \"2b\""], None),
            (&["\"2a\"", "\"2a\""], None),
            (&["\"\""], None),
            (&[""], None),
        ] {
            let read = if_match(&headers("if-match", values));
            assert_eq!(read.ok().as_deref(), version, "{values:?}");
        }
    }

    #[test]
    fn a_copy_is_fresh_if_any_of_its_tags_is() {
        for (values, fresh) in [
            (&["\"2a\""][..], true),
            (&["W/\"2a\""], true),
            (&["\"1\", \"2a\""], true),
            (&["\"1\"", "\"2a\""], true),
            (&["*"], true),
            (&["\"2b\""], false),
            (&["2a"], false),
            (&[], false),
        ] {
            let headers = headers("if-none-match", values);
            assert_eq!(if_none_match(&headers, &tag("2a")), fresh, "{values:?}");
        }
    }

    #[test]
    fn a_key_comes_once_and_is_not_empty() {
        let key = |values| idempotency_key(&headers("idempotency-key", values)).ok();
        assert_eq!(key(&[]).as_deref(), Some(""));
        assert_eq!(key(&["a-1"]).as_deref(), Some("a-1"));
        assert_eq!((key(&[""]), key(&["a", "a"])), (None, None));
    }
}
