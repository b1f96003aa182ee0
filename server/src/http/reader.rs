//! The reader of JSON objects: a message in one pass over the text, and every fault by its path,
//! at any depth.

use std::{borrow::Cow, collections::BTreeSet, fmt, mem::replace};

use proto::members::{Member, Members, Scalar, Slot};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

use super::Fault;

/// The longest name in a fault, which is the client's own text.
const NAME_CHARS: usize = 64;

/// The most faults to search for, far more than are reported.
const MAX_FAULTS: usize = 10_000;

/// The rule that a value of a list breaks if it is none.
const LIST: &str = "must be a sequence";

/// Reads one JSON object into `message`, and returns every fault.
pub fn faults(text: &[u8], mut message: Slot<'_>) -> Vec<Fault> {
    let mut walk = Walk::default();
    let mut from = serde_json::Deserializer::from_slice(text);
    let object = Value { walk: &mut walk, slot: Some(&mut message), member: None };
    match object.deserialize(&mut from).and_then(|()| from.end()) {
        Ok(()) => walk.faults.iter().map(|(path, rule)| fault(path, rule)).collect(),
        // The walk takes every type, so what fails is the syntax.
        Err(error) => vec![fault(&[], &format!("is not valid JSON: {error}"))],
    }
}

fn fault(path: &[Step], rule: &str) -> Fault {
    let mut field = if path.is_empty() { "body".to_owned() } else { String::new() };
    for step in path {
        match step {
            Step::Element(index) => field = format!("{field}[{index}]"),
            Step::Member(name) if field.is_empty() => field += name,
            Step::Member(name) => field = format!("{field}.{name}"),
        }
    }
    Fault { field, message: rule.to_owned() }
}

/// A name in a fault, cut to its limit.
pub fn truncate(name: &str) -> String {
    name.chars().take(NAME_CHARS).collect()
}

/// The rule that an unknown member breaks.
pub fn unknown(known: &[Member]) -> String {
    let has_aliases = known.iter().any(|member| member.name != member.alias);
    // Better Auth's routes do not list their parameters.
    let names = known.iter().map(|member| member.name);
    let names = names.filter(|name| !name.contains(char::is_uppercase));
    let names: Vec<_> = names.map(|name| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "is not known here".to_owned(),
        [one, other] if !has_aliases => format!("is not known here; what is: {one} or {other}"),
        names => format!("is not known here; what is: {}", names.join(", ")),
    }
}

/// The rule that a message breaks with a member that comes again.
pub fn repeated(name: &str) -> String {
    format!("must not name `{name}` twice")
}

/// A step on the way to a value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Element(usize),
    Member(Cow<'static, str>),
}

/// The walk over a text: where it is, and the faults so far, sorted by path.
#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    faults: BTreeSet<(Vec<Step>, Cow<'static, str>)>,
}

impl Walk {
    fn fault<R: Into<Cow<'static, str>>>(&mut self, rule: impl FnOnce() -> R) {
        if self.faults.len() < MAX_FAULTS {
            self.faults.insert((self.path.clone(), rule().into()));
        }
    }

    fn object<'de, A: MapAccess<'de>>(
        &mut self,
        message: &mut dyn Members,
        mut access: A,
    ) -> Result<(), A::Error> {
        let members = message.members();
        let mut present = vec![false; members.len()];
        let mut next = 0;
        while let Some((index, name)) = access.next_key_seed(Name { members, next })? {
            next = index.map_or(next, |index| index + 1);
            let member = index.map(|index| &members[index]);
            let is_repeated = index.is_some_and(|index| replace(&mut present[index], true));
            if let Some(member) = member.filter(|_| is_repeated) {
                self.fault(|| repeated(member.name));
            }
            self.path.push(Step::Member(name));
            if member.is_none() {
                self.fault(|| unknown(members));
            }
            let mut slot = index.filter(|_| !is_repeated).and_then(|index| message.slot(index));
            access.next_value_seed(Value { walk: self, slot: slot.as_mut(), member })?;
            self.path.pop();
        }
        let present = || members.iter().zip(&present);
        for (member, _) in present().filter(|(member, present)| member.is_required && !**present) {
            self.fault(|| format!("missing field `{}`", member.name));
        }
        let mut names = present().filter(|(_, present)| **present).map(|(member, _)| member.name);
        message.keep_present(&mut names);
        Ok(())
    }
}

/// A value of a text, and the slot that it goes into; without one it is passed over.
struct Value<'w, 's> {
    walk: &'w mut Walk,
    slot: Option<&'w mut Slot<'s>>,
    /// The member; none for a whole text or an element, which are neither lists nor `null`.
    member: Option<&'static Member>,
}

impl Value<'_, '_> {
    fn is_list(&self) -> bool {
        self.member.is_some_and(|member| member.is_list)
    }

    fn scalar(self, scalar: Scalar<'_>) {
        let is_list = self.is_list();
        let Some(slot) = self.slot else { return };
        let put = match scalar {
            Scalar::Null if self.member.is_some_and(|member| !member.is_required) => Ok(()),
            _ if is_list => Err(LIST),
            scalar => slot.put(scalar),
        };
        if let Err(rule) = put {
            self.walk.fault(|| rule);
        }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

/// The visits of values without parts.
macro_rules! scalars {
    ($($visit:ident($given:ident: $type:ty) => $scalar:expr,)+) => {$(
        fn $visit<E>(self, $given: $type) -> Result<(), E> {
            self.scalar($scalar);
            Ok(())
        }
    )+};
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(Scalar::Null);
        Ok(())
    }

    scalars! {
        visit_bool(on: bool) => Scalar::Switch(on),
        visit_i64(number: i64) => Scalar::Number(number.into()),
        visit_u64(number: u64) => Scalar::Number(number.into()),
        // JSON has finite numbers alone.
        visit_f64(number: f64) => Number::from_f64(number).map_or(Scalar::Null, Scalar::Number),
        visit_str(text: &str) => Scalar::Text(text),
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let is_list = self.is_list();
        let Self { walk, mut slot, .. } = self;
        if let Some(other) = slot.take_if(|_| !is_list) {
            walk.fault(|| other.rule());
        }
        for index in 0.. {
            walk.path.push(Step::Element(index));
            let slot = slot.as_deref_mut();
            let element = Value { walk, slot, member: None };
            let is_end = access.next_element_seed(element)?.is_none();
            walk.path.pop();
            if is_end {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<(), A::Error> {
        let is_list = self.is_list();
        let Self { walk, slot, .. } = self;
        match slot {
            Some(Slot::Message(message)) if !is_list => return walk.object(message.add(), access),
            Some(slot) => walk.fault(|| if is_list { LIST } else { slot.rule() }),
            None => {}
        }
        while access.next_key::<IgnoredAny>()?.is_some() {
            access.next_value_seed(Value { walk, slot: None, member: None })?;
        }
        Ok(())
    }
}

/// The name of a member: its index among the known ones, if it is one of them.
struct Name {
    members: &'static [Member],
    /// The index of the member that is expected here.
    next: usize,
}

impl<'de> DeserializeSeed<'de> for Name {
    type Value = (Option<usize>, Cow<'static, str>);

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = (Option<usize>, Cow<'static, str>);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(match Member::find(self.members, name, self.next) {
            Some((index, name)) => (Some(index), name.into()),
            None => (None, truncate(name).into()),
        })
    }
}

#[cfg(test)]
#[path = "reader_tests.rs"]
mod tests;
