//! Availability while the database is not as it should be: unavailable, refusing,
//! read-only, or another file than before.

mod file;
mod start;
mod switch;
mod tls;

use std::time::{Duration, Instant};

use http::{Method, StatusCode};
use tonic_health::pb::health_check_response::ServingStatus;

use crate::{binary::Binary, exchange::HttpRequest, health, process::Starting, world};

/// How long anything here may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn begin(binary: Binary, database: &str) -> Starting {
    Starting::new(binary, &[("DATABASE_URL", database), ("TASK_SERVICE_URL", "off")])
}

/// Readiness over both wires, which agree.
async fn is_ready(server: &crate::process::Server) -> bool {
    let asked = HttpRequest::new(Method::GET, "/readyz").send(server.http_address()).await;
    let readiness = health::ask(server.channel(), "readiness").await.expect("a known name");
    let live = HttpRequest::new(Method::GET, "/livez").send(server.http_address()).await;
    assert_eq!(live.status, StatusCode::OK);
    let live = health::ask(world::channel(server.address()), "liveness").await;
    assert_eq!(live.expect("a known name"), ServingStatus::Serving);
    asked.status == StatusCode::OK && readiness == ServingStatus::Serving
}

async fn until(what: &str, mut happened: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !happened().await {
        assert!(began.elapsed() < PATIENCE, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    began.elapsed()
}

pub async fn until_ready(server: &crate::process::Server) {
    until("it is ready", async || is_ready(server).await).await;
}

async fn until_not_ready(server: &crate::process::Server) {
    until("it is not ready", async || !is_ready(server).await).await;
}
