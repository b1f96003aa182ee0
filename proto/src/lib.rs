//! The contracts: messages, clients and servers, generated from the `.proto` files beside this
//! crate, which are their documentation; and their JSON form.
//!
//! The `Debug` of a message that holds a password, a token or an e-mail address prints its name
//! alone. The build script tells such messages by the names of their fields (`build/secret.rs`).

pub mod codec;
mod json;
pub mod members;
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

/// A timestamp as the contracts have it.
#[must_use]
pub fn timestamp(time: DateTime<Utc>) -> Timestamp {
    let nanos = i32::try_from(time.timestamp_subsec_nanos()).unwrap_or_default();
    Timestamp { seconds: time.timestamp(), nanos }
}

/// The encoded `FileDescriptorSet` of everything under `proto/`, comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

include!(concat!(env!("OUT_DIR"), "/enum_names.rs"));
include!(concat!(env!("OUT_DIR"), "/members.rs"));
include!(concat!(env!("OUT_DIR"), "/opaque_debug.rs"));

#[cfg(test)]
mod tests {
    use crate::auth::v1::{ExportUserDataResponse, SignInResponse, SignUpRequest};

    #[test]
    fn messages_with_secrets_print_their_name_alone() {
        let request = SignUpRequest {
            email: "ada@example.com".into(),
            password: "correct horse".into(),
            ..SignUpRequest::default()
        };
        assert_eq!(format!("{request:?}"), "SignUpRequest { .. }");
        let chunk = ExportUserDataResponse { chunk: b"{}".to_vec() };
        assert_eq!(format!("{chunk:?}"), "ExportUserDataResponse { .. }");
        let response = SignInResponse { session_token: "secret".into(), ..Default::default() };
        assert_eq!(format!("{response:?}"), "SignInResponse { .. }");
    }
}
