//! The servers that this service calls, Redis and task-service: their connections, at start and for
//! `doctor`.

use http::Uri;
use server::{Hop, Protection, cli::doctor::Report, db::Unreachable, tls::RemoteTls};
use shared::address::is_local;

use crate::{
    config::Config,
    rate_limit::{RateLimitStore, RedisServer},
    task_client::TaskServiceAddress,
};

/// A command that every Redis answers.
const REDIS_GREETING: &[u8] = b"PING\r\n";

/// The preface of HTTP/2 with empty settings (RFC 9113, section 3.4).
const HTTP2_GREETING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

/// A server that cannot be used as the settings ask.
#[derive(Debug, thiserror::Error)]
#[error("cannot use {name}, see {setting}: {cause}")]
pub struct RemoteFault {
    name: &'static str,
    setting: &'static str,
    cause: Unreachable,
}

/// A server that this service calls.
struct Remote<'a> {
    name: &'static str,
    setting: &'static str,
    remedy: &'static str,
    host: String,
    port: u16,
    tls: Option<&'a RemoteTls>,
    greeting: &'static [u8],
}

/// Warns of connections in clear, and of servers that do not answer yet. A server that does not
/// speak TLS where that is asked for, or is not the one that was asked for, is an error: waiting
/// does not help.
pub async fn check(config: &Config) -> Result<(), RemoteFault> {
    for remote in remotes(config) {
        remote.hop(&remote.location()).warn_if_clear();
        match remote.check().await {
            Ok(()) => {}
            Err(fault) if fault.cause.is_transient => {
                let cause = fault.cause.to_string();
                tracing::warn!(cause, "{} does not answer yet", remote.name);
            }
            Err(fault) => return Err(fault),
        }
    }
    Ok(())
}

/// Reports each connection, and the servers that cannot be used.
pub async fn examine(config: &Config, report: &mut Report) {
    for remote in remotes(config) {
        match remote.check().await {
            Ok(()) => report.hop(&remote.hop(&remote.location())),
            Err(fault) if fault.cause.is_transient => report.warn("tls", fault.to_string()),
            Err(fault) => report.fault("tls", fault.to_string()),
        }
    }
}

fn remotes(config: &Config) -> Vec<Remote<'_>> {
    let redis = match &config.rate_limit.store {
        RateLimitStore::Redis(server) => Some(Remote::redis(server)),
        RateLimitStore::Auto | RateLimitStore::Memory => None,
    };
    let tasks = match &config.tasks {
        TaskServiceAddress::Clear(uri) => Some(Remote::tasks(uri, None)),
        TaskServiceAddress::Tls(uri, tls) => Some(Remote::tasks(uri, Some(tls))),
        TaskServiceAddress::Off | TaskServiceAddress::Loopback => None,
    };
    redis.into_iter().chain(tasks).collect()
}

impl<'a> Remote<'a> {
    fn redis(server: &'a RedisServer) -> Self {
        let (host, port) = RedisServer::address(&server.client);
        Self {
            name: "Redis",
            setting: "ATTEMPT_STORE",
            remedy: "write `rediss://` in ATTEMPT_STORE",
            host,
            port,
            tls: server.tls.as_ref(),
            greeting: REDIS_GREETING,
        }
    }

    fn tasks(uri: &Uri, tls: Option<&'a RemoteTls>) -> Self {
        Self {
            name: "task-service",
            setting: "TASK_SERVICE_URL",
            remedy: "write `https://` in TASK_SERVICE_URL",
            host: uri.host().unwrap_or_default().to_owned(),
            port: uri.port_u16().unwrap_or(if tls.is_some() { 443 } else { 80 }),
            tls,
            greeting: HTTP2_GREETING,
        }
    }

    fn location(&self) -> String {
        format!("{} at {}:{}", self.name, self.host, self.port)
    }

    fn hop<'b>(&self, to: &'b str) -> Hop<'b> {
        let protection = if self.tls.is_some() { Protection::Verified } else { Protection::Clear };
        Hop { to, protection, is_local: is_local(&self.host), remedy: self.remedy }
    }

    /// Checks TLS, if there is to be any.
    async fn check(&self) -> Result<(), RemoteFault> {
        let Some(tls) = self.tls else { return Ok(()) };
        let (name, setting) = (self.name, self.setting);
        tls.check(self.greeting).await.map_err(|cause| RemoteFault { name, setting, cause })
    }
}
