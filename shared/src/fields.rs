//! The fields of a message: all violations are reported at once.

use std::{borrow::Cow, fmt};

/// The most violations reported at a time, as the details of a refusal travel in a header.
pub const MAX_REPORTED: usize = 20;

/// Cuts `faults` to the reported number; the last one then counts the rest.
pub fn cap<T>(faults: &mut Vec<T>, many: impl FnOnce(String) -> T) {
    let more = faults.len().saturating_sub(MAX_REPORTED);
    if more > 0 {
        faults.truncate(MAX_REPORTED);
        faults.push(many(format!("has {more} more fault{}", if more == 1 { "" } else { "s" })));
    }
}

/// A violation: one broken rule of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as the contract spells it; in a list, with its index (`tasks[3].title`).
    pub field: Cow<'static, str>,
    /// The rule, as a sentence about the field. Never the value.
    pub message: String,
}

/// The violations of a request, at least one. Prints as one sentence: `title must not be empty;
/// priority is unknown`. Beyond [`MAX_REPORTED`] it prints how many more there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl Violations {
    /// A single violation.
    #[must_use]
    pub fn one(field: impl Into<Cow<'static, str>>, rule: impl fmt::Display) -> Self {
        Self(vec![Violation { field: field.into(), message: rule.to_string() }])
    }
}

/// The reported part of `violations`.
#[must_use]
pub fn reported(violations: &[Violation]) -> Vec<Violation> {
    let mut reported = violations.to_vec();
    cap(&mut reported, |message| Violation { field: "request".into(), message });
    reported
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Violation { field, message }) in reported(&self.0).iter().enumerate() {
            let separator = if i == 0 { "" } else { "; " };
            write!(f, "{separator}{field} {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// The violations of one message so far.
#[derive(Default)]
pub struct Fields(Vec<Violation>);

impl Fields {
    /// The value of `field`; `None` if it is faulty, which is recorded.
    pub fn take<T>(
        &mut self,
        field: impl Into<Cow<'static, str>>,
        parsed: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        parsed.map_err(|rule| self.fault(field, rule)).ok()
    }

    /// Records that `field` breaks `rule`.
    pub fn fault(&mut self, field: impl Into<Cow<'static, str>>, rule: impl fmt::Display) {
        self.0.push(Violation { field: field.into(), message: rule.to_string() });
    }

    /// The value of fields that were read separately; `None` if any is faulty, which is recorded.
    pub fn join<T>(&mut self, read: Result<T, Violations>) -> Option<T> {
        read.map_err(|Violations(faults)| self.0.extend(faults)).ok()
    }

    /// The value of the message at `path`, with its violations recorded under the path
    /// (`tasks[3].title`).
    pub fn nested<T>(&mut self, path: impl fmt::Display, read: Result<T, Violations>) -> Option<T> {
        let at = |Violation { field, message }| Violation {
            field: format!("{path}.{field}").into(),
            message,
        };
        self.join(
            read.map_err(|Violations(faults)| Violations(faults.into_iter().map(at).collect())),
        )
    }

    /// `value`, or all violations.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Violations> {
        value.filter(|_| self.0.is_empty()).ok_or(Violations(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_passes_whole_or_names_every_fault() {
        let mut fields = Fields::default();
        let (first, second) =
            (fields.take("a", Ok::<_, &str>(1)), fields.take("b", Ok::<_, &str>(2)));
        assert_eq!(fields.finish(first.zip(second)), Ok((1, 2)));

        let mut fields = Fields::default();
        let first = fields.take("a", Err::<i32, _>("must be odd"));
        fields.fault("b", "is missing");
        let violations = fields.finish(first).expect_err("two faults");
        assert_eq!(violations.to_string(), "a must be odd; b is missing");
        assert_eq!(Violations::one("c", "is late").to_string(), "c is late");
    }

    #[test]
    fn nested_messages_keep_their_faults_and_get_their_path() {
        let mut fields = Fields::default();
        fields.fault("a", "is missing");
        assert_eq!(fields.join(Err::<i32, _>(Violations::one("b", "is odd"))), None);
        assert_eq!(fields.nested("c[1]", Err::<i32, _>(Violations::one("d", "is late"))), None);
        assert_eq!((fields.join(Ok(1)), fields.nested("e", Ok(2))), (Some(1), Some(2)));
        let violations = fields.finish(Some(())).expect_err("three faults");
        assert_eq!(violations.to_string(), "a is missing; b is odd; c[1].d is late");
    }

    #[test]
    fn a_long_list_is_reported_in_part_with_the_number_of_the_rest() {
        let faulty = |count: usize| {
            let mut fields = Fields::default();
            for n in 0..count {
                fields.fault(format!("tasks[{n}].title"), "must not be empty");
            }
            fields.finish(None::<()>).expect_err("faults")
        };
        assert_eq!(reported(&faulty(MAX_REPORTED).0).len(), MAX_REPORTED);
        let (one_more, many) = (reported(&faulty(MAX_REPORTED + 1).0), faulty(500));
        assert_eq!(one_more.len(), MAX_REPORTED + 1);
        assert_eq!(one_more[MAX_REPORTED].message, "has 1 more fault");
        let sentence = many.to_string();
        assert!(sentence.starts_with("tasks[0].title must not be empty; tasks[1].title"));
        assert!(sentence.ends_with("; request has 480 more faults"), "{sentence}");
    }
}
