//! JSON objects of the gate: structs are read from objects alone. serde reads one from an array
//! too, its members in the order of declaration, which no token and no key may be.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor, value::MapAccessDeserializer},
};

/// A struct that was read from an object.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Members(PhantomData))
    }
}

/// The visitor of a struct, which accepts an object alone.
struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(Object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Outer {
        inner: Object<Inner>,
        #[serde(default)]
        size: f64,
    }

    #[derive(Deserialize)]
    struct Inner {
        text: String,
    }

    #[test]
    fn a_struct_is_an_object_at_every_depth() {
        let read = serde_json::from_str::<Object<Outer>>;
        let Object(outer) = read(r#"{"inner": {"text": "a\n"}, "size": 1}"#).expect("one");
        assert_eq!((outer.inner.0.text.as_str(), outer.size), ("a\n", 1.0));
        for faulty in
            ["[]", r#"[{"text": "a"}]"#, r#"{"inner": ["a"]}"#, "null", r#"{"inner": "a"}"#]
        {
            let error = read(faulty).err().expect(faulty);
            assert!(error.to_string().contains("expected a JSON object"), "{faulty}: {error}");
        }
        for faulty in [r#"{"inner": {"text": "a", "text": "b"}}"#, r#"{"inner": {"text": "a"}} {}"#]
        {
            assert!(read(faulty).is_err(), "{faulty}");
        }
    }
}
