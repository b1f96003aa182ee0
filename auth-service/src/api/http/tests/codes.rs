//! The table of error codes against the documents.

use std::collections::{HashMap, HashSet};

use fixtures::{assert_table, code_name, constants};
use shared::error::Refusal;

use super::world::World;
use crate::{
    error_code::{ALL, ErrorCode, PASSWORD_TOO_COMMON},
    password::PasswordFault,
};

fn row(code: &ErrorCode) -> String {
    let quoted = |text: &str| if text.is_empty() { String::new() } else { format!("`{text}`") };
    let grpc = code.refusal.map_or_else(String::new, |told| code_name(told.kind().code()));
    let reason = code.refusal.map_or("", Refusal::reason);
    let message = code.message.unwrap_or("*what is wrong with the request*");
    let told = match code.refusal {
        Some(told) if told.message() != message => format!("{message} (gRPC: {told})"),
        _ => message.to_owned(),
    };
    let (grpc, reason, better_auth) =
        (quoted(&grpc), quoted(reason), quoted(code.code.unwrap_or("")));
    format!("| {grpc} | {reason} | {} | {better_auth} | {told} |", code.status.as_u16())
}

#[test]
fn the_page_shows_the_table() {
    let rows: Vec<_> = ALL.iter().map(row).collect();
    assert_table("docs/errors.md", "| gRPC | Reason | HTTP | Code | Message |", &rows);
}

#[test]
fn a_refusal_has_one_row_and_a_code_one_status() {
    let mut refusals = HashSet::new();
    let mut codes = HashMap::new();
    for told in ALL {
        if let Some(refusal) = told.refusal {
            assert!(refusals.insert(refusal.reason()), "{refusal:?}");
        }
        if let Some(code) = told.code {
            let status = codes.insert(code, told.status);
            assert!(status.is_none_or(|other| other == told.status), "{code}");
        }
    }
    let ours = [Refusal::OF_BOTH, Refusal::OF_ACCOUNTS].concat();
    assert_eq!(refusals, ours.iter().map(|refusal| refusal.reason()).collect());
    let message = format!("Password {}", PasswordFault::Common);
    assert_eq!(PASSWORD_TOO_COMMON.message, Some(&*message));
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
