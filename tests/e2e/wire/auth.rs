//! `auth.v1` at its door: Better Auth's wire, in bearer mode.

mod entrance;
mod objects;
mod refusal;
mod session;

use http::{Method, StatusCode};
use serde_json::Value;
use tonic::Status;

use self::refusal::Fields;
pub use self::{entrance::entrance, session::session};
use super::{
    Call,
    shape::{assert_surrounded, assert_typed},
};
use crate::exchange::{Asked, Reply};

/// What the door calls its JSON.
pub const JSON: &str = "application/json";

impl Call {
    /// Reads from a route under `/api/auth`.
    async fn get(&self, route: &str) -> Result<Reply, Status> {
        self.ask(Asked::new(Method::GET, &path(route)), &Fields::NONE).await
    }

    /// Does what a route under `/api/auth` is for.
    async fn post(&self, route: &str, body: &Value, fields: &Fields) -> Result<Reply, Status> {
        self.ask(Asked::new(Method::POST, &path(route)).json(body), fields).await
    }

    async fn ask(&self, asked: Asked, fields: &Fields) -> Result<Reply, Status> {
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
