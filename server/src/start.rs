//! From the first moment to the last: ports are open while a database is waited for, and
//! what needs it is told to come back.

use std::{error::Error, fmt, time::Duration};

use futures_util::{
    FutureExt,
    future::{BoxFuture, ready},
};
use http::{Request, Response};
use hyper::body::Incoming;
use shared::error::{causes, refused_call};
use tonic::{Code, Status, body::Body, service::RoutesBuilder};

use crate::{
    admission::{
        connection_limit::ConnectionLimit, fair_share::FairShare, permits::Admission,
        refusal_log::RefusalLog, uploads::Uploads,
    },
    app::{App, Port},
    assembly::Assembly,
    body::request::RequestBody,
    db::{DatabaseUrl, Unreachable, is_away},
    health::Readiness,
    http::HttpRouter,
    layers::{
        call::{Layers, Protocol, RequestInfo},
        cors,
    },
    listen::{
        listener::Listener,
        ports::{BindError, Ports},
    },
    protocol::{grpc::Grpc, http::Http},
    settings::Settings,
    shutdown::{Shutdown, termination_signal},
};

/// Between two looks at a database that is away: this, then twice as long each time, up to
/// the last.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A database that no waiting brings back.
#[derive(Debug)]
struct CannotOpen(Unreachable);

impl fmt::Display for CannotOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cannot open the database")
    }
}

impl Error for CannotOpen {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}

/// What a process serves, and what it needs for that.
pub struct Start<'a> {
    /// Where and how.
    pub settings: &'a Settings,
    /// The databases that must be there before anything can be assembled.
    pub databases: &'a [&'a DatabaseUrl],
    /// The routers that will be mounted, without routes yet: how they word a refusal.
    pub routers: Vec<HttpRouter>,
}

impl Start<'_> {
    /// Takes the ports, has the services assembled, and serves them until SIGTERM or Ctrl-C.
    ///
    /// While a database is away it is tried again and again: the process is live and not
    /// ready, and calls are refused as unavailable. What no waiting mends, such as a wrong
    /// password, ends it at once. `listening` is told when the services are there.
    pub async fn serve<E: Error + 'static>(
        self,
        services: impl AsyncFnMut(&mut Assembly) -> Result<(), E>,
        listening: impl FnOnce(&App),
    ) -> Result<(), Box<dyn Error>> {
        let mut stop = Box::pin(termination_signal()?);
        let ports = Ports::bind(self.settings).await?;
        let waiting = Waiting::start(&ports, self.settings, self.routers).await?;
        let assembly = tokio::select! {
            assembly = assembled(self.databases, services, &ports) => assembly?,
            () = &mut stop => {
                tracing::info!("stopped before it was ready");
                return Ok(());
            }
        };
        waiting.end().await;
        let app = assembly.on(&ports, self.settings)?;
        drop(ports);
        listening(&app);
        app.run(stop).await;
        Ok(())
    }
}

/// What was assembled, once all `databases` are there.
async fn assembled<E: Error + 'static>(
    databases: &[&DatabaseUrl],
    mut services: impl AsyncFnMut(&mut Assembly) -> Result<(), E>,
    ports: &Ports,
) -> Result<Assembly, Box<dyn Error>> {
    let mut attempt = async || -> Result<Assembly, Box<dyn Error>> {
        for database in databases {
            database.reach().await.map_err(CannotOpen)?;
        }
        let mut assembly = Assembly::default();
        services(&mut assembly).await?;
        Ok(assembly)
    };
    let (mut pause, mut said) = (PAUSE, None);
    loop {
        let error = match attempt().await {
            Ok(assembly) => return Ok(assembly),
            Err(error) if !is_away(&*error) => return Err(error),
            Err(error) => error,
        };
        let cause = causes(&*error);
        if said.as_ref() != Some(&cause) {
            let (grpc, http) = (ports.grpc.address, ports.http.as_ref().map(|port| port.address));
            let http = http.map_or_else(|| "off".to_owned(), |http| http.to_string());
            tracing::warn!(%grpc, %http, cause, "listening, not ready: waiting for a database");
            said = Some(cause);
        }
        drop(error);
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// A server that is live, not ready, and refuses all else.
struct Waiting {
    listeners: Vec<Listener>,
    stop: Shutdown,
    drain: Duration,
}

impl Waiting {
    async fn start(
        ports: &Ports,
        settings: &Settings,
        routers: Vec<HttpRouter>,
    ) -> Result<Self, BindError> {
        let (limits, trusted) = (&settings.limits, settings.trusted_origins.as_slice());
        let (readiness, health) = Readiness::new(Vec::new(), Vec::new(), false);
        readiness.begin().await;
        let log = RefusalLog::default();
        let connection_limit =
            ConnectionLimit::new(limits, settings.trusted_proxies.clone(), log.clone());
        let around = Layers {
            permits: Admission::new(limits, log),
            fair_share: FairShare::new(limits),
            uploads: Uploads::default().into(),
            proxies: settings.trusted_proxies.clone(),
        };
        let stop = Shutdown::default();
        let mut routes = RoutesBuilder::default();
        routes.add_service(health);
        let grpc = Unready(Grpc::new(routes.routes().prepare(), trusted));
        let port = Port::open(&ports.grpc, grpc, &around, limits)?;
        let mut listeners = vec![port.serve(&connection_limit, limits, &stop)];
        if let Some(taken) = &ports.http {
            let http = Unready(Http::new(routers, readiness, trusted));
            let port = Port::open(taken, http, &around, limits)?;
            listeners.push(port.serve(&connection_limit, limits, &stop));
        }
        Ok(Self { listeners, stop, drain: limits.drain })
    }

    /// Accepts no more, and asks who is connected to connect again: to the services.
    async fn end(self) {
        let mut open = Vec::new();
        for listener in self.listeners {
            open.push(listener.close().await);
        }
        self.stop.now();
        for open in open {
            tokio::spawn(open.drain(self.drain));
        }
    }
}

/// A port whose services are not there yet.
#[derive(Clone)]
struct Unready<W>(W);

impl<W: Protocol> Protocol for Unready<W> {
    fn turn_away(&self, request: &Request<Incoming>) -> Option<Response<Body>> {
        self.0.turn_away(request)
    }

    fn is_free(&self, path: &str) -> bool {
        self.0.is_free(path)
    }

    fn is_public_stream(&self, path: &str) -> bool {
        self.0.is_public_stream(path)
    }

    fn answer(self, request: Request<RequestBody>) -> BoxFuture<'static, Response<Body>> {
        let path = request.uri().path();
        if self.0.is_free(path) || self.0.is_public_stream(path) || cors::is_preflight(&request) {
            return self.0.answer(request);
        }
        let origin = request.headers().get("origin").cloned();
        let asked = RequestInfo { path: path.to_owned(), origin };
        let away = refused_call(Code::Unavailable, "temporarily unavailable, try again");
        ready(self.0.refuse(&asked, away)).boxed()
    }

    fn refuse(&self, asked: &RequestInfo, status: Status) -> Response<Body> {
        self.0.refuse(asked, status)
    }

    fn log(response: &Response<Body>, elapsed_us: u64) {
        W::log(response, elapsed_us);
    }
}
