//! The generated contracts. Their documentation is `proto/`.

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

/// The encoded `FileDescriptorSet` of everything under `proto/`, comments included.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Prints the name and nothing of the content, so that no log line, panic message or test
/// failure can hold a credential.
macro_rules! opaque_debug {
    ($($message:ident),* $(,)?) => {$(
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
    GetSessionResponse,
    SignInRequest,
    SignInResponse,
    SignUpRequest,
    SignUpResponse,
    UpdateUserResponse,
    User,
    VerifyPasswordRequest,
);

#[cfg(test)]
mod tests {
    use super::auth::v1::SignUpRequest;

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
