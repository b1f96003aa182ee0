//! The OpenAPI schemas of texts with a rule of their own.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ArrayBuilder, ObjectBuilder, RefOr, Schema, Type},
};

/// A tag: trimmed it is not empty, and inside it has no control character.
pub struct Tag;

impl ToSchema for Tag {
    fn name() -> Cow<'static, str> {
        "Tag".into()
    }
}

impl PartialSchema for Tag {
    fn schema() -> RefOr<Schema> {
        let plain = r"[^\s\x00-\x1f\x7f-\x9f]";
        let inside = r"[^\x00-\x1f\x7f-\x9f]";
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(50))
            .pattern(Some(format!("^{plain}({inside}*{plain})?$")))
            .into()
    }
}

/// The ids of the tasks of a batch: 1 to 500, each once.
pub fn task_ids() -> RefOr<Schema> {
    ArrayBuilder::new()
        .items(ObjectBuilder::new().schema_type(Type::String))
        .min_items(Some(1))
        .max_items(Some(500))
        .unique_items(true)
        .into()
}
