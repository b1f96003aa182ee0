//! Members: the fields of a message that a JSON object or a query string sets.
//!
//! The build script implements [`Members`] for each message that is read from requests. A reader
//! walks over [`Slot`]s and needs no code of its own for a message.

use std::{
    num::{IntErrorKind, ParseIntError},
    str::FromStr,
};

use chrono::DateTime;
use prost_types::Timestamp;
use serde_json::Number;

use crate::json::Names;

/// The rule of a number of 64 bits.
const LARGE: &str = "must be i64";

/// A message that is read member by member.
pub trait Members {
    /// The members, in the order of the contract.
    fn members(&self) -> &'static [Member];

    /// The slot of the member with this index in `members`.
    fn slot(&mut self, index: usize) -> Option<Slot<'_>>;

    /// Keeps the names of the members that were present, `null` or not: the field mask of an
    /// update.
    fn keep_present(&mut self, _names: &mut dyn Iterator<Item = &'static str>) {}
}

/// A member of a message: its names, and the form of its value.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The name of the field.
    pub name: &'static str,
    /// The second spelling of the name, which may be the same.
    pub alias: &'static str,
    /// Whether the value is a list.
    pub is_list: bool,
    /// Whether the member must be present, and not `null`.
    pub is_required: bool,
}

impl Member {
    /// An optional member of one value.
    pub const fn new(name: &'static str, alias: &'static str) -> Self {
        Self { name, alias, is_list: false, is_required: false }
    }

    /// This member, with a list as its value.
    #[must_use]
    pub const fn list(self) -> Self {
        Self { is_list: true, ..self }
    }

    /// This member, which must be present.
    #[must_use]
    pub const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The index of the member with this name, and the name as it is spelt there. The search
    /// begins at `first`: most texts name members in the order of the contract.
    pub fn find(members: &[Self], name: &str, first: usize) -> Option<(usize, &'static str)> {
        let first = first.min(members.len());
        (first..members.len()).chain(0..first).find_map(|index| {
            let Self { name: own, alias, .. } = members[index];
            let spelt = if own == name { own } else { alias };
            (spelt == name).then_some((index, spelt))
        })
    }
}

/// A field that takes values of one type: optional or not, or a list, which takes several.
pub trait Put<T> {
    /// Sets the field, or adds to the list.
    fn put(&mut self, value: T);
}

impl<T> Put<T> for T {
    fn put(&mut self, value: T) {
        *self = value;
    }
}

impl<T> Put<T> for Option<T> {
    fn put(&mut self, value: T) {
        *self = Some(value);
    }
}

impl<T> Put<T> for Vec<T> {
    fn put(&mut self, value: T) {
        self.push(value);
    }
}

/// A field of messages.
pub trait Nest {
    /// Adds an empty message, to be read.
    fn add(&mut self) -> &mut dyn Members;
}

impl<M: Members + Default> Nest for Option<M> {
    fn add(&mut self) -> &mut dyn Members {
        self.insert(M::default())
    }
}

impl<M: Members + Default> Nest for Vec<M> {
    fn add(&mut self) -> &mut dyn Members {
        let index = self.len();
        self.push(M::default());
        &mut self[index]
    }
}

/// The destination of a member's value, by type.
pub enum Slot<'m> {
    Text(&'m mut dyn Put<String>),
    Switch(&'m mut dyn Put<bool>),
    Whole(&'m mut dyn Put<i32>),
    Large(&'m mut dyn Put<i64>),
    Enum(&'m mut dyn Put<i32>, &'static Names),
    Timestamp(&'m mut dyn Put<Timestamp>),
    Message(&'m mut dyn Nest),
}

/// A value without parts.
pub enum Scalar<'v> {
    Null,
    Switch(bool),
    Number(Number),
    Text(&'v str),
}

impl Slot<'_> {
    /// Sets the field, or returns the rule that `value` breaks.
    pub fn put(&mut self, value: Scalar<'_>) -> Result<(), &'static str> {
        match (&mut *self, value) {
            (Self::Text(field), Scalar::Text(text)) => Put::put(*field, text.to_owned()),
            (Self::Switch(field), Scalar::Switch(on)) => Put::put(*field, on),
            (Self::Whole(field), Scalar::Number(number)) => {
                Put::put(*field, whole(&number)?);
            }
            (Self::Large(field), Scalar::Number(number)) => {
                Put::put(*field, number.as_i64().ok_or(LARGE)?);
            }
            (Self::Enum(field, names), Scalar::Text(name)) => {
                Put::put(*field, names.number(name).ok_or(names.rule)?);
            }
            (Self::Timestamp(field), Scalar::Text(text)) => Put::put(*field, timestamp(text)?),
            _ => return Err(self.rule()),
        }
        Ok(())
    }

    /// Sets the field from the text of a query parameter, or returns the rule that it breaks.
    pub fn parse(&mut self, text: &str) -> Result<(), &'static str> {
        match self {
            Self::Switch(field) => {
                Put::put(*field, text.parse().map_err(|_| "must be `true` or `false`")?);
            }
            Self::Whole(field) => Put::put(*field, parse_whole(text)?),
            Self::Large(field) => Put::put(*field, parse_whole(text)?),
            _ => return self.put(Scalar::Text(text)),
        }
        Ok(())
    }

    /// The rule that a value of another type breaks.
    pub fn rule(&self) -> &'static str {
        match self {
            Self::Text(_) | Self::Enum(..) | Self::Timestamp(_) => "must be a string",
            Self::Switch(_) => "must be a boolean",
            Self::Whole(_) => "must be a JSON number",
            Self::Large(_) => LARGE,
            Self::Message(_) => "must be a JSON object",
        }
    }
}

/// A whole number however JSON spells it: `5.0` is one.
fn whole(number: &Number) -> Result<i32, &'static str> {
    let given = number.as_f64().unwrap_or(f64::NAN);
    #[expect(clippy::cast_possible_truncation, reason = "what is cut is refused")]
    let whole = given as i32;
    let is_whole = given - f64::from(whole) == 0.0;
    is_whole.then_some(whole).ok_or("must be a whole number, and not so large")
}

fn parse_whole<T: FromStr<Err = ParseIntError>>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|error: ParseIntError| match error.kind() {
        IntErrorKind::PosOverflow => "number too large to fit in target type",
        IntErrorKind::NegOverflow => "number too small to fit in target type",
        _ => "must be a whole number",
    })
}

/// A timestamp in RFC 3339 with any offset, cut to microseconds.
fn timestamp(text: &str) -> Result<Timestamp, &'static str> {
    let at = DateTime::parse_from_rfc3339(text)
        .map_err(|_| "must be a moment such as `2026-11-25T09:00:00Z`")?;
    let nanos = at.timestamp_subsec_nanos().min(999_999_999) / 1_000 * 1_000;
    Ok(Timestamp { seconds: at.timestamp(), nanos: nanos.cast_signed() })
}
