//! The calls as JSON.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::get,
};
use chrono::{DateTime, SecondsFormat};
use http::{HeaderMap, HeaderValue, StatusCode, header::AUTHORIZATION};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    store::{Store, Task},
    token::Verifier,
};

type Shared = State<(Store, Verifier)>;

pub fn router(store: Store, verifier: Verifier) -> Router {
    Router::new()
        .route("/api/{user}/tasks", get(list).post(create))
        .route("/api/{user}/tasks/{id}", get(one))
        .with_state((store, verifier))
}

/// A task as task-service writes it.
#[derive(Serialize)]
struct Written {
    id: Uuid,
    user_id: String,
    title: String,
    description: String,
    completed: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_at: Option<String>,
    priority: &'static str,
    tags: [&'static str; 0],
    reminders: [&'static str; 0],
    position: String,
    created_at: Option<String>,
    updated_at: Option<String>,
    etag: String,
}

#[derive(Deserialize)]
struct New {
    title: String,
    #[serde(default)]
    description: String,
}

async fn list(
    State((store, verifier)): Shared,
    Path(user): Path<String>,
    headers: HeaderMap,
) -> Result<Json<Vec<Written>>, StatusCode> {
    check(&verifier, &headers, &user)?;
    let tasks = store.list(&user).await.map_err(unavailable)?;
    Ok(Json(tasks.into_iter().map(|task| written(task, &user)).collect()))
}

async fn one(
    State((store, verifier)): Shared,
    Path((user, id)): Path<(String, Uuid)>,
    headers: HeaderMap,
) -> Result<Json<Written>, StatusCode> {
    check(&verifier, &headers, &user)?;
    let task = store.get(&user, id).await.map_err(unavailable)?;
    Ok(Json(written(task.ok_or(StatusCode::NOT_FOUND)?, &user)))
}

async fn create(
    State((store, verifier)): Shared,
    Path(user): Path<String>,
    headers: HeaderMap,
    Json(new): Json<New>,
) -> Result<(StatusCode, Json<Written>), StatusCode> {
    check(&verifier, &headers, &user)?;
    let task = store.create(&user, new.title, new.description).await.map_err(unavailable)?;
    Ok((StatusCode::CREATED, Json(written(task, &user))))
}

fn check(verifier: &Verifier, headers: &HeaderMap, user: &str) -> Result<(), StatusCode> {
    let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    match verifier.user(authorization) {
        None => Err(StatusCode::UNAUTHORIZED),
        Some(of) if of == user => Ok(()),
        Some(_) => Err(StatusCode::FORBIDDEN),
    }
}

fn unavailable(_: sqlx::Error) -> StatusCode {
    StatusCode::SERVICE_UNAVAILABLE
}

fn written(task: Task, user: &str) -> Written {
    Written {
        id: task.id,
        user_id: user.to_owned(),
        title: task.title,
        description: task.description,
        completed: task.completed_at.is_some(),
        completed_at: task.completed_at.and_then(timestamp),
        priority: ["none", "low", "medium", "high", "urgent"]
            [usize::try_from(task.priority).unwrap_or_default().min(4)],
        tags: [],
        reminders: [],
        position: task.position,
        created_at: timestamp(task.created_at),
        updated_at: timestamp(task.updated_at),
        etag: format!("{:x}", task.revision),
    }
}

fn timestamp(micros: i64) -> Option<String> {
    let at = DateTime::from_timestamp_micros(micros)?;
    Some(at.to_rfc3339_opts(SecondsFormat::Micros, true))
}
