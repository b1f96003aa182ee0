//! The members of a request's body: read one by one in the order of the schema, every
//! issue noted in the words of upstream's validator, all told at once.

use serde_json::{Map, Value};

use super::refusal::Refused;
use crate::{
    email::Email,
    error_code,
    profile::{self, Image},
};

/// A request that a body can be read as.
pub trait Form: Sized {
    /// What the body as a whole has to be, in the words of its schema. Where there are
    /// none, any body and no body are taken for an empty object.
    const EXPECTED: &'static [&'static str] = &["object"];

    /// Whether it is also taken from an HTML form.
    const FROM_HTML: bool = false;

    /// Reads the members that the schema names, in its order; others are left alone.
    /// `None` only where an issue was noted.
    fn read(members: &mut Members) -> Option<Self>;
}

/// The members that were sent, and what is wrong with them so far.
#[derive(Default)]
pub struct Members {
    /// Whether they come from an HTML form, in which everything is text.
    from_html: bool,
    sent: Map<String, Value>,
    issues: Vec<String>,
}

impl Members {
    /// Reads a whole body; `None` is no body.
    pub fn read<T: Form>(body: Option<Value>, from_html: bool) -> Result<T, Refused> {
        let mut members = Self { from_html, ..Self::default() };
        match body {
            Some(Value::Object(sent)) => members.sent = sent,
            other => {
                let received = kind(other.as_ref());
                let issue = |expected: &&str| mismatch("body", expected, received);
                members.issues = T::EXPECTED.iter().map(issue).collect();
                members.refuse_if_faulty()?;
            }
        }
        let form = T::read(&mut members);
        members.refuse_if_faulty()?;
        form.ok_or_else(|| members.refusal())
    }

    /// A text that must be there.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.sent.remove(name) {
            Some(Value::String(text)) => Some(text),
            other => self.wrong_type(name, "string", other.as_ref()),
        }
    }

    /// A text that must be there and not be empty.
    pub fn nonempty_text(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        if text.is_empty() {
            return self.issue(name, "Too small: expected string to have >=1 characters");
        }
        Some(text)
    }

    /// A text, if it is there.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        if self.sent.contains_key(name) { self.text(name) } else { None }
    }

    /// A switch, if it is there.
    pub fn optional_switch(&mut self, name: &'static str) -> Option<bool> {
        match self.sent.remove(name)? {
            Value::Bool(on) => Some(on),
            Value::String(text) if self.from_html && ["true", "false"].contains(&&*text) => {
                Some(text == "true")
            }
            other => self.wrong_type(name, "boolean", Some(&other)),
        }
    }

    /// An e-mail address.
    pub fn email(&mut self, name: &'static str) -> Option<Email> {
        let text = self.text(name)?;
        exact(&text).or_else(|| self.issue(name, "Invalid email address"))
    }

    /// A display name that must be there.
    pub fn name(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        match profile::name(text) {
            Ok(text) => Some(text),
            Err(rule) => self.issue(name, &rule),
        }
    }

    /// A display name, if it is there.
    pub fn optional_name(&mut self, name: &'static str) -> Option<String> {
        if self.sent.contains_key(name) { self.name(name) } else { None }
    }

    /// A picture, if it is there.
    pub fn optional_image(&mut self, name: &'static str) -> Option<Image> {
        let text = self.optional_text(name)?;
        match profile::image(text) {
            Ok(image) => Some(image),
            Err(rule) => self.issue(name, &rule),
        }
    }

    /// A picture or `null`, which means none, if it is there.
    pub fn nullable_image(&mut self, name: &'static str) -> Option<Image> {
        if self.sent.get(name).is_some_and(Value::is_null) {
            return Some(Image(None));
        }
        self.optional_image(name)
    }

    /// Whether there is such a member and it is not `null`.
    pub fn is_given(&self, name: &str) -> bool {
        self.sent.get(name).is_some_and(|value| !value.is_null())
    }

    fn wrong_type<T>(&mut self, name: &str, expected: &str, value: Option<&Value>) -> Option<T> {
        self.issues.push(mismatch(&format!("body.{name}"), expected, kind(value)));
        None
    }

    fn issue<T>(&mut self, name: &str, message: &str) -> Option<T> {
        self.issues.push(format!("[body.{name}] {message}"));
        None
    }

    fn refuse_if_faulty(&self) -> Result<(), Refused> {
        if self.issues.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(&self) -> Refused {
        Refused::saying(&error_code::VALIDATION_ERROR, self.issues.join("; "))
    }
}

/// An e-mail address with nothing around it: unlike the domain, upstream trims nothing.
pub fn exact(text: &str) -> Option<Email> {
    Email::parse(text).ok().filter(|_| text.trim().len() == text.len())
}

fn mismatch(place: &str, expected: &str, received: &str) -> String {
    format!("[{place}] Invalid input: expected {expected}, received {received}")
}

fn kind(value: Option<&Value>) -> &'static str {
    match value {
        None => "undefined",
        Some(Value::Null) => "null",
        Some(Value::Bool(_)) => "boolean",
        Some(Value::Number(_)) => "number",
        Some(Value::String(_)) => "string",
        Some(Value::Array(_)) => "array",
        Some(Value::Object(_)) => "object",
    }
}
