//! The table of error codes against the documents.

use std::collections::HashMap;

use shared::error::Kind;

use super::world::World;
use crate::{
    error_code::{ALL, BUSY, ErrorCode, PASSWORD_TOO_COMMON, STORAGE_FULL},
    password::PasswordFault,
};

const PAGE: &str = include_str!("../../../../../docs/auth-errors.md");
const CONTRACT: &str = include_str!("../../../../../docs/contract.md");

/// The name of a gRPC code in the protocol's spelling.
fn name(kind: Kind) -> String {
    let name = format!("{:?}", kind.code());
    let word =
        |c: char| if c.is_uppercase() { format!("_{c}") } else { c.to_uppercase().to_string() };
    name.chars().map(word).collect::<String>().trim_start_matches('_').to_owned()
}

fn row(code: &ErrorCode) -> String {
    let quoted = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let (grpc, reason) = code
        .grpc
        .map_or_else(Default::default, |told| (quoted(&name(told.kind)), quoted(told.reason)));
    let message = code.message.unwrap_or("*what is wrong with the request*");
    let told = match code.grpc {
        Some(told) if told.message != message => format!("{message} (gRPC: {})", told.message),
        _ => message.to_owned(),
    };
    let status = code.status.as_u16();
    format!("| {grpc} | {reason} | {status} | {} | {told} |", quoted(code.code.unwrap_or("")))
}

#[test]
fn the_page_shows_the_table() {
    let rows: Vec<_> = ALL.iter().map(row).collect();
    let shown: Vec<_> = PAGE.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert_eq!(shown, rows, "docs/auth-errors.md should have\n{}", rows.join("\n"));
}

#[test]
fn a_reason_and_a_code_have_one_meaning_each() {
    let mut reasons = HashMap::new();
    let mut codes = HashMap::new();
    for told in ALL {
        if let Some(grpc) = told.grpc {
            assert!(reasons.insert(grpc.reason, grpc.kind).is_none(), "{}", grpc.reason);
        }
        if let Some(code) = told.code {
            let status = codes.insert(code, told.status);
            assert!(status.is_none_or(|other| other == told.status), "{code}");
        }
    }
    let told = |code: &ErrorCode| code.message.unwrap_or_default();
    assert_eq!(told(&STORAGE_FULL), shared::error::StorageFull.to_string());
    assert_eq!(told(&PASSWORD_TOO_COMMON), format!("Password {}", PasswordFault::Common));
    assert_eq!(BUSY.grpc.map(|grpc| grpc.message), BUSY.message);
}

/// Each code in a description is of the status that is described.
#[tokio::test]
async fn the_routes_are_described_with_codes_of_the_table() {
    let api = serde_json::to_value(&World::start().await.api).expect("JSON");
    let mut seen = 0;
    for operation in api["paths"].as_object().expect("paths").values() {
        for operation in operation.as_object().expect("methods").values() {
            for (status, response) in operation["responses"].as_object().expect("responses") {
                let text = response["description"].as_str().expect("a description");
                for code in constants(text) {
                    let row = ALL.iter().find(|row| row.code == Some(code));
                    let row = row.unwrap_or_else(|| panic!("{code} is in no row"));
                    assert_eq!(row.status.as_str(), status, "{code}");
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 40, "{seen}");
}

#[test]
fn the_contract_lists_reasons_beside_their_grpc_codes() {
    let mut seen = 0;
    for line in CONTRACT.lines().filter(|line| line.starts_with("| `")) {
        let codes = line.split('|').nth(1).unwrap_or_default();
        for row in ALL.iter().filter_map(|row| row.grpc) {
            if constants(line).any(|text| text == row.reason) {
                assert!(codes.contains(&format!("`{}`", name(row.kind))), "{}: {line}", row.reason);
                seen += 1;
            }
        }
    }
    assert!(seen >= 8, "{seen}");
}

/// The quoted constants of a text.
fn constants(text: &str) -> impl Iterator<Item = &str> {
    let is_constant =
        |text: &&str| text.len() > 3 && text.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    text.split('`').skip(1).step_by(2).filter(is_constant)
}
