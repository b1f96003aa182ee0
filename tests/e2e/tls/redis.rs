//! A Redis of the test's own, with TLS or in clear, which has a password.

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fixtures::notice;
use shared::config::{Env, Vars};

use super::certificates::Certificates;

pub const PASSWORD: &str = "Rq5-of-the-counts";

/// A running server. Dropped, it is killed.
pub struct Redis {
    child: Child,
    pub port: u16,
}

/// A port without a listener.
pub fn free_port() -> u16 {
    let socket = TcpListener::bind("127.0.0.1:0").expect("a port");
    socket.local_addr().expect("an address").port()
}

impl Redis {
    /// Starts a server at `port` with the certificate of this name, `None` for none, which demands
    /// certificates of `ca` from clients or does not. `None`: there is no program for it.
    pub fn start(
        files: &Certificates,
        port: u16,
        certificate: Option<&str>,
        demands: bool,
    ) -> Option<Self> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--save", "", "--requirepass", PASSWORD]);
        let port_text = port.to_string();
        if let Some(name) = certificate {
            command.args(["--port", "0", "--tls-port", &port_text]);
            command.args(["--tls-cert-file", &files.path(&format!("{name}.pem"))]);
            command.args(["--tls-key-file", &files.path(&format!("{name}.key"))]);
            command.args(["--tls-ca-cert-file", &files.path("ca.pem")]);
            command.args(["--tls-auth-clients", if demands { "yes" } else { "no" }]);
        } else {
            command.args(["--port", &port_text]);
        }
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let required = Env.var("REQUIRE_REDIS").is_some_and(|value| value == "1");
        assert!(child.is_ok() || !required, "there is no redis-server");
        let child = child.map_err(|_| notice("not run: there is no redis-server")).ok()?;
        let server = Self { child, port };
        let end = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < end, "Redis does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    /// The keys in it, asked for over TLS.
    pub fn keys(&self, files: &Certificates) -> String {
        let mut command = Command::new("redis-cli");
        command.args(["-h", "localhost", "-p", &self.port.to_string(), "-a", PASSWORD, "--tls"]);
        command.args(["--cacert", &files.path("ca.pem"), "--cert", &files.path("client.pem")]);
        command.args(["--key", &files.path("client.key"), "keys", "*"]);
        let output = command.output().expect("redis-cli runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
