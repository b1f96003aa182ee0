//! The address of task-service.

use http::Uri;
use shared::address::Address;

/// The address of task-service, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskServiceAddress {
    /// No task-service.
    Off,
    /// At this address, without a path.
    At(Uri),
    /// In this process, over the loopback channel.
    Loopback,
}

impl TaskServiceAddress {
    /// `off`, or `http://host:port`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let address = Address::parse(text, &["http"]).and_then(Address::bare);
        address
            .map_err(|fault| fault.to_string())
            .and_then(|_| text.parse().map(Self::At).map_err(|_| "it is no address".to_owned()))
            .map_err(|fault| {
                format!("must be `http://host:port` without a path, or `off`: {fault}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_plain_http_without_a_path_or_off() {
        assert_eq!(TaskServiceAddress::parse("off"), Ok(TaskServiceAddress::Off));
        for good in ["http://127.0.0.1:50052", "http://task-service:50052/", "http://[::1]:50052"] {
            let parsed = TaskServiceAddress::parse(good);
            assert!(matches!(parsed, Ok(TaskServiceAddress::At(_))), "{good}");
        }
        for bad in [
            "",
            "on",
            "task-service:50052",
            "127.0.0.1:50052",
            "https://task-service:50052",
            "http://",
            "http://ada:secret@task-service",
            "http://task-service/path",
            "http://task-service?query",
            "http://task-service#fragment",
            "http://task-service:",
            "http://task-service:*",
            "http://task-service:grpc",
            "http://task-service:050052",
            "http://task-service:0",
            "http://task service",
            "grpc://task-service",
        ] {
            assert!(TaskServiceAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
