//! The members of a JSON body: read in the order of the schema, all faults at once, in the words
//! of upstream's validator.

use serde_json::{Map, Value};

use super::api_error::ApiError;
use crate::{
    email::Email,
    error_code,
    profile::{self, Image},
};

/// A request body of a known schema.
pub trait RequestBody: Sized {
    /// The expected type of the whole body, in upstream's words. Where there is none, any body or
    /// none counts as an empty object.
    const EXPECTED: &'static [&'static str] = &["object"];

    /// Whether an HTML form is accepted too.
    const ACCEPTS_HTML_FORM: bool = false;

    /// Reads the members of the schema, in its order; others are ignored. `None` only after a
    /// fault.
    fn read(members: &mut Members) -> Option<Self>;
}

/// The members of a body, and their faults so far.
#[derive(Default)]
pub struct Members {
    /// Whether the body is an HTML form, in which every value is text.
    from_html: bool,
    sent: Map<String, Value>,
    issues: Vec<String>,
}

impl Members {
    /// Reads a whole body; `None` is no body.
    pub fn read<T: RequestBody>(body: Option<Value>, from_html: bool) -> Result<T, ApiError> {
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

    /// A required text.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        match self.sent.remove(name) {
            Some(Value::String(text)) => Some(text),
            other => self.wrong_type(name, "string", other.as_ref()),
        }
    }

    /// A required text that is not empty.
    pub fn nonempty_text(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        if text.is_empty() {
            return self.issue(name, "Too small: expected string to have >=1 characters");
        }
        Some(text)
    }

    /// An optional text.
    pub fn optional_text(&mut self, name: &'static str) -> Option<String> {
        if self.sent.contains_key(name) { self.text(name) } else { None }
    }

    /// An optional boolean.
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

    /// A required display name.
    pub fn name(&mut self, name: &'static str) -> Option<String> {
        let text = self.text(name)?;
        match profile::name(text) {
            Ok(text) => Some(text),
            Err(rule) => self.issue(name, &rule),
        }
    }

    /// An optional display name.
    pub fn optional_name(&mut self, name: &'static str) -> Option<String> {
        if self.sent.contains_key(name) { self.name(name) } else { None }
    }

    /// An optional picture.
    pub fn optional_image(&mut self, name: &'static str) -> Option<Image> {
        let text = self.optional_text(name)?;
        match profile::image(text) {
            Ok(image) => Some(image),
            Err(rule) => self.issue(name, &rule),
        }
    }

    /// An optional picture; `null` removes it.
    pub fn nullable_image(&mut self, name: &'static str) -> Option<Image> {
        if self.sent.get(name).is_some_and(Value::is_null) {
            return Some(Image(None));
        }
        self.optional_image(name)
    }

    /// Whether the member is present and not `null`.
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

    fn refuse_if_faulty(&self) -> Result<(), ApiError> {
        if self.issues.is_empty() { Ok(()) } else { Err(self.refusal()) }
    }

    fn refusal(&self) -> ApiError {
        ApiError::with_message(&error_code::VALIDATION_ERROR, self.issues.join("; "))
    }
}

/// An e-mail address without surrounding spaces: unlike the domain, upstream trims nothing.
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
