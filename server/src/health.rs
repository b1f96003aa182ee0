//! Liveness and readiness: `grpc.health.v1` reports SERVING once the process is ready, while
//! every database works. Liveness is always SERVING.

use std::{
    error::Error,
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use hyper_util::rt::TokioIo;
use shared::config::{Reader, Vars};
use tokio::{io::AsyncWriteExt, net::TcpStream};
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
use tower::ServiceExt;

use crate::{
    db::{Database, Probe, ProbeFailure},
    listen::proxy_header,
    loopback,
    proxies::Proxies,
    settings::{Addresses, Settings},
    tls,
};

/// The period of the database checks; every `WRITES`th includes a write.
const PERIOD: Duration = Duration::from_secs(2);
const WRITES: u32 = 5;

/// A single slow response is not an outage.
const FAILURES: u32 = 2;

/// The names of the two checks. The first is never NOT_SERVING; the second has the status of
/// `""`, the server as a whole.
const LIVENESS: &str = "liveness";
const READINESS: &str = "readiness";

/// The readiness of the server, as reported by its health service.
#[derive(Clone)]
pub struct Readiness {
    reporter: HealthReporter,
    /// The names of the services, and the names for the server as a whole.
    names: Vec<&'static str>,
    databases: Vec<Database>,
    ready: Arc<AtomicBool>,
}

impl Readiness {
    /// Databases are connected and migrated by now, so readiness is immediate unless other events
    /// are awaited.
    pub fn new(
        mut names: Vec<&'static str>,
        databases: Vec<Database>,
        is_ready: bool,
    ) -> (Self, HealthServer<impl Health>) {
        let (reporter, server) = tonic_health::server::health_reporter();
        names.extend(["", READINESS]);
        (Self { reporter, names, databases, ready: Arc::new(AtomicBool::new(is_ready)) }, server)
    }

    /// The status that was reported last.
    pub fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Reports the first status.
    pub async fn start(&self) {
        self.reporter.set_service_status(LIVENESS, ServingStatus::Serving).await;
        let is_ready = self.is_ready();
        self.set_status(if is_ready { ServingStatus::Serving } else { ServingStatus::NotServing })
            .await;
    }

    /// Waits for `ready_after`, then checks the databases periodically and reports changes. Never
    /// ends.
    pub async fn monitor(self, ready_after: Vec<BoxFuture<'static, ()>>) {
        if !ready_after.is_empty() {
            tracing::info!("not ready yet");
            for event in ready_after {
                event.await;
            }
            tracing::info!("ready");
            self.set_status(ServingStatus::Serving).await;
        }
        let mut monitored: Vec<_> =
            self.databases.iter().cloned().map(MonitoredDatabase::new).collect();
        for round in 0_u32.. {
            tokio::time::sleep(PERIOD).await;
            for database in &mut monitored {
                database.check_once(round.is_multiple_of(WRITES)).await;
            }
            let are_usable = monitored.iter().all(|database| database.failure.is_none());
            if are_usable != self.is_ready() {
                let status =
                    if are_usable { ServingStatus::Serving } else { ServingStatus::NotServing };
                self.set_status(status).await;
            }
        }
    }

    /// Reports NOT_SERVING, so that balancers send no new calls.
    pub async fn set_not_ready(&self) {
        self.set_status(ServingStatus::NotServing).await;
    }

    /// Closes the databases, at the end of the shutdown.
    pub async fn close_databases(self) {
        for database in self.databases {
            if let Err(error) = database.close().await {
                tracing::warn!(%error, "cannot close the database");
            }
        }
    }

    async fn set_status(&self, status: ServingStatus) {
        self.ready.store(matches!(status, ServingStatus::Serving), Ordering::Relaxed);
        for name in &self.names {
            self.reporter.set_service_status(name, status).await;
        }
    }
}

/// A database under observation, with its last failure.
struct MonitoredDatabase {
    probe: Probe,
    failures: u32,
    failure: Option<ProbeFailure>,
}

impl MonitoredDatabase {
    fn new(database: Database) -> Self {
        Self { probe: Probe::new(database), failures: 0, failure: None }
    }

    /// Checks once, and logs a change. A database that failed is ready again only after a
    /// successful write.
    async fn check_once(&mut self, writes: bool) {
        let mut result = self.probe.check_response().await;
        if result.is_ok() && (writes || self.failures > 0) {
            result = self.probe.check_write().await;
        }
        let location = || self.probe.database().location();
        let Err(failure) = result else {
            self.failures = 0;
            if self.failure.take().is_some() {
                tracing::info!(database = location(), "ready again");
            }
            return;
        };
        self.failures = self.failures.saturating_add(1);
        let may_be_chance = matches!(failure, ProbeFailure::Unresponsive(_));
        if may_be_chance && self.failures < FAILURES || self.failure.as_ref() == Some(&failure) {
            return;
        }
        tracing::warn!(database = location(), reason = %failure, "not ready");
        self.failure = Some(failure);
    }
}

/// Whether the server behind `channel` reports SERVING, for its readiness or, if `is_live`, its
/// liveness.
pub async fn check(channel: Channel, is_live: bool) -> Result<(), Box<dyn Error>> {
    let service = if is_live { LIVENESS } else { "" }.to_owned();
    let answer = HealthClient::new(channel).check(HealthCheckRequest { service }).await?;
    match answer.into_inner().status() {
        WireStatus::Serving => Ok(()),
        other => Err(format!("the server says {}", other.as_str_name()).into()),
    }
}

/// Whether the server at this process's own address (`GRPC_ADDR`, else its default) reports that
/// it serves, or that it `is_live`; for container health checks.
pub async fn probe_own(
    mut reader: Reader<'_, impl Vars>,
    addresses: &Addresses,
    is_live: bool,
) -> Result<(), Box<dyn std::error::Error>> {
    let settings = Settings::read(&mut reader, addresses);
    let Settings { grpc_addr, tls, trusted_proxies, .. } = reader.finish(Some(settings))?;
    let address = loopback::loopback_address(grpc_addr);
    let timeout = Duration::from_secs(2);
    let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{address}"))?;
    let endpoint = endpoint.connect_timeout(timeout).timeout(timeout);
    let connector = tower::service_fn(move |_| connect(address, trusted_proxies.clone()));
    let channel = match tls {
        None => endpoint.connect_with_connector(connector.map_response(TokioIo::new)).await?,
        Some(tls) => {
            let connector = connector.and_then(move |stream| {
                let tls = tls.clone();
                async move { tls::probe::connect(&tls, address, stream).await.map(TokioIo::new) }
            });
            endpoint.connect_with_connector(connector).await?
        }
    };
    check(channel, is_live).await
}

/// A connection to `address`, begun as a proxy's where this machine is a listed one.
async fn connect(address: SocketAddr, proxies: Proxies) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address).await?;
    if proxies.sends_header(stream.local_addr()?.ip()) {
        stream.write_all(&proxy_header::LOCAL).await?;
    }
    Ok(stream)
}
