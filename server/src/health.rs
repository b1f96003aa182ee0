//! Liveness and readiness: `grpc.health.v1` says SERVING once all is there that calls need,
//! and while every database does what it should. That the process is live it says always.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use shared::config::{Reader, Vars};
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

use crate::{
    db::{Database, Probe, Unfit},
    loopback,
    settings::{Addresses, Settings},
};

/// How often the databases are asked, and each how manieth time they are written to.
const PERIOD: Duration = Duration::from_secs(2);
const WRITES: u32 = 5;

/// One slow answer is not an outage.
const FAILURES: u32 = 2;

/// The names of the two questions. The first is never NOT_SERVING; the second is answered
/// like `""`, the server as a whole.
const LIVENESS: &str = "liveness";
const READINESS: &str = "readiness";

/// Tells the world whether calls make sense.
#[derive(Clone)]
pub struct Readiness {
    reporter: HealthReporter,
    /// The services, and the names that stand for all of them.
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
        names.extend(["", READINESS]);
        (Self { reporter, names, databases, ready: Arc::new(AtomicBool::new(is_ready)) }, server)
    }

    /// What was said last.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Says for the first time whether it is ready, and that it is live.
    pub async fn begin(&self) {
        self.reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
        let is_ready = self.is_ready();
        self.say(if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing }).await;
    }

    /// Waits until all of `awaited` has happened, then asks the databases again and again,
    /// and says what it finds. Never ends.
    pub async fn follow(self, awaited: Vec<BoxFuture<'static, ()>>) {
        if !awaited.is_empty() {
            tracing::info!("not ready yet");
            for event in awaited {
                event.await;
            }
            tracing::info!("ready");
            self.say(ServingStatus::Serving).await;
        }
        let mut followed: Vec<_> = self.databases.iter().cloned().map(Followed::new).collect();
        for turn in 0_u32.. {
            tokio::time::sleep(PERIOD).await;
            for one in &mut followed {
                one.look(turn.is_multiple_of(WRITES)).await;
            }
            let is_fit = followed.iter().all(|one| one.unfit.is_none());
            if is_fit != self.is_ready() {
                let fit = if is_fit { ServingStatus::Serving } else { ServingStatus::NotServing };
                self.say(fit).await;
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

    async fn say(&self, status: ServingStatus) {
        self.ready.store(matches!(status, ServingStatus::Serving), Ordering::Relaxed);
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }
}

/// One database, and what was found last.
struct Followed {
    probe: Probe,
    failures: u32,
    unfit: Option<Unfit>,
}

impl Followed {
    fn new(database: Database) -> Self {
        Self { probe: Probe::new(database), failures: 0, unfit: None }
    }

    /// Looks once, and logs what has changed. A database that was unfit is fit again only
    /// when it stores.
    async fn look(&mut self, writes: bool) {
        let mut found = self.probe.answers().await;
        if found.is_ok() && (writes || self.failures > 0) {
            found = self.probe.stores().await;
        }
        let place = || self.probe.database().place();
        let Err(unfit) = found else {
            self.failures = 0;
            if self.unfit.take().is_some() {
                tracing::info!(database = place(), "ready again");
            }
            return;
        };
        self.failures = self.failures.saturating_add(1);
        let may_be_chance = matches!(unfit, Unfit::Silent(_));
        if may_be_chance && self.failures < FAILURES || self.unfit.as_ref() == Some(&unfit) {
            return;
        }
        tracing::warn!(database = place(), reason = %unfit, "not ready");
        self.unfit = Some(unfit);
    }
}

/// Whether the server behind `channel` says SERVING, of its readiness or, if `is_live`, of
/// its liveness.
pub async fn check(channel: Channel, is_live: bool) -> Result<(), Box<dyn Error>> {
    let service = if is_live { LIVENESS } else { "" }.to_owned();
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service }).await?;
    match answer.into_inner().status() {
        WireStatus::Serving => Ok(()),
        other => Err(format!("the server says {}", other.as_str_name()).into()),
    }
}

/// Whether the server at this process's own address (`GRPC_ADDR`, else its default) says
/// that it serves, or that it `is_live`; for container health checks.
pub async fn probe_own(
    mut reader: Reader<'_, impl Vars>,
    default: Addresses,
    is_live: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::read(&mut reader, default);
    let address = reader.finish(Some(settings))?.grpc_addr;
    let reachable = loopback::reachable(address);
    let patience = Duration::from_secs(2);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{reachable}"))?;
    let channel = endpoint.connect_timeout(patience).timeout(patience).connect().await?;
    check(channel, is_live).await
}
