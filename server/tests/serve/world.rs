//! A server on a free port, and a service whose calls wait until they are released.

use std::{collections::HashMap, net::SocketAddr, time::Duration};

use proto::auth::v1::{
    SignInRequest, SignInResponse, SignUpRequest, SignUpResponse,
    auth_service_client::AuthServiceClient,
    auth_service_server::{AuthService, AuthServiceServer},
};
use server::{AllowedHeaders, Assembly, Limits, MAX_REQUEST_BYTES, Proxies, Settings};
use shared::config::Reader;
use tokio::{
    sync::{oneshot, watch},
    task::JoinHandle,
};
use tonic::{Request, Response, Status};

use crate::wire::{Connection, origin};

pub type Client = AuthServiceClient<Connection>;

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// `SignUp` panics. `SignIn` answers with the password as its token, once it may:
/// `hold` waits for [`Server::release`], `never` waits for ever.
struct Sample {
    inside: watch::Sender<usize>,
    released: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl AuthService for Sample {
    async fn sign_up(&self, _: Request<SignUpRequest>) -> Result<Response<SignUpResponse>, Status> {
        // A panic without its hook: a hundred backtraces would drown the test's own lines.
        std::panic::resume_unwind(Box::new("a fault in a handler"));
    }

    async fn sign_in(
        &self,
        request: Request<SignInRequest>,
    ) -> Result<Response<SignInResponse>, Status> {
        let request = request.into_inner();
        if request.email != "echo" {
            self.inside.send_modify(|inside| *inside += 1);
        }
        match request.email.as_str() {
            "hold" => {
                let mut released = self.released.clone();
                let _ = released.wait_for(|released| *released).await;
            }
            "never" => std::future::pending().await,
            _ => {}
        }
        let response = SignInResponse { session_token: request.password, ..Default::default() };
        Ok(Response::new(response))
    }
}

/// These proxies, which begin connections with a header if `PROXY_PROTOCOL` is `on`.
pub fn proxies(listed: &str, proxy_protocol: &str) -> Proxies {
    let vars = [("TRUSTED_PROXIES", listed), ("PROXY_PROTOCOL", proxy_protocol)];
    let vars = HashMap::from(vars.map(|(name, value)| (name, value.to_owned())));
    let mut reader = Reader::new(&vars);
    let proxies = Proxies::read(&mut reader);
    reader.finish(Some(proxies)).expect("proxies")
}

/// A server at work.
pub struct Server {
    pub addr: SocketAddr,
    pub http_addr: SocketAddr,
    inside: watch::Receiver<usize>,
    release: watch::Sender<bool>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

/// The defaults, but a stop that does not wait for balancers.
pub fn limits() -> Limits {
    Limits { lame_duck: Duration::ZERO, drain: Duration::from_millis(500), ..Limits::default() }
}

impl Server {
    pub async fn start(limits: Limits) -> Self {
        Self::start_with(limits, true).await
    }

    pub async fn start_with(limits: Limits, reflection: bool) -> Self {
        Self::start_beside(Assembly::default(), limits, reflection).await
    }

    /// The service beside what is assembled already.
    pub async fn start_beside(assembly: Assembly, limits: Limits, reflection: bool) -> Self {
        Self::start_behind(Proxies::default(), assembly, limits, reflection).await
    }

    /// The same, behind these proxies.
    pub async fn start_behind(
        trusted_proxies: Proxies,
        mut assembly: Assembly,
        limits: Limits,
        reflection: bool,
    ) -> Self {
        let (inside, seen) = watch::channel(0);
        let (release, released) = watch::channel(false);
        let service = AuthServiceServer::new(Sample { inside, released })
            .max_decoding_message_size(MAX_REQUEST_BYTES);
        assembly.add(service);
        let grpc_addr = SocketAddr::from(([127, 0, 0, 1], 0));
        let settings = Settings {
            grpc_addr,
            http_addr: Some(grpc_addr),
            trusted_origins: Vec::new(),
            allowed_headers: AllowedHeaders::default(),
            trusted_proxies,
            tls: None,
            reflection,
            limits,
        };
        let app = assembly.bind(&settings).await.expect("a free port");
        let (addr, http_addr) = (app.grpc_addr(), app.http_addr().expect("an HTTP port"));
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(app.run(async move {
            let _ = stopped.await;
        }));
        Self { addr, http_addr, inside: seen, release, stop: Some(stop), running }
    }

    pub async fn connect(&self) -> Connection {
        Connection::open(self.addr).await.expect("a connection")
    }

    pub async fn client(&self) -> Client {
        client(self.connect().await)
    }

    /// Waits until `calls` calls have reached a handler that waits.
    pub async fn wait_inside(&mut self, calls: usize) {
        let entered = within(self.inside.wait_for(|inside| *inside >= calls)).await;
        drop(entered.expect("the service lives"));
    }

    /// Lets `hold` calls go on.
    pub fn release(&self) {
        self.release.send_replace(true);
    }

    pub fn stop(&mut self) {
        let stop = self.stop.take().expect("stopped once");
        stop.send(()).expect("the server runs");
    }

    /// Waits for the end of `run`.
    pub async fn ended(self) {
        within(self.running).await.expect("no panic");
    }
}

pub fn client(connection: Connection) -> Client {
    AuthServiceClient::with_origin(connection, origin())
}

pub fn sign_in(email: &str) -> SignInRequest {
    SignInRequest { email: email.to_owned(), password: "token".to_owned() }
}

/// A call that waits in its handler, on its way in the background.
pub fn spawn_call(
    client: &Client,
    email: &'static str,
) -> JoinHandle<Result<Response<SignInResponse>, Status>> {
    let mut client = client.clone();
    tokio::spawn(async move { client.sign_in(sign_in(email)).await })
}

/// Asserts that `client` is served.
pub async fn assert_served(client: &mut Client) {
    let response = within(client.sign_in(sign_in("echo"))).await.expect("served");
    assert_eq!(response.into_inner().session_token, "token");
}

/// The output of `future`, in bounded time.
pub async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("in time")
}

/// Polls `ready` until it is true.
pub async fn until(mut ready: impl AsyncFnMut() -> bool) {
    within(async {
        while !ready().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}
