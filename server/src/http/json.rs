//! JSON: messages from objects and query strings, and JSON responses.
//!
//! A message is parsed as a whole; only on failure is it parsed member by member, to report every
//! fault.

use std::fmt;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{DeserializeOwned, Error as _, MapAccess, Visitor},
};
use serde_json::{Map, Value};
use shared::fields;

use super::{Fault, Problem, members, query::Parameters};

/// The longest name in a fault, which is the client's own text.
const NAME_CHARS: usize = 64;

/// A response with a JSON body.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    match serde_json::to_vec(body) {
        Ok(text) => (status, [(CONTENT_TYPE, JSON)], Body::from(text)).into_response(),
        Err(error) => {
            tracing::error!(cause = %error, "cannot write an answer");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A message, and the members that were present, which distinguish `null` from absent.
#[derive(Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// The message.
    pub message: T,
    /// The names of the members, sorted.
    pub members: Vec<String>,
}

/// Reads a JSON object. Repeated and unknown members are faults, at any depth.
pub fn object<T: DeserializeOwned>(text: &[u8]) -> Result<Parsed<T>, Problem> {
    let Object(members) = serde_json::from_slice(text).map_err(|error| {
        let rule = if error.is_data() {
            rule(&error.to_string())
        } else {
            format!("is not valid JSON: {error}")
        };
        Problem::invalid(vec![Fault { field: "body".to_owned(), message: rule }])
    })?;
    // From the text again: repeated members of inner objects are lost in `members`.
    let error = match shared::json::text::<T>(text) {
        Ok(message) => {
            let members = members.into_iter().map(|(name, _)| name).collect();
            return Ok(Parsed { message, members });
        }
        Err(error) => error,
    };
    let error = shared::json::message::<T, _>(&members).err().unwrap_or(error);
    let found = members::faults(&members, &|part| shared::json::message::<T, _>(part).err());
    let faults = found.iter().map(|(path, error)| named(path.clone(), error)).collect();
    Err(all(faults, "body", &error))
}

/// Reads a JSON object from a line: the message, or every fault. Most lines are valid, so the
/// fast path is tried first.
pub fn line<T: DeserializeOwned>(text: &[u8]) -> Result<T, Vec<Fault>> {
    shared::json::text(text).or_else(|_| match object(text) {
        Ok(Parsed { message, .. }) => Ok(message),
        Err(problem) => Err(problem.faults),
    })
}

/// Reads a query string. Unknown parameters are faults; only lists may repeat a name.
pub fn query<T: DeserializeOwned>(text: &str) -> Result<T, Problem> {
    let parameters = Parameters::of(text);
    parameters.message().map_err(|error| {
        let faults = parameters.faults::<T>().map(|(name, error)| fault(name, &error)).collect();
        all(faults, "query", &error)
    })
}

/// All `faults`; where each member alone is valid, the fault of the whole.
fn all(mut faults: Vec<Fault>, whole: &str, error: &impl fmt::Display) -> Problem {
    if faults.is_empty() {
        faults.push(fault(whole, error));
    }
    fields::cap(&mut faults, |message| Fault { field: whole.to_owned(), message });
    Problem::invalid(faults)
}

fn fault(name: &str, error: &impl fmt::Display) -> Fault {
    named(truncate(name), error)
}

fn named(field: String, error: &impl fmt::Display) -> Fault {
    Fault { field, message: rule(&error.to_string()) }
}

pub(super) fn truncate(name: &str) -> String {
    name.chars().take(NAME_CHARS).collect()
}

/// The rule from an error's text, without the value that the error may quote.
fn rule(error: &str) -> String {
    if error.starts_with("unknown field") {
        let known = error.rsplit_once(", expected ").map(|(_, known)| known);
        let known = known.map(|known| known.strip_prefix("one of ").unwrap_or(known));
        // Only the primary spelling of a name is reported, no aliases.
        let names = known.into_iter().flat_map(|known| known.split(", "));
        let names: Vec<_> = names.filter(|name| !name.contains(char::is_uppercase)).collect();
        return if names.is_empty() {
            "is not known here".to_owned()
        } else {
            format!("is not known here; what is: {}", names.join(", "))
        };
    }
    if let Some(name) = error.strip_prefix("duplicate field ") {
        let (name, at) = name.split_once(" at line ").unwrap_or((name, ""));
        let at = if at.is_empty() { String::new() } else { format!(" at line {at}") };
        return format!("must not name {name} twice{at}");
    }
    match error.rsplit_once(", expected ") {
        Some((_, expected)) => {
            let expected = expected.split_once(" at line ").map_or(expected, |(rule, _)| rule);
            format!("must be {expected}")
        }
        None => match error {
            "invalid digit found in string" | "cannot parse integer from empty string" => {
                "must be a whole number".to_owned()
            }
            "provided string was not `true` or `false`" => "must be `true` or `false`".to_owned(),
            other => other.to_owned(),
        },
    }
}

