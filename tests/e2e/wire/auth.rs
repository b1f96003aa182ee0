//! `auth.v1` over HTTP: Better Auth's API, in bearer mode.

mod refusal;
mod responses;
mod session;
mod sign_in;

use http::{Method, StatusCode};
use serde_json::Value;
use tonic::Status;

use self::refusal::Fields;
pub use self::{session::session, sign_in::sign_in};
use super::{
    Call,
    shape::{assert_surrounded, assert_typed},
};
use crate::exchange::{HttpRequest, Reply};

/// The media type of JSON.
pub const JSON: &str = "application/json";

impl Call {
    /// Reads from a route under `/api/auth`.
    async fn get(&self, route: &str) -> Result<Reply, Status> {
        self.ask(HttpRequest::new(Method::GET, &path(route)), &Fields::NONE).await
    }

    /// Does what a route under `/api/auth` is for.
    async fn post(&self, route: &str, body: &Value, fields: &Fields) -> Result<Reply, Status> {
        self.ask(HttpRequest::new(Method::POST, &path(route)).json(body), fields).await
    }

    async fn ask(&self, asked: HttpRequest, fields: &Fields) -> Result<Reply, Status> {
        let reply = self.send(asked).await;
        assert_surrounded(&reply);
        assert_typed(&reply, JSON);
        match reply.status {
            StatusCode::OK => Ok(reply),
            _ => Err(refusal::status(&reply, &self.metadata, fields)),
        }
    }
}

fn path(route: &str) -> String {
    format!("/api/auth{route}")
}
