//! The paths of the faults in a JSON object, at any depth.
//!
//! Each member, and each element of a list, is parsed alone: one that fails is faulty.

use serde_json::{Error, Map, Value};

/// The most faults to search for, far more than are reported.
const MAX_FAULTS: usize = 10_000;

/// Parses a part of a message; returns the error on failure.
type TryRead<'a> = &'a dyn Fn(Value) -> Option<Error>;

/// The faulty members of `object`, by path (`tasks[3].title`), each with its error.
pub fn faults(object: &Map<String, Value>, reads: TryRead<'_>) -> Vec<(String, Error)> {
    let mut faults = Vec::new();
    in_object("", object, reads, &mut faults);
    faults
}

fn in_object(
    path: &str,
    object: &Map<String, Value>,
    reads: TryRead<'_>,
    faults: &mut Vec<(String, Error)>,
) {
    let separator = if path.is_empty() { "" } else { "." };
    // A missing member is no fault of the others.
    let missing = reads(Value::Object(Map::new())).map(|error| error.to_string());
    for (name, value) in object {
        if faults.len() >= MAX_FAULTS {
            return;
        }
        let alone = |value| reads(Value::Object(Map::from_iter([(name.clone(), value)])));
        let of_member = |error: &Error| Some(error.to_string()) != missing;
        if let Some(error) = alone(value.clone()).filter(of_member) {
            // The name is the client's own text, of any length.
            let name = super::json::truncate(name);
            descend(format!("{path}{separator}{name}"), value, error, &alone, faults);
        }
    }
}

/// Records the faults inside `value`, or `value` as a whole.
fn descend(
    path: String,
    value: &Value,
    error: Error,
    reads: TryRead<'_>,
    faults: &mut Vec<(String, Error)>,
) {
    let before = faults.len();
    match value {
        Value::Array(elements) if reads(Value::Array(Vec::new())).is_none() => {
            let alone = |element| reads(Value::Array(vec![element]));
            for (i, element) in elements.iter().enumerate() {
                if faults.len() >= MAX_FAULTS {
                    return;
                }
                if let Some(error) = alone(element.clone()) {
                    descend(format!("{path}[{i}]"), element, error, &alone, faults);
                }
            }
        }
        // A missing member shows that an object is expected.
        Value::Object(members)
            if reads(Value::Object(Map::new())).is_none_or(|error| is_missing(&error)) =>
        {
            in_object(&path, members, reads, faults);
        }
        _ => {}
    }
    if faults.len() == before {
        faults.push((path, error));
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
        let faults = paths(json!({"_tasks": tasks, "_rule": {"_from": "x"}, "size": {"a": 1}}));
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
        assert_eq!(faults, expected);
    }

    #[test]
    fn what_should_be_no_list_and_no_object_is_faulty_as_a_whole() {
        for value in [json!([[["a"]]]), json!({"a": {"b": 1}}), json!(1)] {
            assert_eq!(paths(json!({"_name": value})), ["_name"]);
        }
        assert_eq!(paths(json!({"_tasks": {"a": 1}, "_rule": [1]})), ["_rule", "_tasks"]);
    }

    #[test]
    fn the_search_for_faults_has_a_limit() {
        let many: Vec<_> = (0..2 * MAX_FAULTS).collect();
        assert_eq!(paths(json!({ "_tasks": many })).len(), MAX_FAULTS);
    }
}
