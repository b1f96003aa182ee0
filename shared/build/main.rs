//! Compiles `proto/` in pure Rust: no `protoc` is needed.

mod json;

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const PROTO: &str = "../proto";
const FILES: [&str; 10] = [
    "audit/v1/security_event.proto",
    "auth/v1/auth_service.proto",
    "auth/v1/session_service.proto",
    "auth/v1/user.proto",
    "task/v1/changes.proto",
    "task/v1/list.proto",
    "task/v1/task.proto",
    "task/v1/task_admin_service.proto",
    "task/v1/task_bulk_service.proto",
    "task/v1/task_service.proto",
];

/// Messages that hold a password, a token or a person's e-mail. They get their `Debug`
/// from `src/proto.rs`, which prints the name alone and tests that none is missing.
const SECRET: [&str; 12] = [
    "auth.v1.AccessToken",
    "auth.v1.ChangePasswordRequest",
    "auth.v1.ChangePasswordResponse",
    "auth.v1.DeleteUserRequest",
    "auth.v1.ExportUserDataResponse",
    "auth.v1.RefreshSessionResponse",
    "auth.v1.SignInRequest",
    "auth.v1.SignInResponse",
    "auth.v1.SignUpRequest",
    "auth.v1.SignUpResponse",
    "auth.v1.User",
    "auth.v1.VerifyPasswordRequest",
];

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "how cargo and a build script talk"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={PROTO}");
    println!("cargo:rerun-if-changed=build");
    let mut compiler = protox::Compiler::new([PROTO])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(FILES)?;
    let descriptors = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("descriptors.bin"), &descriptors)?;
    let builder =
        tonic_prost_build::configure().codec_path("crate::codec::Codec").skip_debug(SECRET);
    json::attributes(builder).compile_fds(Message::decode(descriptors.as_slice())?)?;
    Ok(())
}
