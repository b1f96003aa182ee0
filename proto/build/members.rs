//! The members of the messages that are read from JSON or from a query string (see
//! `src/members.rs`): a table and a slot for each field, derived from the descriptors.

use prost_types::{
    DescriptorProto, FieldDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use crate::contracts::{Contracts, QUERIES, type_name};

/// Fields of requests that the path or a header carries, so they are no members.
const CARRIED: [&str; 5] = ["user_id", "id", "etag", "request_id", FIELD_MASK];

/// The field of requests that keeps the names of the members.
const FIELD_MASK: &str = "update_mask";

/// Members that a message is refused without, and that are not `null`.
const REQUIRED: [&str; 1] = ["Recurrence.rule"];

/// Whether a field of a message is no member.
pub fn is_carried(message: &str, field: &str) -> bool {
    message.ends_with("Request") && CARRIED.contains(&field)
}

/// Whether a message is refused without the member at `path`.
pub fn is_required(path: &str) -> bool {
    REQUIRED.contains(&path)
}

/// The source of the implementations of `Members`.
pub fn implementations(contracts: &Contracts<'_>) -> String {
    let is_read = |name| contracts.read.contains(name) || QUERIES.contains(&name);
    let messages = contracts.messages.iter().filter(|(_, message)| is_read(message.name()));
    messages.map(|(package, message)| implementation(package, message)).collect()
}

fn implementation(package: &str, message: &DescriptorProto) -> String {
    let name = message.name();
    let fields = message.field.iter().filter(|field| !is_carried(name, field.name()));
    let members: String = fields.clone().map(|field| member(name, field)).collect();
    let slots = fields.enumerate();
    let slots = slots.map(|(index, field)| format!("{index} => {},\n", slot(package, field)));
    let slots = slots.collect::<Vec<_>>().concat();
    let has_mask = message.field.iter().any(|field| field.name() == FIELD_MASK);
    let keep_present = if has_mask {
        "fn keep_present(&mut self, names: &mut dyn Iterator<Item = &'static str>) {
            let paths = names.map(str::to_owned).collect();
            self.update_mask = Some(::prost_types::FieldMask { paths });
        }"
    } else {
        ""
    };
    let path = format!("{}::{name}", package.replace('.', "::"));
    format!(
        "impl members::Members for {path} {{
            fn members(&self) -> &'static [members::Member] {{
                const {{ &[{members}] }}
            }}
            fn slot(&mut self, index: usize) -> Option<members::Slot<'_>> {{
                Some(match index {{
                    {slots}
                    _ => return None,
                }})
            }}
            {keep_present}
        }}\n"
    )
}

fn member(message: &str, field: &FieldDescriptorProto) -> String {
    let name = field.name();
    let list = if field.label() == Label::Repeated { ".list()" } else { "" };
    let required = if is_required(&format!("{message}.{name}")) { ".required()" } else { "" };
    format!("members::Member::new({name:?}, {:?}){list}{required},\n", camel_case(name))
}

/// The slot of a field. A type that none of them takes stops the build.
fn slot(package: &str, field: &FieldDescriptorProto) -> String {
    let (name, package) = (field.name(), package.replace('.', "::"));
    let kind = match field.r#type() {
        Type::String => "Text",
        Type::Bool => "Switch",
        Type::Int32 => "Whole",
        Type::Int64 => "Large",
        Type::Enum => {
            let of = format!("{package}::{}", type_name(field));
            return format!("members::Slot::Enum(&mut self.{name}, &<{of} as json::Named>::NAMES)");
        }
        Type::Message if field.type_name() == ".google.protobuf.Timestamp" => "Timestamp",
        Type::Message => "Message",
        other => return format!("compile_error!(\"no slot takes a {other:?}: {name}\")"),
    };
    format!("members::Slot::{kind}(&mut self.{name})")
}

fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |text, word| {
        let (head, tail) = word.split_at(1.min(word.len()));
        text + &head.to_ascii_uppercase() + tail
    })
}
