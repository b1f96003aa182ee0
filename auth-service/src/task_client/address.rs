//! The address of task-service.

use std::path::PathBuf;

use http::Uri;
use server::tls::{RemoteSettings, RemoteTls, file};
use shared::{
    address::Address,
    config::{Reader, Setting, Vars},
};

shared::settings! {
    /// The settings of a service without the tasks in its own process.
    pub const SETTINGS: "Accounts and sessions";

    TASK_SERVICE_URL: Option<Uri> = Setting::new("http://127.0.0.1:50052", parse),
        "task-service's gRPC port, for erasure and export: `http://…`, `https://…` or `off`";
    TASK_SERVICE_CA_FILE: Option<PathBuf> = file("the system's"),
        "authorities (PEM) of a task-service with TLS";
    TASK_SERVICE_CERT_FILE: Option<PathBuf> = file("none"),
        "certificate chain (PEM) that is shown to a task-service with TLS";
    TASK_SERVICE_KEY_FILE: Option<PathBuf> = file("none"),
        "private key (PEM) of that certificate";
}

const TLS: RemoteSettings = RemoteSettings {
    authorities: TASK_SERVICE_CA_FILE,
    chain: TASK_SERVICE_CERT_FILE,
    key: TASK_SERVICE_KEY_FILE,
    needs: "needs an `https://…` in TASK_SERVICE_URL",
};

/// The protocol of gRPC by ALPN.
const HTTP2: &[u8] = b"h2";

/// The address of task-service, if there is one.
#[derive(Clone, Debug)]
pub enum TaskServiceAddress {
    /// No task-service.
    Off,
    /// In clear at this address, without a path.
    Clear(Uri),
    /// Over TLS at this address, without a path.
    Tls(Uri, RemoteTls),
    /// In this process, over the loopback channel.
    Loopback,
}

impl TaskServiceAddress {
    /// Reads `TASK_SERVICE_URL` and the files of its TLS.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let address = reader.get(&TASK_SERVICE_URL);
        let secure = address.as_ref().filter(|uri| uri.scheme_str() == Some("https"));
        let server = secure.and_then(|uri| Some((uri.host()?, uri.port_u16().unwrap_or(443))));
        let tls = RemoteTls::read(reader, &TLS, server, Some(HTTP2));
        match (address, tls) {
            (Some(uri), Some(tls)) => Self::Tls(uri, tls),
            (Some(uri), None) if uri.scheme_str() == Some("http") => Self::Clear(uri),
            // Where TLS is asked for and cannot be, that is a fault.
            _ => Self::Off,
        }
    }
}

/// `off`, or an address without a path.
fn parse(text: &str) -> Result<Option<Uri>, String> {
    if text == "off" {
        return Ok(None);
    }
    let address = Address::parse(text, &["http", "https"]).and_then(Address::bare);
    address
        .map_err(|fault| fault.to_string())
        .and_then(|_| text.parse().map(Some).map_err(|_| "it is no address".to_owned()))
        .map_err(|fault| {
            format!("must be `http://host:port` or `https://host:port` without a path, or `off`: {fault}")
        })
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn an_address_is_http_or_https_without_a_path_or_off() {
        assert!(matches!(parse("off"), Ok(None)));
        for good in [
            "http://127.0.0.1:50052",
            "http://task-service:50052/",
            "http://[::1]:50052",
            "https://task-service:50052",
            "https://tasks.internal",
        ] {
            assert!(matches!(parse(good), Ok(Some(_))), "{good}");
        }
        for bad in [
            "",
            "on",
            "task-service:50052",
            "127.0.0.1:50052",
            "http://",
            "http://ada:secret@task-service",
            "http://task-service/path",
            "https://task-service?query",
            "http://task-service#fragment",
            "http://task-service:",
            "http://task-service:*",
            "http://task-service:grpc",
            "http://task-service:050052",
            "http://task-service:0",
            "http://task service",
            "grpc://task-service",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_with_tls_is_never_used_without() {
        for (url, file, faults) in [
            ("http://tasks:1", None, None),
            ("https://tasks:1", Some("/missing"), Some("TASK_SERVICE_CA_FILE cannot be read")),
            ("http://tasks:1", Some("/missing"), Some("TASK_SERVICE_CA_FILE needs an `https://…`")),
        ] {
            let mut vars = HashMap::from([("TASK_SERVICE_URL", url.to_owned())]);
            vars.extend(file.map(|file| ("TASK_SERVICE_CA_FILE", file.to_owned())));
            let mut reader = Reader::new(&vars);
            let address = TaskServiceAddress::read(&mut reader);
            let is_clear = matches!(address, TaskServiceAddress::Clear(_));
            assert_eq!(is_clear, url.starts_with("http:"), "{url}");
            let fault = reader.finish(Some(())).err().map(|faults| faults.to_string());
            assert_eq!(fault.is_some(), faults.is_some(), "{fault:?}");
            assert!(fault.unwrap_or_default().starts_with(faults.unwrap_or_default()));
        }
    }
}
