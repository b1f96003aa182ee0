//! A query string as a serde data format: names with one or several values.
//!
//! Written here because the message decides whether a name may be repeated: a list takes every
//! value, anything else exactly one.

use std::{
    borrow::Cow,
    collections::{BTreeMap, btree_map::Entry},
    slice,
};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeOwned, Error as _, IntoDeserializer, Visitor,
        value::{Error, MapDeserializer, SeqDeserializer, StrDeserializer},
    },
    forward_to_deserialize_any,
};

/// The query of a route that takes no parameter: each one is refused by name.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoParameters {}

/// A name and its values.
type Parameter<'t> = (Cow<'t, str>, Vec<Cow<'t, str>>);

/// The parameters of a query string, in the order of their first appearance.
pub struct Parameters<'t>(Vec<Parameter<'t>>);

impl<'t> Parameters<'t> {
    /// The parameters of `text`, decoded.
    pub fn of(text: &'t str) -> Self {
        let mut all: Vec<Parameter<'t>> = Vec::new();
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
        Self(all)
    }

    /// The message of all parameters.
    pub fn message<T: DeserializeOwned>(&self) -> Result<T, Error> {
        read(&self.0)
    }

    /// The faulty parameters.
    pub fn faults<T: DeserializeOwned>(&self) -> impl Iterator<Item = (&str, Error)> {
        let alone = |parameter: &Parameter<'t>| read::<T>(slice::from_ref(parameter)).err();
        self.0.iter().filter_map(move |parameter| Some((&*parameter.0, alone(parameter)?)))
    }
}

fn read<T: DeserializeOwned>(parameter: &[Parameter<'_>]) -> Result<T, Error> {
    let members = parameter.iter().map(|(name, values)| (&**name, Values(values)));
    T::deserialize(MapDeserializer::new(members))
}

/// The values of one name.
struct Values<'v>(&'v [Cow<'v, str>]);

impl<'v> Values<'v> {
    fn only(&self) -> Result<&'v str, Error> {
        match self.0 {
            [only] => Ok(only),
            _ => Err(Error::custom("must not come twice")),
        }
    }
}

impl IntoDeserializer<'_> for Values<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The types that `FromStr` parses.
macro_rules! parsed {
    ($($method:ident $visit:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            visitor.$visit(self.only()?.parse().map_err(Error::custom)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Values<'_> {
    type Error = Error;

    parsed! {
        deserialize_bool visit_bool
        deserialize_i8 visit_i8
        deserialize_i16 visit_i16
        deserialize_i32 visit_i32
        deserialize_i64 visit_i64
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
        deserialize_f32 visit_f32
        deserialize_f64 visit_f64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.only()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let values = self.0.iter().map(|value| Values(slice::from_ref(value)));
        visitor.visit_seq(SeqDeserializer::new(values))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        StrDeserializer::new(self.only()?).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Colour {
        #[default]
        Red,
        Green,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Sample {
        tags: Vec<String>,
        sizes: Vec<i32>,
        colours: Vec<Colour>,
        colour: Option<Colour>,
        first: Option<bool>,
        share: f64,
        #[serde(alias = "pageSize")]
        page_size: u8,
    }

    fn read(text: &str) -> Result<Sample, Vec<(String, String)>> {
        let parameters = Parameters::of(text);
        parameters.message().map_err(|error| {
            let mut faults: Vec<_> = parameters
                .faults::<Sample>()
                .map(|(name, fault)| (name.to_owned(), fault.to_string()))
                .collect();
            if faults.is_empty() {
                faults.push((String::new(), error.to_string()));
            }
            faults
        })
    }

    #[test]
    fn a_list_takes_every_value_of_its_name_in_order() {
        let parameter = read("tags=b&sizes=3&tags=a%20c&tags=b&colours=green&sizes=-1&tags=");
        let parameter = parameter.expect("a message");
        assert_eq!(parameter.tags, ["b", "a c", "b", ""]);
        assert_eq!((parameter.sizes, parameter.colours), (vec![3, -1], vec![Colour::Green]));
        assert_eq!(read("tags=one").expect("a message").tags, ["one"]);
        assert_eq!(read("").expect("a message"), Sample::default());
    }

    #[test]
    fn anything_else_comes_once() {
        let parameter = read("first=true&share=0.5&pageSize=7&colour=green").expect("a message");
        assert_eq!((parameter.first, parameter.page_size), (Some(true), 7));
        assert!((parameter.share - 0.5).abs() < f64::EPSILON);
        assert_eq!(parameter.colour, Some(Colour::Green));
        for twice in ["first=true&first=true", "share=1&tags=a&share=1", "colour=red&colour=red"] {
            let name = twice.split('=').next().expect("a name").to_owned();
            assert_eq!(read(twice), Err(vec![(name, "must not come twice".to_owned())]), "{twice}");
        }
        let two_names = read("page_size=1&pageSize=1").expect_err("one field");
        assert_eq!(two_names[0].1, "duplicate field `page_size`");
    }

    #[test]
    fn every_faulty_name_is_found_once() {
        let faults = read("sizes=1&sizes=x&first=1&nothing=2&nothing=3").expect_err("faults");
        let names: Vec<_> = faults.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["sizes", "first", "nothing"]);
        assert_eq!(faults[0].1, "invalid digit found in string");
    }
}
