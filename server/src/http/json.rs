//! JSON: messages from objects and query strings, every fault at once, and JSON responses.

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, StatusCode, header::CONTENT_TYPE};
use proto::members::{Members, Slot};
use serde::Serialize;
use shared::fields;

use super::{Fault, Problem, query, reader};

/// The headers of most responses.
const MOST_HEADERS: usize = 12;

/// A response with a JSON body.
pub fn answer(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(text) => written(status, text),
        Err(error) => {
            tracing::error!(cause = %error, "cannot write an answer");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A response with this JSON text.
pub fn written(status: StatusCode, text: impl Into<Body>) -> Response {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // Room for what the layers add.
    headers.reserve(MOST_HEADERS);
    headers.insert(CONTENT_TYPE, JSON);
    response
}

/// Reads a JSON object. Repeated and unknown members are faults, at any depth.
pub fn object<T: Members + Default>(text: &[u8]) -> Result<T, Problem> {
    line(text).map_err(Problem::invalid)
}

/// Reads a JSON object from a line: the message, or every fault.
pub fn line<T: Members + Default>(text: &[u8]) -> Result<T, Vec<Fault>> {
    let mut message = None;
    let faults = reader::faults(text, Slot::Message(&mut message));
    all("body", faults).map(|()| message.unwrap_or_default())
}

/// Reads a query string. Unknown parameters are faults; only lists may repeat a name.
pub fn query<T: Members + Default>(text: &str) -> Result<T, Problem> {
    let mut message = T::default();
    let faults = query::faults(text, &mut message);
    all("query", faults).map(|()| message).map_err(Problem::invalid)
}

/// All `faults`, where there are any; `whole` has those that are not reported.
fn all(whole: &str, mut faults: Vec<Fault>) -> Result<(), Vec<Fault>> {
    fields::cap(&mut faults, |message| Fault { field: whole.to_owned(), message });
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use proto::members::Member;

    use super::*;

    #[derive(Debug, Default, PartialEq, Eq)]
    struct Sample {
        title: String,
        done: Option<bool>,
        size: i32,
    }

    impl Members for Sample {
        fn members(&self) -> &'static [Member] {
            const {
                &[
                    Member::new("title", "title"),
                    Member::new("done", "done"),
                    Member::new("size", "size"),
                ]
            }
        }

        fn slot(&mut self, index: usize) -> Option<Slot<'_>> {
            match index {
                0 => Some(Slot::Text(&mut self.title)),
                1 => Some(Slot::Switch(&mut self.done)),
                _ => Some(Slot::Whole(&mut self.size)),
            }
        }
    }

    fn faults(problem: Problem) -> Vec<(String, String)> {
        assert_eq!(problem.status, StatusCode::BAD_REQUEST);
        problem.faults.into_iter().map(|fault| (fault.field, fault.message)).collect()
    }

    #[test]
    fn an_object_is_read() {
        let given: Sample = object(br#"{"title": "a\n", "done": null}"#).expect("an object");
        assert_eq!(given, Sample { title: "a\n".into(), done: None, size: 0 });
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
        let long = "n".repeat(5000);
        let problem = object::<Sample>(format!("{{\"{long}\": 1}}").as_bytes());
        assert_eq!(faults(problem.expect_err("a fault"))[0].0.len(), 64);
        assert_eq!(faults(query::<Sample>(&long).expect_err("a fault"))[0].0.len(), 64);
    }

    #[test]
    fn what_is_no_object_is_a_fault_of_the_body() {
        for (text, rule) in [
            ("", "is not valid JSON: EOF while parsing a value at line 1 column 0"),
            ("{", "is not valid JSON: EOF while parsing an object at line 1 column 1"),
            ("[]", "must be a JSON object"),
            ("null", "must be a JSON object"),
            ("{}x", "is not valid JSON: trailing characters at line 1 column 3"),
            (r#"{"title":"a","title":"b"}"#, "must not name `title` twice"),
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
