//! Preconditions of a request (RFC 9110 section 13): a route honours them or refuses them by
//! name, as clients rely on them.
//!
//! Preconditions that only save a transfer are ignored where nothing can be saved: a read without
//! entity tag, date and ranges gets a full response, as the RFC has it.

use http::{HeaderMap, HeaderName, Method, header};

use super::Fault;

/// All precondition headers.
const ALL: [HeaderName; 5] = [
    header::IF_MATCH,
    header::IF_NONE_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_UNMODIFIED_SINCE,
    header::IF_RANGE,
];

/// The entity tags in `If-Match` or `If-None-Match`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EntityTags {
    /// `*`: any version.
    Any,
    /// These versions, at least one.
    Listed(Vec<EntityTag>),
}

/// The name of a version (RFC 9110 section 8.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityTag {
    /// The text between the quotes.
    pub opaque: String,
    /// `W/`: for an equivalent version, not identical byte for byte.
    pub is_weak: bool,
}

impl EntityTags {
    /// The entity tags of the header `name`, in one line or several; `None` where it is absent.
    pub fn read(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, Fault> {
        let mut lines = headers.get_all(name).iter().peekable();
        if lines.peek().is_none() {
            return Ok(None);
        }
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        let text = lines.collect::<Vec<_>>().join(",");
        let read = match text.trim() {
            "*" => Some(Self::Any),
            list => parse_list(list).map(Self::Listed),
        };
        read.map(Some).ok_or_else(|| fault(name, "must be entity tags in quotes, or `*`"))
    }

    /// Whether the version `opaque` matches, weak tags included (RFC 9110 section 8.8.3.2).
    #[must_use]
    pub fn match_weakly(&self, opaque: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| tag.opaque == opaque),
        }
    }

    /// Whether the version `opaque` matches without weak tags, which never name a version to
    /// change.
    #[must_use]
    pub fn match_strongly(&self, opaque: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Listed(tags) => tags.iter().any(|tag| !tag.is_weak && tag.opaque == opaque),
        }
    }
}

