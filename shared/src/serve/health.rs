//! Readiness: `grpc.health.v1` says SERVING once all is there that calls need, and while every
//! database answers.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tonic::transport::Channel;
use tonic_health::{
    ServingStatus,
    pb::{
        HealthCheckRequest,
        health_check_response::ServingStatus as WireStatus,
        health_client::HealthClient,
        health_server::{Health, HealthServer},
    },
    server::HealthReporter,
};

use super::Job;
use crate::db::Database;

/// How often the databases are asked, and how long one may take.
const PERIOD: Duration = Duration::from_secs(2);
const PATIENCE: Duration = Duration::from_millis(500);

/// One slow answer is not an outage.
const FAILURES: u32 = 2;

/// Tells the world whether calls make sense.
#[derive(Clone)]
pub struct Readiness {
    reporter: HealthReporter,
    /// The services, and `""` for the server as a whole.
    names: Vec<&'static str>,
    databases: Vec<Database>,
    ready: Arc<AtomicBool>,
}

impl Readiness {
    /// Who gets here has connected and migrated, so it is ready from the start unless
    /// something else is waited for.
    pub fn new(
        mut names: Vec<&'static str>,
        databases: Vec<Database>,
        is_ready: bool,
    ) -> (Self, HealthServer<impl Health>) {
        let (reporter, server) = tonic_health::server::health_reporter();
        names.push("");
        (Self { reporter, names, databases, ready: Arc::new(AtomicBool::new(is_ready)) }, server)
    }

    /// What was said last.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Says for the first time whether it is ready.
    pub async fn begin(&self) {
        let is_ready = self.is_ready();
        self.say(if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
    }

    /// Waits until all of `awaited` has happened, then asks the databases again and again,
    /// and says what it finds. Never ends.
    pub async fn follow(self, awaited: Vec<Job>) {
        if !awaited.is_empty() {
            tracing::info!("not ready yet");
            for event in awaited {
                event.await;
            }
            tracing::info!("ready");
            self.say(ServingStatus::Serving).await;
        }
        let mut failures = 0;
        loop {
            tokio::time::sleep(PERIOD).await;
            let ready = failures < FAILURES;
            failures = if self.databases_answer().await { 0 } else { failures + 1 };
            match (ready, failures < FAILURES) {
                (true, false) => {
                    tracing::warn!("not ready: a database does not answer");
                    self.say(ServingStatus::NotServing).await;
                }
                (false, true) => {
                    tracing::info!("ready again");
                    self.say(ServingStatus::Serving).await;
                }
                _ => {}
            }
        }
    }

    /// Says that no new calls should come.
    pub async fn withdraw(&self) {
        self.say(ServingStatus::NotServing).await;
    }

    /// The last act of a server.
    pub async fn close_databases(self) {
        for database in self.databases {
            if let Err(error) = database.close().await {
                tracing::warn!(%error, "cannot close the database");
            }
        }
    }

    async fn databases_answer(&self) -> bool {
        for database in &self.databases {
            let asked = tokio::time::timeout(PATIENCE, database.ping()).await;
            if !matches!(asked, Ok(Ok(()))) {
                return false;
            }
        }
        true
    }

    async fn say(&self, status: ServingStatus) {
        self.ready.store(matches!(status, ServingStatus::Serving), Ordering::Relaxed);
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }
}

/// Whether the server behind `channel` says SERVING.
pub async fn check(channel: Channel) -> Result<(), Box<dyn Error>> {
    let answer = HealthClient::new(channel).check(HealthCheckRequest::default()).await?;
    match answer.into_inner().status() {
        WireStatus::Serving => Ok(()),
        other => Err(format!("the server says {}", other.as_str_name()).into()),
    }
}
