//! Messages with secrets: those with a field for a password, a token or an e-mail address.

use prost_types::{DescriptorProto, FileDescriptorSet};

/// The packages with secrets.
const PACKAGES: [&str; 2] = ["auth.v1", "task.v1"];

/// Fields that hold a secret, beside every one with `password` in its name.
const FIELDS: [&str; 4] = ["chunk", "email", "session_token", "token"];

fn is_secret(message: &DescriptorProto) -> bool {
    message
        .field
        .iter()
        .any(|field| field.name().contains("password") || FIELDS.contains(&field.name()))
}

/// The full names of all messages with a secret (`auth.v1.SignInRequest`). A message that holds
/// one of them prints it as such, so it need not be here.
pub fn messages(descriptors: &FileDescriptorSet) -> Vec<String> {
    let files = descriptors.file.iter().filter(|file| PACKAGES.contains(&file.package()));
    let secret = files.flat_map(|file| {
        let messages = file.message_type.iter().filter(|message| is_secret(message));
        messages.map(|message| format!("{}.{}", file.package(), message.name()))
    });
    secret.collect()
}

/// The source of a `Debug` for each of `messages`: the name and nothing of the content, so that
/// no log line, panic message or test failure can hold a credential.
pub fn opaque_debug(messages: &[String]) -> String {
    let implementation = |message: &String| {
        let (path, name) = (message.replace('.', "::"), message.rsplit('.').next());
        format!(
            "impl std::fmt::Debug for {path} {{
                fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{
                    f.debug_struct(\"{}\").finish_non_exhaustive()
                }}
            }}\n",
            name.unwrap_or_default()
        )
    };
    messages.iter().map(implementation).collect()
}
