//! The settings of a server: addresses, origins, proxies, limits.

use std::net::SocketAddr;

use shared::{
    config::{Reader, Setting, Vars, switch},
    trusted_origin::TrustedOrigin,
};

use crate::{
    admission::limits::Limits,
    allowed_headers::{AllowedHeaders, CORS_ALLOWED_HEADERS},
    proxies::Proxies,
    tls::Tls,
};

shared::settings! {
    /// The settings of a server that are read here, but for its addresses.
    pub const SETTINGS: "Server";

    REFLECTION: bool = Setting::new("on", switch), "gRPC server reflection";
}

/// `GRPC_ADDR` and `HTTP_ADDR`, with the defaults of a program.
pub struct Addresses {
    /// The gRPC port.
    pub grpc: Setting<SocketAddr>,
    /// The HTTP port; `None`: there is none.
    pub http: Setting<Option<SocketAddr>>,
}

impl Addresses {
    /// The settings with these defaults.
    #[must_use]
    pub const fn by_default(grpc: &'static str, http: &'static str) -> Self {
        let grpc = Setting::new(grpc, grpc_addr);
        let http = Setting::new(http, http_addr);
        Self {
            grpc: grpc.named("GRPC_ADDR", "Server", "address and port of gRPC"),
            http: http.named("HTTP_ADDR", "Server", "address and port of HTTP, or `off`"),
        }
    }
}

/// The settings of a server: addresses, origins, proxies, limits.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address of the gRPC port; port 0 takes a free one.
    pub grpc_addr: SocketAddr,
    /// The address of the HTTP port; `None`: there is none.
    pub http_addr: Option<SocketAddr>,
    /// The origins whose pages may call from a browser.
    pub trusted_origins: Vec<TrustedOrigin>,
    /// The request headers that these pages may send.
    pub allowed_headers: AllowedHeaders,
    /// The proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Proxies,
    /// The TLS of both ports; `None`: they are in clear.
    pub tls: Option<Tls>,
    /// Whether server reflection is on.
    pub reflection: bool,
    /// The limits of calls, connections and times.
    pub limits: Limits,
}

impl Settings {
    /// Reads `GRPC_ADDR`, `HTTP_ADDR`, `TRUSTED_ORIGINS`, `CORS_ALLOWED_HEADERS`, `TRUSTED_PROXIES`,
    /// `REFLECTION`, the settings of [`Tls`] and the [`Limits`].
    pub fn read(reader: &mut Reader<'_, impl Vars>, addresses: &Addresses) -> Self {
        Self {
            grpc_addr: reader.get(&addresses.grpc),
            http_addr: reader.get(&addresses.http),
            trusted_origins: TrustedOrigin::read_all(reader),
            allowed_headers: reader.get(&CORS_ALLOWED_HEADERS),
            trusted_proxies: Proxies::read(reader),
            tls: Tls::read(reader),
            reflection: reader.get(&REFLECTION),
            limits: Limits::read(reader),
        }
    }
}

fn grpc_addr(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "must be an address such as `127.0.0.1:50051`".to_owned())
}

fn http_addr(text: &str) -> Result<Option<SocketAddr>, String> {
    match text {
        "off" => Ok(None),
        _ => text.parse().map(Some).map_err(|_| {
            "must be an address such as `127.0.0.1:8000`, or `off` for no HTTP port".to_owned()
        }),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(vars: &[(&'static str, &str)]) -> Result<Settings, shared::config::Faults> {
        let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let mut reader = Reader::new(&vars);
        let any = Addresses::by_default("127.0.0.1:0", "127.0.0.1:0");
        let settings = Settings::read(&mut reader, &any);
        reader.finish(Some(settings))
    }

    #[test]
    fn the_http_port_has_a_default_can_be_moved_and_switched_off() {
        assert!(read(&[]).expect("settings").http_addr.is_some());
        assert_eq!(read(&[("HTTP_ADDR", "off")]).expect("settings").http_addr, None);
        let moved = read(&[("HTTP_ADDR", "0.0.0.0:80")]).expect("settings").http_addr;
        assert_eq!(moved, Some(SocketAddr::from(([0, 0, 0, 0], 80))));
        assert!(read(&[("HTTP_ADDR", "none")]).is_err());
    }

    #[test]
    fn origins_are_listed_one_by_one() {
        let origins = |text: &str| {
            let settings = read(&[("TRUSTED_ORIGINS", text)])?;
            Ok(settings.trusted_origins.iter().map(|origin| origin.as_str().to_owned()).collect())
        };
        let listed: Result<Vec<_>, shared::config::Faults> =
            origins("https://a.example, http://localhost:3000/,");
        assert_eq!(listed.expect("origins"), ["https://a.example", "http://localhost:3000"]);
        for bad in ["*", "https://*.com", "https://a.example, null"] {
            assert!(origins(bad).is_err(), "{bad}");
        }
        let default = read(&[]).expect("settings").trusted_origins;
        assert_eq!(default, [TrustedOrigin::parse("http://localhost:3000").expect("an origin")]);
    }
}
