//! A query string: names with one or several values. The message decides which: a list takes
//! every value, anything else exactly one.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    mem::replace,
};

use proto::members::{Member, Members, Slot};

use super::{
    Fault,
    reader::{repeated, truncate, unknown},
};

/// The query of a route that takes no parameter: each one is refused by name.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoParameters {}

impl Members for NoParameters {
    fn members(&self) -> &'static [Member] {
        &[]
    }

    fn slot(&mut self, _index: usize) -> Option<Slot<'_>> {
        None
    }
}

/// Reads a query string into `message`, and returns every fault.
pub fn faults(text: &str, message: &mut dyn Members) -> Vec<Fault> {
    let members = message.members();
    let mut present = vec![false; members.len()];
    let mut faults = Vec::new();
    for (name, values) in parameters(text) {
        let mut fault = |field: &str, message: String| {
            faults.push(Fault { field: truncate(field), message });
        };
        let Some((index, _)) = Member::find(members, &name, 0) else {
            fault(&name, unknown(members));
            continue;
        };
        let member = &members[index];
        if replace(&mut present[index], true) {
            fault("query", repeated(member.name));
        } else if !member.is_list && values.len() > 1 {
            fault(&name, "must not come twice".to_owned());
        } else if let Some(mut slot) = message.slot(index)
            && let Some(rule) = values.iter().find_map(|value| slot.parse(value).err())
        {
            fault(&name, rule.to_owned());
        }
    }
    faults
}

/// A name and its values.
type Parameter<'t> = (Cow<'t, str>, Vec<Cow<'t, str>>);

/// The parameters of a query string, decoded, in the order of their first appearance.
fn parameters(text: &str) -> Vec<Parameter<'_>> {
    let mut all: Vec<Parameter<'_>> = Vec::new();
    let mut indexes: BTreeMap<_, usize> = BTreeMap::new();
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        match indexes.entry(name) {
            Entry::Occupied(entry) => all[*entry.get()].1.push(value),
            Entry::Vacant(entry) => {
                let name = entry.key().clone();
                entry.insert(all.len());
                all.push((name, vec![value]));
            }
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use proto::task::v1::{ListTasksRequest, Priority, TaskSort};

    use super::*;

    fn read(text: &str) -> Result<ListTasksRequest, Vec<(String, String)>> {
        let mut message = ListTasksRequest::default();
        let faults = faults(text, &mut message);
        let faults: Vec<_> = faults.into_iter().map(|of| (of.field, of.message)).collect();
        if faults.is_empty() { Ok(message) } else { Err(faults) }
    }

    #[test]
    fn a_list_takes_every_value_of_its_name_in_order() {
        let text = "tags_any=b&priorities=high&tags_any=a%20c&tags_any=b&priorities=low&tags_any=";
        let message = read(text).expect("a message");
        assert_eq!(message.tags_any, ["b", "a c", "b", ""]);
        assert_eq!(message.priorities, [i32::from(Priority::High), Priority::Low.into()]);
        assert_eq!(read("tagsAny=one").expect("a message").tags_any, ["one"]);
        assert_eq!(read("").expect("a message"), ListTasksRequest::default());
    }

    #[test]
    fn anything_else_comes_once() {
        let message = read("has_due=true&text=a+b&pageSize=7&sort=due").expect("a message");
        assert_eq!((message.has_due, message.page_size), (Some(true), 7));
        assert_eq!((message.text.as_str(), message.sort()), ("a b", TaskSort::Due));
        for twice in ["has_due=true&has_due=true", "text=1&tags_any=a&text=1", "sort=due&sort=due"]
        {
            let name = twice.split('=').next().expect("a name").to_owned();
            assert_eq!(read(twice), Err(vec![(name, "must not come twice".to_owned())]), "{twice}");
        }
        for two_names in ["page_size=1&pageSize=1", "pageSize=1&page_size=1"] {
            let rule = "must not name `page_size` twice";
            assert_eq!(read(two_names), Err(vec![("query".to_owned(), rule.to_owned())]));
        }
    }

    #[test]
    fn every_faulty_name_is_found_once() {
        let faults =
            read("priorities=low&priorities=x&has_due=1&nothing=2&nothing=3").expect_err("faults");
        let names: Vec<_> = faults.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["priorities", "has_due", "nothing"]);
        assert_eq!(faults[0].1, "must be `low`, `medium`, `high` or `urgent`");
    }

    #[test]
    fn a_number_is_whole_and_fits() {
        for (text, rule) in [
            ("", "must be a whole number"),
            ("-", "must be a whole number"),
            ("1.0", "must be a whole number"),
            ("2147483648", "number too large to fit in target type"),
            ("-2147483649", "number too small to fit in target type"),
        ] {
            let faults = read(&format!("page_size={text}")).expect_err(text);
            assert_eq!(faults, [("page_size".to_owned(), rule.to_owned())]);
        }
        assert_eq!(read("page_size=-2147483648").expect("a message").page_size, i32::MIN);
    }
}
