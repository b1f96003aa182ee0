//! The types of the contracts: which messages are read from requests and written into
//! responses, and the names of enums in JSON.

use std::collections::BTreeSet;

use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto,
    FileDescriptorSet, field_descriptor_proto::Type,
};

/// Messages that are read from the body of a request. What they contain is read as well.
const BODIES: [&str; 8] = [
    "Task",
    "CreateTaskRequest",
    "UpdateTaskRequest",
    "MoveTaskRequest",
    "BatchCreateTasksRequest",
    "BatchUpdateTasksRequest",
    "BatchCompleteTasksRequest",
    "BatchDeleteTasksRequest",
];

/// Messages that are read from the query of a request.
pub const QUERIES: [&str; 5] = [
    "ListTasksRequest",
    "CountTasksRequest",
    "SyncTasksRequest",
    "WatchTasksRequest",
    "ListSecurityEventsRequest",
];

/// Messages that are written into responses. What they contain is written as well.
const RESPONSES: [&str; 8] = [
    "Task",
    "FiredReminder",
    "Heartbeat",
    "PastReminder",
    "CountTasksResponse",
    "SyncTasksResponse",
    "ImportTasksResponse",
    "ListSecurityEventsResponse",
];

/// The types of the contracts, and how each is used.
pub struct Contracts<'d> {
    pub messages: Vec<(&'d str, &'d DescriptorProto)>,
    pub enums: Vec<(&'d str, &'d EnumDescriptorProto)>,
    pub read: BTreeSet<&'d str>,
    pub written: BTreeSet<&'d str>,
}

impl<'d> Contracts<'d> {
    pub fn new(descriptors: &'d FileDescriptorSet) -> Self {
        let files = descriptors.file.iter().filter(|file| !file.package().starts_with("google"));
        let files: Vec<_> = files.collect();
        let messages = files
            .iter()
            .flat_map(|file| file.message_type.iter().map(|message| (file.package(), message)));
        let enums =
            files.iter().flat_map(|file| file.enum_type.iter().map(|of| (file.package(), of)));
        let mut contracts = Self {
            messages: messages.collect(),
            enums: enums.collect(),
            read: BTreeSet::new(),
            written: BTreeSet::new(),
        };
        contracts.read = contracts.within(&BODIES);
        contracts.written = contracts.within(&RESPONSES);
        contracts
    }

    /// The messages of these names, and all that they contain.
    fn within(&self, names: &[&str]) -> BTreeSet<&'d str> {
        let mut found = BTreeSet::new();
        let mut next: Vec<&str> = names.to_vec();
        while let Some(name) = next.pop() {
            let Some((_, message)) = self.messages.iter().find(|(_, of)| of.name() == name) else {
                continue;
            };
            if found.insert(message.name()) {
                let fields = message.field.iter().filter(|of| of.r#type() == Type::Message);
                next.extend(fields.map(type_name));
            }
        }
        found
    }
}

/// The name of a field's type, without its package.
pub fn type_name(of: &FieldDescriptorProto) -> &str {
    of.type_name().rsplit('.').next().unwrap_or_default()
}

/// The source of the names of enums in JSON: those of the contract in lower case, without the
/// name of the enum before them and without the unspecified value.
pub fn enum_names(contracts: &Contracts<'_>) -> String {
    let enums = contracts.enums.iter().filter(|(package, _)| *package == "task.v1");
    enums.map(|(package, of)| names_of(package, of)).collect()
}

fn names_of(package: &str, of: &EnumDescriptorProto) -> String {
    let unspecified = of.value.first().map(EnumValueDescriptorProto::name).unwrap_or_default();
    let prefix = unspecified.strip_suffix("UNSPECIFIED").unwrap_or_default();
    let name = |value: &EnumValueDescriptorProto| {
        let name = value.name().strip_prefix(prefix).unwrap_or(value.name());
        (name.to_ascii_lowercase(), value.number())
    };
    let names: Vec<(String, i32)> = of.value.iter().skip(1).map(name).collect();
    let quoted: Vec<String> = names.iter().map(|(name, _)| format!("`{name}`")).collect();
    let rule = match quoted.split_last() {
        Some((last, others)) => format!("must be {} or {last}", others.join(", ")),
        None => String::new(),
    };
    let path = format!("{}::{}", package.replace('.', "::"), of.name());
    format!(
        "impl json::Named for {path} {{
            const NAMES: json::Names = json::Names {{ values: &{names:?}, rule: {rule:?} }};
        }}\n"
    )
}
