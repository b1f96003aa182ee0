//! Compiles the contracts in pure Rust: no `protoc` is needed.

mod contracts;
mod json;
mod members;
mod schema;
mod secret;

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::FileDescriptorSet;

use self::contracts::Contracts;

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

#[expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "how cargo and a build script talk"
)]
fn main() -> Result<(), Box<dyn Error>> {
    for folder in ["audit", "auth", "task", "build"] {
        println!("cargo:rerun-if-changed={folder}");
    }
    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_imports(true).include_source_info(true);
    compiler.open_files(FILES)?;
    let descriptors = compiler.encode_file_descriptor_set();
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("descriptors.bin"), &descriptors)?;
    let descriptors = FileDescriptorSet::decode(descriptors.as_slice())?;
    let secret = secret::messages(&descriptors);
    fs::write(out.join("opaque_debug.rs"), secret::opaque_debug(&secret))?;
    let builder =
        tonic_prost_build::configure().codec_path("crate::codec::Codec").skip_debug(secret);
    let contracts = Contracts::new(&descriptors);
    fs::write(out.join("enum_names.rs"), contracts::enum_names(&contracts))?;
    fs::write(out.join("members.rs"), members::implementations(&contracts))?;
    let builder = json::attributes(builder, &contracts);
    builder.compile_fds(descriptors)?;
    Ok(())
}
