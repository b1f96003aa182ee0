//! The generated contracts. Their documentation is `proto/`.

mod json;
pub mod schema;

use chrono::{DateTime, Utc};
use prost_types::Timestamp;

pub mod audit {
    pub mod v1 {
        tonic::include_proto!("audit.v1");
    }
}

#[expect(
    clippy::allow_attributes_without_reason,
    clippy::default_trait_access,
    clippy::too_many_lines,
    reason = "generated code"
)]
pub mod auth {
    pub mod v1 {
        tonic::include_proto!("auth.v1");
    }
}

#[expect(
    clippy::allow_attributes_without_reason,
    clippy::default_trait_access,
    clippy::too_many_lines,
    reason = "generated code"
)]
pub mod task {
    pub mod v1 {
        tonic::include_proto!("task.v1");
    }
}

/// A moment as the contracts have it.
#[must_use]
pub fn timestamp(moment: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(moment.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp { seconds: moment.timestamp(), nanos }
}

/// The encoded `FileDescriptorSet` of everything under `proto/`, comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Prints the name and nothing of the content, so that no log line, panic message or test
/// failure can hold a credential.
macro_rules! opaque_debug {
    ($($message:ident),* $(,)?) => {
        #[cfg(test)]
        const OPAQUE: &[&str] = &[$(stringify!($message)),*];
    $(
        impl std::fmt::Debug for auth::v1::$message {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($message)).finish_non_exhaustive()
            }
        }
    )*};
}

opaque_debug!(
    AccessToken,
    ChangePasswordRequest,
    ChangePasswordResponse,
    DeleteUserRequest,
    ExportUserDataResponse,
    RefreshSessionResponse,
    SignInRequest,
    SignInResponse,
    SignUpRequest,
    SignUpResponse,
    User,
    VerifyPasswordRequest,
);

#[cfg(test)]
mod tests {
    use prost::Message;
    use prost_types::FileDescriptorSet;

    use super::{DESCRIPTORS, OPAQUE, auth::v1::SignUpRequest};

    /// What holds one of these prints it as such, so it need not be in the list.
    #[test]
    fn every_message_with_a_secret_is_opaque() {
        let files = FileDescriptorSet::decode(DESCRIPTORS).expect("descriptors").file;
        let ours = files.iter().filter(|file| ["auth.v1", "task.v1"].contains(&file.package()));
        let mut seen = 0;
        for message in ours.flat_map(|file| &file.message_type) {
            let is_secret = |name: &str| {
                name.contains("password")
                    || ["chunk", "email", "token", "session_token"].contains(&name)
            };
            if message.field.iter().any(|field| is_secret(field.name())) {
                seen += 1;
                assert!(OPAQUE.contains(&message.name()), "{}", message.name());
            }
        }
        assert_eq!(seen, OPAQUE.len());
    }

    #[test]
    fn messages_with_secrets_print_their_name_alone() {
        let request = SignUpRequest {
            email: "ada@example.com".into(),
            password: "correct horse".into(),
            ..SignUpRequest::default()
        };
        assert_eq!(format!("{request:?}"), "SignUpRequest { .. }");
    }
}