/// Refuses each precondition that the request has and the route does not honour.
pub fn refuse_unsupported(
    method: &Method,
    headers: &HeaderMap,
    honoured: &[HeaderName],
) -> Result<(), Vec<Fault>> {
    let is_read = matches!(*method, Method::GET | Method::HEAD);
    let mut faults = Vec::new();
    for name in ALL.iter().filter(|name| headers.contains_key(*name)) {
        if honoured.contains(name) {
            continue;
        }
        if is_read && *name == header::IF_NONE_MATCH {
            // A response without a tag matches no listed one.
            match EntityTags::read(headers, name) {
                Ok(Some(EntityTags::Any)) => faults.push(fault(name, "must not be `*` here")),
                Ok(_) => {}
                Err(fault) => faults.push(fault),
            }
            continue;
        }
        let saves = [header::IF_MODIFIED_SINCE, header::IF_RANGE].contains(name);
        if !(is_read && saves) {
            faults.push(fault(name, "is not honoured here: leave it out"));
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

/// The tags of a list; `None` if it is malformed.
fn parse_list(text: &str) -> Option<Vec<EntityTag>> {
    let (mut tags, mut rest) = (Vec::new(), text);
    loop {
        // Empty elements mean nothing (section 5.6.1).
        rest = rest.trim_start_matches([',', ' ', '\t']);
        if rest.is_empty() {
            break;
        }
        let (is_weak, tag) = match rest.strip_prefix("W/") {
            Some(tag) => (true, tag),
            None => (false, rest),
        };
        let (opaque, after) = tag.strip_prefix('"')?.split_once('"')?;
        if opaque.contains(|c: char| c.is_ascii_control() || c == ' ') {
            return None;
        }
        tags.push(EntityTag { opaque: opaque.to_owned(), is_weak });
        rest = after.trim_start_matches([' ', '\t']);
        if !(rest.is_empty() || rest.starts_with(',')) {
            return None;
        }
    }
    (!tags.is_empty()).then_some(tags)
}

/// A fault of a header, named as HTTP spells it.
fn fault(name: &HeaderName, rule: &str) -> Fault {
    let capitalized = name.as_str().split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    });
    Fault { field: capitalized.collect::<Vec<_>>().join("-"), message: rule.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in given {
            headers.append(name, value.parse().expect("a header value"));
        }
        headers
    }

    fn read(lines: &[&str]) -> Result<Option<EntityTags>, Fault> {
        let lines = lines.iter().map(|line| (header::IF_MATCH, *line));
        EntityTags::read(&headers(&lines.collect::<Vec<_>>()), &header::IF_MATCH)
    }

    fn tag(opaque: &str, is_weak: bool) -> EntityTag {
        EntityTag { opaque: opaque.to_owned(), is_weak }
    }

    #[test]
    fn tags_come_in_lists_and_in_several_lines() {
        assert_eq!(read(&[]), Ok(None));
        assert_eq!(read(&[" * "]), Ok(Some(EntityTags::Any)));
        for (lines, tags) in [
            (&["\"a\""][..], vec![tag("a", false)]),
            (&["W/\"a\", \"b\""], vec![tag("a", true), tag("b", false)]),
            (&["\"a\"", "\"b\""], vec![tag("a", false), tag("b", false)]),
            (&[", \"a,b\" ,,"], vec![tag("a,b", false)]),
            (&["\"\""], vec![tag("", false)]),
        ] {
            assert_eq!(read(lines), Ok(Some(EntityTags::Listed(tags))), "{lines:?}");
        }
        for lines in [
            &[""][..],
            &[","],
            &["a"],
            &["\"a"],
            &["\"a\" \"b\""],
            &["\"a\"b"],
            &["w/\"a\""],
            &["\"a b\""],
            &["*, \"a\""],
            &["*", "\"a\""],
        ] {
            let fault = read(lines).expect_err("no list");
            assert_eq!(fault.field, "If-Match", "{lines:?}");
        }
    }

    #[test]
    fn weak_tags_match_where_a_copy_is_asked_about_alone() {
        let tags = EntityTags::Listed(vec![tag("a", true), tag("b", false)]);
        assert!(tags.match_weakly("a") && tags.match_weakly("b") && !tags.match_weakly("c"));
        assert!(!tags.match_strongly("a") && tags.match_strongly("b"));
        assert!(EntityTags::Any.match_weakly("a") && EntityTags::Any.match_strongly("a"));
    }

    #[test]
    fn what_is_not_honoured_is_refused_by_name_unless_nothing_hangs_on_it() {
        let date = "Sun, 29 Nov 2026 12:00:00 GMT";
        let sent = [
            (header::IF_MATCH, "\"a\""),
            (header::IF_NONE_MATCH, "\"a\""),
            (header::IF_MODIFIED_SINCE, date),
            (header::IF_UNMODIFIED_SINCE, date),
            (header::IF_RANGE, "\"a\""),
        ];
        let refused = |method, sent: &[(HeaderName, &str)], honoured: &[HeaderName]| {
            let faults = refuse_unsupported(&method, &headers(sent), honoured).err();
            let names = faults.into_iter().flatten().map(|fault| fault.field);
            names.collect::<Vec<_>>().join(" ")
        };
        let all = "If-Match If-None-Match If-Modified-Since If-Unmodified-Since If-Range";
        assert_eq!(refused(Method::POST, &sent, &[]), all);
        assert_eq!(refused(Method::GET, &sent, &[]), "If-Match If-Unmodified-Since");
        let both = [header::IF_MATCH, header::IF_NONE_MATCH];
        assert_eq!(refused(Method::GET, &sent, &both), "If-Unmodified-Since");
        assert_eq!(refused(Method::GET, &[], &[]), "");
        for unclear in ["*", "a"] {
            let sent = [(header::IF_NONE_MATCH, unclear)];
            assert_eq!(refused(Method::HEAD, &sent, &[]), "If-None-Match", "{unclear}");
            assert_eq!(refused(Method::HEAD, &sent, &both), "", "{unclear}");
        }
    }
}
