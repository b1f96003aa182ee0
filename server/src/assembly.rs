//! Services on their way into a server.

use std::{convert::Infallible, future::Future, sync::Arc};

use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use tonic::{body::Body, codegen::http::Request, server::NamedService, service::RoutesBuilder};
use tower::Service;

use crate::{
    admission::{
        connection_limit::ConnectionLimit, fair_share::FairShare, limits::MAX_REQUEST_BYTES,
        permits::Admission, refusal_log::RefusalLog, uploads::Uploads,
    },
    app::{App, Port},
    db::Database,
    health::Readiness,
    http::HttpRouter,
    layers::call::Layers,
    listen::ports::{BindError, Ports},
    loopback::Loopback,
    protocol::{grpc::Grpc, http::Http},
    settings::Settings,
    shutdown::{Shutdown, ShutdownSignal},
};

/// Services on their way into an [`App`].
#[derive(Default)]
pub struct Assembly {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    routers: Vec<HttpRouter>,
    databases: Vec<Database>,
    awaited: Vec<BoxFuture<'static, ()>>,
    jobs: Vec<BoxFuture<'static, ()>>,
    last: Vec<BoxFuture<'static, ()>>,
    uploads: Uploads,
    stop: Shutdown,
    loopback: Loopback,
}

impl Assembly {
    /// Adds a service under its own name. What guards it is around it already.
    pub fn add<S>(&mut self, service: S)
    where
        S: Service<Request<Body>, Response: IntoResponse, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(service);
    }

    /// Adds a door to the HTTP port.
    pub fn mount(&mut self, door: HttpRouter) {
        self.routers.push(door);
    }

    /// Ties readiness to a database; it is closed last when the server stops.
    pub fn depend_on(&mut self, database: Database) {
        self.add_job(database.clone().limit_wal_size());
        self.databases.push(database);
    }

    /// Puts readiness off until `event` has happened. CallChain are served meanwhile.
    pub fn wait_for(&mut self, event: impl Future<Output = ()> + Send + 'static) {
        self.awaited.push(Box::pin(event));
    }

    /// Declares that calls to `path`, on either port, are uploads: a stream of messages, or
    /// a body, that may take `UPLOAD_TIMEOUT` in all but no longer than `REQUEST_TIMEOUT`
    /// for each pause in it. A segment in braces stands for any: `/api/{user_id}/import`.
    /// How large it may be is up to its handler.
    pub fn allow_upload(&mut self, path: &'static str) {
        self.uploads.add(path);
    }

    /// Tells a service when the server stops.
    #[must_use]
    pub fn stopping(&self) -> ShutdownSignal {
        self.stop.handle()
    }

    /// Where a service finds others of this process, once the port is taken.
    #[must_use]
    pub fn loopback(&self) -> Loopback {
        self.loopback.clone()
    }

    /// Adds a job that runs as long as the server, and for as long as calls are still
    /// finished when it stops.
    pub fn add_job(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.push(Box::pin(job));
    }

    /// Adds what is to be done when the last call has ended, while jobs still run and
    /// databases are open. It gets two seconds.
    pub fn add_last(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.last.push(Box::pin(work));
    }

    /// Takes the ports and completes the services with health, reflection and
    /// documentation. Nothing is served yet.
    pub async fn bind(self, settings: &Settings) -> Result<App, BindError> {
        let ports = Ports::bind(settings).await?;
        self.on(&ports, settings)
    }

    pub(crate) fn on(mut self, ports: &Ports, settings: &Settings) -> Result<App, BindError> {
        if settings.reflection {
            let reflection = || {
                let all = tonic_reflection::server::Builder::configure()
                    .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
                    .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
                    .with_service_name("grpc.health.v1.Health");
                self.names.iter().fold(all, |listed, name| listed.with_service_name(*name))
            };
            let v1 = reflection().build_v1()?;
            self.routes.add_service(v1.max_decoding_message_size(MAX_REQUEST_BYTES));
            let v1alpha = reflection().build_v1alpha()?;
            self.routes.add_service(v1alpha.max_decoding_message_size(MAX_REQUEST_BYTES));
        }
        let (readiness, health) =
            Readiness::new(self.names, self.databases, self.awaited.is_empty());
        self.routes.add_service(health.max_decoding_message_size(MAX_REQUEST_BYTES));
        let (limits, trusted) = (&settings.limits, settings.trusted_origins.as_slice());
        let log = RefusalLog::default();
        let connection_limit =
            ConnectionLimit::new(limits, settings.trusted_proxies.clone(), log.clone());
        let around = Layers {
            permits: Admission::new(limits, log),
            fair_share: FairShare::new(limits),
            uploads: Arc::new(self.uploads),
            proxies: settings.trusted_proxies.clone(),
        };
        let routes = self.routes.routes().prepare();
        let grpc = Port::open(&ports.grpc, Grpc::new(routes, trusted), &around, limits)?;
        self.loopback.found(grpc.address);
        let http = match &ports.http {
            Some(taken) => {
                let wire = Http::new(self.routers, readiness.clone(), trusted);
                Some(Port::open(taken, wire, &around, limits)?)
            }
            None => None,
        };
        Ok(App {
            grpc,
            http,
            readiness,
            connection_limit,
            awaited: self.awaited,
            jobs: self.jobs,
            last: self.last,
            stop: self.stop,
            limits: limits.clone(),
        })
    }
}
