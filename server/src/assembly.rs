//! The assembly of a server: services, routers, databases and jobs, before its ports are bound.

use std::{convert::Infallible, future::Future};

use axum::response::IntoResponse;
use futures_util::future::BoxFuture;
use tonic::{body::Body, codegen::http::Request, server::NamedService, service::RoutesBuilder};
use tower::Service;

use crate::{
    admission::{limits::MAX_REQUEST_BYTES, uploads::Uploads},
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

/// The parts of an [`App`], gathered before its ports are bound.
#[derive(Default)]
pub struct Assembly {
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    routers: Vec<HttpRouter>,
    databases: Vec<Database>,
    ready_after: Vec<BoxFuture<'static, ()>>,
    jobs: Vec<BoxFuture<'static, ()>>,
    on_drained: Vec<BoxFuture<'static, ()>>,
    uploads: Uploads,
    stop: Shutdown,
    loopback: Loopback,
}

impl Assembly {
    /// Adds a service under its own name. Its gate is around it already.
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

    /// Adds a router to the HTTP port.
    pub fn add_router(&mut self, router: HttpRouter) {
        self.routers.push(router);
    }

    /// Makes readiness depend on a database; the database is closed last on shutdown.
    pub fn add_database(&mut self, database: Database) {
        self.add_job(database.clone().limit_wal_size());
        self.databases.push(database);
    }

    /// Delays readiness until `event` has happened. Calls are served meanwhile.
    pub fn ready_after(&mut self, event: impl Future<Output = ()> + Send + 'static) {
        self.ready_after.push(Box::pin(event));
    }

    /// Declares that calls to `path`, on either port, are uploads: a stream of messages, or a body,
    /// that may take `UPLOAD_TIMEOUT` in total but no longer than `REQUEST_TIMEOUT` for each pause
    /// in it. A segment in braces matches any: `/api/{user_id}/import`. The handler limits its
    /// size.
    pub fn allow_upload(&mut self, path: &'static str) {
        self.uploads.add(path);
    }

    /// The signal by which a service learns of the shutdown.
    #[must_use]
    pub fn shutdown_signal(&self) -> ShutdownSignal {
        self.stop.signal()
    }

    /// The loopback channel to the services of this process, usable once the port is bound.
    #[must_use]
    pub fn loopback(&self) -> Loopback {
        self.loopback.clone()
    }

    /// Adds a background job, which runs until the last call has been finished on shutdown.
    pub fn add_job(&mut self, job: impl Future<Output = ()> + Send + 'static) {
        self.jobs.push(Box::pin(job));
    }

    /// Adds work to be done when the last call has ended, while jobs still run and databases are
    /// open. The work gets two seconds.
    pub fn on_drained(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.on_drained.push(Box::pin(work));
    }

    /// Binds the ports and adds health, reflection and documentation. Nothing is served yet.
    pub async fn bind(self, settings: &Settings) -> Result<App, BindError> {
        let ports = Ports::bind(settings).await?;
        self.bind_to(&ports, settings)
    }

    pub(crate) fn bind_to(mut self, ports: &Ports, settings: &Settings) -> Result<App, BindError> {
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
            Readiness::new(self.names, self.databases, self.ready_after.is_empty());
        self.routes.add_service(health.max_decoding_message_size(MAX_REQUEST_BYTES));
        let limits = &settings.limits;
        let layers = Layers::new(settings, self.uploads);
        let routes = self.routes.routes().prepare();
        let grpc = Port::open(&ports.grpc, Grpc::new(routes, settings), &layers, settings)?;
        let grpc = grpc.with_loopback(&self.loopback);
        let http = match &ports.http {
            Some(bound) => {
                let protocol = Http::new(self.routers, readiness.clone(), settings);
                Some(Port::open(bound, protocol, &layers, settings)?)
            }
            None => None,
        };
        Ok(App {
            grpc,
            http,
            readiness,
            connection_limit: layers.connection_limit,
            lame_duck: layers.lame_duck,
            ready_after: self.ready_after,
            jobs: self.jobs,
            on_drained: self.on_drained,
            stop: self.stop,
            limits: limits.clone(),
        })
    }
}
