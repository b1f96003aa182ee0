//! Where in a JSON object the faults are, as deep as the message goes.
//!
//! Each member, and each element of a list, is read alone: what cannot be read then is
//! faulty, whatever stands beside it.

use serde_json::{Error, Map, Value};

/// So many faults are looked for; far more than anybody is told of.
const SOUGHT: usize = 10_000;

/// Reads a part of a message; the error if that does not work.
type Reads<'a> = &'a dyn Fn(Value) -> Option<Error>;

/// The faulty members of `object` and what is wrong with each, as `reads` says, with their
/// paths (`tasks[3].title`).
pub fn faults(object: &Map<String, Value>, reads: Reads<'_>) -> Vec<(String, Error)> {
    let mut found = Vec::new();
    of_object("", object, reads, &mut found);
    found
}

fn of_object(
    path: &str,
    object: &Map<String, Value>,
    reads: Reads<'_>,
    found: &mut Vec<(String, Error)>,
) {
    let joint = if path.is_empty() { "" } else { "." };
    // What is missing is missing beside any member, and is no fault of it.
    let missing = reads(Value::Object(Map::new())).map(|error| error.to_string());
    for (name, value) in object {
        if found.len() >= SOUGHT {
            return;
        }
        let alone = |value| reads(Value::Object(Map::from_iter([(name.clone(), value)])));
        let of_member = |error: &Error| Some(error.to_string()) != missing;
        if let Some(error) = alone(value.clone()).filter(of_member) {
            // The name is the caller's own text, of any length.
            let name = super::json::cut(name);
            deeper(format!("{path}{joint}{name}"), value, error, &alone, found);
        }
    }
}

/// Notes what is faulty in `value`, or that it is as a whole.
fn deeper(
    path: String,
    value: &Value,
    error: Error,
    reads: Reads<'_>,
    found: &mut Vec<(String, Error)>,
) {
    let before = found.len();
    match value {
        Value::Array(elements) if reads(Value::Array(Vec::new())).is_none() => {
            let alone = |element| reads(Value::Array(vec![element]));
            for (i, element) in elements.iter().enumerate() {
                if found.len() >= SOUGHT {
                    return;
                }
                if let Some(error) = alone(element.clone()) {
                    deeper(format!("{path}[{i}]"), element, error, &alone, found);
                }
            }
        }
        // Where a member is missing, there is a place for others.
        Value::Object(members)
            if reads(Value::Object(Map::new())).is_none_or(|error| is_missing(&error)) =>
        {
            of_object(&path, members, reads, found);
        }
        _ => {}
    }
    if found.len() == before {
        found.push((path, error));
    }
}

fn is_missing(error: &Error) -> bool {
    error.to_string().starts_with("missing field")
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Batch {
        #[serde(default)]
        _tasks: Vec<Element>,
        #[serde(default)]
        _rule: Option<Rule>,
        #[serde(default)]
        _name: String,
    }

    #[derive(Deserialize)]
    #[serde(default, deny_unknown_fields)]
    #[derive(Default)]
    struct Element {
        _title: String,
        _rule: Option<Rule>,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Rule {
        _text: String,
        #[serde(default)]
        _from: u8,
    }

    fn paths(value: Value) -> Vec<String> {
        let Value::Object(object) = value else { panic!("an object") };
        let all = faults(&object, &|value| Batch::deserialize(value).err());
        all.into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn every_fault_is_found_however_deep() {
        let tasks = json!([
            {"_title": "a"},
            {"_title": 5, "colour": 1},
            3,
            {"_rule": {"_text": 1, "_from": "x"}},
            {"_rule": {"_from": 1}},
        ]);
        let found = paths(json!({"_tasks": tasks, "_rule": {"_from": "x"}, "size": {"a": 1}}));
        let expected = [
            "_rule._from",
            "_tasks[1]._title",
            "_tasks[1].colour",
            "_tasks[2]",
            "_tasks[3]._rule._from",
            "_tasks[3]._rule._text",
            "_tasks[4]._rule",
            "size",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_should_be_no_list_and_no_object_is_faulty_as_a_whole() {
        for value in [json!([[["a"]]]), json!({"a": {"b": 1}}), json!(1)] {
            assert_eq!(paths(json!({"_name": value})), ["_name"]);
        }
        assert_eq!(paths(json!({"_tasks": {"a": 1}, "_rule": [1]})), ["_rule", "_tasks"]);
    }

    #[test]
    fn not_more_is_looked_for_than_anybody_reads() {
        let many: Vec<_> = (0..2 * SOUGHT).collect();
        assert_eq!(paths(json!({ "_tasks": many })).len(), SOUGHT);
    }
}
