//! The fields of a message: every broken rule is noted, and all are told at once.

use std::fmt;

/// One broken rule of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The field, as the contract spells it.
    pub field: &'static str,
    /// The rule, as a sentence about the field. Never the value.
    pub message: String,
}

/// Every broken rule of a request, at least one. Prints as one sentence: `title must not be
/// empty; priority is unknown`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violations(pub Vec<Violation>);

impl Violations {
    /// The one rule that is broken.
    #[must_use]
    pub fn one(field: &'static str, rule: impl fmt::Display) -> Self {
        Self(vec![Violation { field, message: rule.to_string() }])
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Violation { field, message }) in self.0.iter().enumerate() {
            let joint = if i == 0 { "" } else { "; " };
            write!(f, "{joint}{field} {message}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Violations {}

/// The fields of one message, and what is wrong with them so far.
#[derive(Default)]
pub struct Fields(Vec<Violation>);

impl Fields {
    /// The value of `field`; `None` if it is faulty, which is noted.
    pub fn take<T>(
        &mut self,
        field: &'static str,
        parsed: Result<T, impl fmt::Display>,
    ) -> Option<T> {
        parsed.map_err(|rule| self.fault(field, rule)).ok()
    }

    /// Notes that `field` breaks `rule`.
    pub fn fault(&mut self, field: &'static str, rule: impl fmt::Display) {
        self.0.push(Violation { field, message: rule.to_string() });
    }

    /// `value` if nothing is wrong, else everything that is.
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
}
