//! The head of a request besides its credential: query and preconditions.

use axum::extract::FromRequestParts;
use http::request::Parts;
use proto::members::Members;
use server::http::{Fault, NoParameters, json, preconditions::refuse_unsupported};

use super::api_error::ApiError;
use crate::error_code;

/// A head without parameters: any query parameter and any precondition is refused by name.
pub struct Plain;

impl<S: Send + Sync> FromRequestParts<S> for Plain {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let NoParameters {} = read_head(parts)?;
        Ok(Self)
    }
}

/// The query of a request without preconditions.
pub fn read_head<Q: Members + Default>(parts: &Parts) -> Result<Q, ApiError> {
    let query = parts.uri.query().unwrap_or_default();
    let query = json::query(query).map_err(|problem| faulty("query", &problem.faults))?;
    refuse_unsupported(&parts.method, &parts.headers, &[])
        .map_err(|faults| faulty("header", &faults))?;
    Ok(query)
}

/// All faults of a part of the head, in upstream's form for those of a body.
pub fn faulty(part: &str, faults: &[Fault]) -> ApiError {
    let message = faults.iter().map(|fault| format!("[{part}.{}] {}", fault.field, fault.message));
    let message = message.collect::<Vec<_>>().join("; ");
    ApiError::with_message(&error_code::VALIDATION_ERROR, message)
}