/// A JSON object without repeated names.
struct Object(Map<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Object, A::Error> {
                let mut members = Map::new();
                while let Some((name, value)) = access.next_entry::<String, Value>()? {
                    if members.insert(name, value).is_some() {
                        return Err(A::Error::custom("must not name a member twice"));
                    }
                }
                Ok(Object(members))
            }
        }
        from.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Eq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        title: String,
        done: Option<bool>,
        size: i32,
    }

    fn faults(problem: Problem) -> Vec<(String, String)> {
        assert_eq!(problem.status, StatusCode::BAD_REQUEST);
        problem.faults.into_iter().map(|fault| (fault.field, fault.message)).collect()
    }

    #[test]
    fn an_object_is_read_and_its_members_are_known() {
        let given: Parsed<Sample> = object(br#"{"title": "a", "done": null}"#).expect("an object");
        assert_eq!(given.message, Sample { title: "a".into(), done: None, size: 0 });
        assert_eq!(given.members, ["done", "title"]);
    }

    #[test]
    fn every_fault_of_an_object_is_named_and_no_value_is_quoted() {
        let text = br#"{"title": 5, "done": "s3cret", "colour": 1, "": 2, "size": 1}"#;
        let found = faults(object::<Sample>(text).expect_err("faults"));
        let names: Vec<_> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["", "colour", "done", "title"]);
        assert_eq!(found[1].1, "is not known here; what is: `title`, `done`, `size`");
        assert_eq!((&*found[2].1, &*found[3].1), ("must be a boolean", "must be a string"));
        assert!(!format!("{found:?}").contains("s3cret"));
    }

    #[test]
    fn a_short_request_is_not_answered_at_any_length() {
        let members: Vec<_> = (0..5000).map(|n| format!("\"{n}\":1")).collect();
        let text = format!("{{{}}}", members.join(","));
        let problem = object::<Sample>(text.as_bytes()).expect_err("faults");
        assert_eq!(problem.faults.len(), fields::MAX_REPORTED + 1);
        assert_eq!(problem.faults[fields::MAX_REPORTED].message, "has 4980 more faults");
        let query_text = (0..500).map(|n| format!("{n}=1")).collect::<Vec<_>>().join("&");
        assert!(query::<Sample>(&query_text).expect_err("faults").message.len() < 4000);
    }

    #[test]
    fn what_is_no_object_is_a_fault_of_the_body() {
        for (text, rule) in [
            ("", "is not valid JSON: EOF while parsing a value at line 1 column 0"),
            ("{", "is not valid JSON: EOF while parsing an object at line 1 column 1"),
            ("[]", "must be a JSON object"),
            ("null", "must be a JSON object"),
            ("{}x", "is not valid JSON: trailing characters at line 1 column 3"),
            (r#"{"title":"a","title":"b"}"#, "must not name a member twice at line 1 column 25"),
        ] {
            let found = faults(object::<Sample>(text.as_bytes()).expect_err(text));
            assert_eq!(found, [("body".to_owned(), rule.to_owned())], "{text}");
        }
        let deep = format!("{{\"title\":{}", "[".repeat(200));
        let found = faults(object::<Sample>(deep.as_bytes()).expect_err("too deep"));
        assert!(found[0].1.contains("recursion limit"), "{found:?}");
        assert!(object::<Sample>(b"{\"title\":\"\xff\"}").is_err());
    }

    #[test]
    fn what_is_inside_is_an_object_too_and_names_nothing_twice() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Outer {
            inner: Option<Sample>,
            #[serde(default)]
            list: Vec<Sample>,
        }
        let sound = br#"{"inner": {"title": "a"}, "list": [{}, {"size": 1}]}"#;
        let Parsed { message, members } = object::<Outer>(sound).expect("an object");
        assert_eq!((message.inner.expect("one").title.as_str(), message.list.len()), ("a", 2));
        assert_eq!(members, ["inner", "list"]);
        for (text, field, rule) in [
            (r#"{"inner": ["a", true, 1]}"#, "inner", "must be a JSON object"),
            (r#"{"list": [{}, ["a", true, 1]]}"#, "list[1]", "must be a JSON object"),
            (
                r#"{"list": [{"title": "a", "title": "b"}]}"#,
                "body",
                "must not name `title` twice at line 1 column 32",
            ),
        ] {
            let expected = [(field.to_owned(), rule.to_owned())];
            let found = faults(object::<Outer>(text.as_bytes()).expect_err(text));
            assert_eq!(found, expected, "{text}");
            let found = line::<Outer>(text.as_bytes()).expect_err(text);
            assert_eq!(found.len(), 1, "{text}");
        }
    }

    #[test]
    fn a_line_is_read_like_an_object() {
        assert_eq!(line::<Sample>(br#"{"title":"a"}"#).expect("a line").title, "a");
        for (text, field) in [
            (&br#"{"titel":"a"}"#[..], "titel"),
            (br#"{"title":"a","title":"b"}"#, "body"),
            (b"{", "body"),
            (b"[1]", "body"),
            (br#"["a",true,1]"#, "body"),
        ] {
            let faults = line::<Sample>(text).expect_err("faulty");
            assert_eq!(faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>(), [field]);
        }
        let faults = line::<Sample>(br#"["a",true,1]"#).expect_err("no object");
        assert_eq!(faults[0].message, "must be a JSON object");
    }

    #[test]
    fn every_fault_of_a_query_is_named() {
        let read: Sample = query("title=a%20b&size=3&done=true").expect("a query");
        assert_eq!(read, Sample { title: "a b".into(), done: Some(true), size: 3 });
        let found = faults(query::<Sample>("size=x&done=1&page=2").expect_err("faults"));
        assert_eq!(found[0], ("size".to_owned(), "must be a whole number".to_owned()));
        assert_eq!(found[1], ("done".to_owned(), "must be `true` or `false`".to_owned()));
        assert_eq!(found[2].0, "page");
        let found = faults(query::<Sample>("size=1&size=2").expect_err("twice"));
        assert_eq!(found, [("size".to_owned(), "must not come twice".to_owned())]);
    }
}
