//! The JSON form of the messages of responses (see `src/json.rs`) and the OpenAPI schemas of all
//! messages in JSON: attributes on the generated types, derived from the descriptors. What cannot
//! be derived stands in `schema.rs` and in the short lists here.

use std::collections::BTreeSet;

use prost_types::{
    FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};
use tonic_prost_build::Builder;

use crate::{
    contracts::{Contracts, QUERIES, type_name},
    members::{is_carried, is_required},
    schema,
};

/// Members of responses that are left out where they are not set; others are `null`.
const ABSENT: [&str; 6] = [
    "CountTasksResponse.partial",
    "Task.deleted_at",
    "Reminder.at",
    "Reminder.minutes_before",
    "Recurrence.time_zone",
    "Recurrence.start",
];

/// A field, and how its message is used.
struct Field<'f> {
    of: &'f FieldDescriptorProto,
    path: String,
    is_body: bool,
    is_query: bool,
    is_written: bool,
}

impl Field<'_> {
    fn is_timestamp(&self) -> bool {
        self.of.type_name() == ".google.protobuf.Timestamp"
    }

    fn is_repeated(&self) -> bool {
        self.of.label() == Label::Repeated
    }

    /// Whether the generated type is an `Option`.
    fn is_option(&self) -> bool {
        let is_message = self.of.r#type() == Type::Message && !self.is_repeated();
        self.of.proto3_optional() || is_message
    }

    fn is_enum(&self) -> bool {
        self.of.r#type() == Type::Enum
    }

    /// The attributes for serde.
    fn serde(&self) -> Vec<String> {
        let mut attributes = Vec::new();
        if !self.is_written {
            return attributes;
        }
        let with = |function: &str| format!("serialize_with = \"crate::json::{function}\"");
        if self.is_timestamp() {
            attributes.push(with("timestamp"));
        } else if self.is_enum() {
            attributes
                .push(with(&format!("enum_name::<crate::task::v1::{}, _>", type_name(self.of))));
        }
        if ABSENT.contains(&&*self.path) {
            let is_unset = if self.is_option() { "Option::is_none" } else { "String::is_empty" };
            attributes.push(format!("skip_serializing_if = \"{is_unset}\""));
        }
        attributes
    }

    /// The attributes for utoipa: the type where it is not plain, and whether the member or
    /// parameter must be there.
    fn openapi(&self) -> Vec<String> {
        let mut attributes = schema::of(&self.path, self.of.name(), self.is_query);
        let has_type = attributes.iter().any(|attribute| attribute.contains("value_type"));
        let name = type_name(self.of);
        if self.is_query {
            if self.is_enum() {
                let of = if self.is_repeated() { format!("Vec<{name}>") } else { name.to_owned() };
                attributes.push(format!("value_type = Option<{of}>, inline"));
            }
            if !self.is_option() {
                attributes.push("required = false".to_owned());
            }
            return attributes;
        }
        let may_be_null = !self.is_written || schema::NULLABLE.contains(&&*self.path);
        if self.is_timestamp() {
            let of = if may_be_null { "Option<String>" } else { "String" };
            attributes.push(format!("value_type = {of}, format = DateTime"));
        } else if self.is_enum() && !has_type {
            let of = if may_be_null { format!("Option<{name}>") } else { name.to_owned() };
            attributes.push(format!("value_type = {of}"));
        }
        let is_always_there = self.is_written
            && !may_be_null
            && !has_type
            && (self.is_timestamp() || !self.is_option())
            && !is_required(&self.path)
            && !ABSENT.contains(&&*self.path);
        let says_so = attributes.iter().any(|attribute| attribute.contains("required"));
        if self.is_body && is_always_there {
            attributes.push("required = true".to_owned());
        } else if self.is_body && !self.is_option() && !(has_type || says_so) {
            attributes.push(format!("required = {}", is_required(&self.path)));
        }
        attributes
    }
}

/// Puts the attributes on the types that are about to be generated.
pub fn attributes(mut builder: Builder, contracts: &Contracts<'_>) -> Builder {
    let mut enums = BTreeSet::new();
    for (package, message) in &contracts.messages {
        let name = message.name();
        let is_query = QUERIES.contains(&name);
        let (is_body, is_written) =
            (contracts.read.contains(name), contracts.written.contains(name));
        if !(is_query || is_body || is_written) {
            continue;
        }
        let path = format!("{package}.{name}");
        builder = builder.type_attribute(&path, derives(is_query, is_body, is_written));
        for field in &message.field {
            let field_path = format!("{path}.{}", field.name());
            let openapi = if is_query { "param" } else { "schema" };
            if is_carried(name, field.name()) {
                builder = builder.field_attribute(field_path, format!("#[{openapi}(ignore)]"));
                continue;
            }
            if field.r#type() == Type::Enum {
                enums.insert(type_name(field));
            }
            let own_path = format!("{name}.{}", field.name());
            let field = Field { of: field, path: own_path, is_body, is_query, is_written };
            for (macro_name, attributes) in [("serde", field.serde()), (openapi, field.openapi())] {
                if !attributes.is_empty() {
                    let attribute = format!("#[{macro_name}({})]", attributes.join(", "));
                    builder = builder.field_attribute(&field_path, attribute);
                }
            }
        }
    }
    for (package, of) in contracts.enums.iter().filter(|(_, of)| enums.contains(of.name())) {
        let path = format!("{package}.{}", of.name());
        builder = builder
            .type_attribute(&path, "#[derive(::serde::Serialize, ::utoipa::ToSchema)]")
            .type_attribute(&path, r#"#[serde(rename_all = "lowercase")]"#);
        if let Some(unspecified) = of.value.first() {
            let path = format!("{path}.{}", unspecified.name());
            builder = builder.field_attribute(path, "#[serde(skip)]");
        }
    }
    builder
}

fn derives(is_query: bool, is_body: bool, is_written: bool) -> String {
    if is_query {
        return "#[derive(::utoipa::IntoParams)]#[into_params(parameter_in = Query)]".to_owned();
    }
    let write = if is_written { "::serde::Serialize, " } else { "" };
    // For the schema: the reader refuses unknown members by itself.
    let strict = if is_body { "#[serde(deny_unknown_fields)]" } else { "" };
    format!("#[derive({write}::utoipa::ToSchema)]{strict}")
}
