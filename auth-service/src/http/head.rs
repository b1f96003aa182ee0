//! What the head of a request says beside who asks: its query, and preconditions.

use axum::extract::FromRequestParts;
use http::request::Parts;
use serde::de::DeserializeOwned;
use server::http::{Fault, NoParameters, json, preconditions::refuse_unsupported};

use super::refusal::Refused;
use crate::error_code;

/// The head of a request that says nothing, as nobody is asked for: any query parameter and
/// any precondition is refused by name.
pub struct Plain;

impl<S: Send + Sync> FromRequestParts<S> for Plain {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let NoParameters {} = read_head(parts)?;
        Ok(Self)
    }
}

/// The query of a request without preconditions.
pub fn read_head<Q: DeserializeOwned>(parts: &Parts) -> Result<Q, Refused> {
    let query = parts.uri.query().unwrap_or_default();
    let query = json::query(query).map_err(|problem| faulty("query", &problem.faults))?;
    refuse_unsupported(&parts.method, &parts.headers, &[])
        .map_err(|faults| faulty("header", &faults))?;
    Ok(query)
}

/// Every fault of a part of the head, as upstream tells those of a body.
pub fn faulty(part: &str, faults: &[Fault]) -> Refused {
    let told = faults.iter().map(|fault| format!("[{part}.{}] {}", fault.field, fault.message));
    let told = told.collect::<Vec<_>>().join("; ");
    Refused::saying(&error_code::VALIDATION_ERROR, told)
}
