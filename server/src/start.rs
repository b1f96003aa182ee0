//! The life of a process: ports are open while a database is unavailable, and calls that need it
//! are refused with a retry.

use std::{error::Error, fmt, pin::pin, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use http::{Request, Response};
use hyper::body::Incoming;
use shared::error::{Kind, UNAVAILABLE, causes, refused_call};
use tonic::{Status, body::Body, service::RoutesBuilder};

use crate::{
    admission::uploads::Uploads,
    app::{App, Port},
    assembly::Assembly,
    body::request::RequestBody,
    db::{DatabaseUrl, Unreachable, is_unavailable},
    health::Readiness,
    http::HttpRouter,
    layers::{
        call::Layers,
        cors,
        protocol::{Protocol, RequestInfo},
        refused_calls::RefusedCalls,
    },
    listen::{
        listener::Listener,
        ports::{BindError, Ports, or_off},
    },
    protocol::{grpc::Grpc, http::Http},
    settings::Settings,
    shutdown::{Shutdown, termination_signal},
};

/// The backoff between attempts to reach a database: doubled each time, up to the maximum.
const INITIAL_BACKOFF: Duration = Duration::from_millis(250);
const MAX_BACKOFF: Duration = Duration::from_secs(5);

/// The time in which connections just wait: a start takes less where the databases are there, and a
/// refusal would cost the calls that a balancer sends to an open port.
const QUIET_START: Duration = Duration::from_secs(1);

/// A database that cannot be opened, however long the server waits.
#[derive(Debug)]
struct OpenError(Unreachable);

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot open the database")
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// The start of a process: its settings, databases and services.
pub struct Start<'a> {
    /// The settings of the server.
    pub settings: &'a Settings,
    /// The databases that must be reachable before the services are assembled.
    pub databases: &'a [&'a DatabaseUrl],
    /// The routers to be added, still without routes: they format refusals.
    pub routers: Vec<HttpRouter>,
}

impl Start<'_> {
    /// Binds the ports, assembles the services, and serves them until SIGTERM or Ctrl-C.
    ///
    /// While a database is unavailable the process is live and not ready, calls are refused as
    /// unavailable, and the database is retried. A permanent fault, such as a wrong password, ends
    /// the process at once. `listening` is called when the services are assembled.
    pub async fn serve<E: Error + 'static>(
        self,
        services: impl AsyncFnMut(&mut Assembly) -> Result<(), E>,
        listening: impl FnOnce(&App),
    ) -> Result<(), Box<dyn Error>> {
        let mut stop = Box::pin(termination_signal()?);
        let Self { settings, databases, routers } = self;
        let ports = Ports::bind(settings).await?;
        if let Some(tls) = settings.tls.clone() {
            tokio::spawn(tls.keep_reloading());
        }
        let assembly = {
            let mut assembling = pin!(async {
                tokio::select! {
                    assembly = assemble(databases, services, &ports) => assembly.map(Some),
                    () = &mut stop => Ok(None),
                }
            });
            match tokio::time::timeout(QUIET_START, &mut assembling).await {
                Ok(assembly) => assembly?,
                Err(_elapsed) => {
                    let unready = UnreadyServer::start(&ports, settings, routers).await?;
                    let assembly = assembling.await?;
                    unready.end().await;
                    assembly
                }
            }
        };
        let Some(assembly) = assembly else {
            tracing::info!("stopped before it was ready");
            return Ok(());
        };
        let app = assembly.bind_to(&ports, settings)?;
        drop(ports);
        listening(&app);
        app.run(stop).await;
        Ok(())
    }
}

/// The assembled services, once all `databases` are reachable.
async fn assemble<E: Error + 'static>(
    databases: &[&DatabaseUrl],
    mut services: impl AsyncFnMut(&mut Assembly) -> Result<(), E>,
    ports: &Ports,
) -> Result<Assembly, Box<dyn Error>> {
    let mut attempt = async || -> Result<Assembly, Box<dyn Error>> {
        for database in databases {
            database.check_reachable().await.map_err(OpenError)?;
        }
        let mut assembly = Assembly::default();
        services(&mut assembly).await?;
        Ok(assembly)
    };
    let (mut backoff, mut logged) = (INITIAL_BACKOFF, None);
    loop {
        let error = match attempt().await {
            Ok(assembly) => return Ok(assembly),
            Err(error) if !is_unavailable(&*error) => return Err(error),
            Err(error) => error,
        };
        let cause = causes(&*error);
        if logged.as_ref() != Some(&cause) {
            let grpc = ports.grpc.address;
            let http = or_off(ports.http.as_ref().map(|port| port.address));
            tracing::warn!(%grpc, %http, cause, "listening, not ready: waiting for a database");
            logged = Some(cause);
        }
        drop(error);
        tokio::time::sleep(backoff).await;
        backoff = (backoff * 2).min(MAX_BACKOFF);
    }
}

/// A server that is live and not ready, and refuses calls.
struct UnreadyServer {
    listeners: Vec<Listener>,
    stop: Shutdown,
    drain: Duration,
}

impl UnreadyServer {
    async fn start(
        ports: &Ports,
        settings: &Settings,
        routers: Vec<HttpRouter>,
    ) -> Result<Self, BindError> {
        let limits = &settings.limits;
        let (readiness, health) = Readiness::new(Vec::new(), Vec::new(), false);
        readiness.start().await;
        let layers = Layers::new(settings, Uploads::default());
        let stop = Shutdown::default();
        let mut grpc_routes = RoutesBuilder::default();
        grpc_routes.add_service(health);
        let grpc = Unready(Grpc::new(grpc_routes.routes().prepare(), settings));
        let port = Port::open(&ports.grpc, grpc, &layers, settings)?;
        let mut listeners = vec![port.serve(&layers.connection_limit, limits, &stop)];
        if let Some(bound) = &ports.http {
            let http = Unready(Http::new(routers, readiness, settings));
            let port = Port::open(bound, http, &layers, settings)?;
            listeners.push(port.serve(&layers.connection_limit, limits, &stop));
        }
        Ok(Self { listeners, stop, drain: limits.drain })
    }

    /// Closes the listeners, and drains their connections, so that clients reconnect to the
    /// services.
    async fn end(self) {
        let mut open = Vec::new();
        for listener in self.listeners {
            open.push(listener.close().await);
        }
        self.stop.begin();
        for open in open {
            tokio::spawn(open.drain(self.drain));
        }
    }
}

/// The protocol of a port whose services are not assembled yet.
#[derive(Clone)]
struct Unready<P>(P);

impl<P: Protocol> Protocol for Unready<P> {
    fn respond_early(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        self.0.respond_early(request)
    }

    fn needs_no_permit(&self, path: &str) -> bool {
        self.0.needs_no_permit(path)
    }

    fn is_public_stream(&self, path: &str) -> bool {
        self.0.is_public_stream(path)
    }

    fn respond(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let path = request.uri().path();
        if self.0.needs_no_permit(path)
            || self.0.is_public_stream(path)
            || cors::is_preflight(&request)
        {
            return self.0.respond(request);
        }
        let unavailable = refused_call(Kind::Unavailable, UNAVAILABLE);
        ready(self.0.refuse(&RequestInfo::of(&request), unavailable)).boxed()
    }

    fn refuse(&self, info: &RequestInfo, status: Status) -> Response<Body> {
        self.0.refuse(info, status)
    }

    fn log(response: &Response<Body>, elapsed_us: u64, refused: &RefusedCalls) {
        P::log(response, elapsed_us, refused);
    }
}
