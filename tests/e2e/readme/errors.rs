//! The tables of errors in the documents, against the table of refusals.

use fixtures::{assert_table, code_name, constants, table};
use shared::error::{Kind, Refusal};
use tonic::Status;

/// A cell of a row.
fn cell(row: &str, number: usize) -> &str {
    row.split('|').nth(number + 1).unwrap_or_default().trim()
}

#[test]
fn the_page_of_errors_shows_the_refusals_of_the_gate_and_of_tasks() {
    let refusals = [Refusal::OF_GATE, Refusal::OF_BOTH, Refusal::OF_TASKS].concat();
    let row = |refusal: &Refusal| {
        let (kind, status) = (refusal.kind(), Status::from(*refusal));
        let (code, http) = (code_name(status.code()), kind.http_status().as_u16());
        format!("| `{code}` | `{}` | {http} | {} |", refusal.reason(), status.message())
    };
    let rows: Vec<_> = refusals.iter().map(row).collect();
    assert_table("docs/errors.md", "| gRPC | Reason | HTTP | Message |", &rows);
}

#[test]
fn the_contract_has_a_row_for_each_pair_of_code_and_status_and_no_reason_in_another_row() {
    let pair = |kind: Kind| (code_name(kind.code()), kind.http_status().as_u16().to_string());
    let mut missing: Vec<_> = Kind::ALL.iter().copied().map(pair).collect();
    let mut reasons = 0;
    for row in table("docs/contract.md", "| gRPC | Tasks over HTTP | When |") {
        let Some(code) = constants(cell(&row, 0)).next() else { continue };
        let status = cell(&row, 1).split(',').next().unwrap_or_default();
        let of_row = (code.to_owned(), status.to_owned());
        assert!(missing.contains(&of_row), "{row}");
        missing.retain(|pair| *pair != of_row);
        for refusal in constants(cell(&row, 2)).filter_map(Refusal::with_reason) {
            assert_eq!(pair(refusal.kind()), of_row, "{refusal:?}");
            reasons += 1;
        }
    }
    assert_eq!(missing, []);
    assert!(reasons > 15, "{reasons}");
}
