//! Where task-service is.

use http::{Uri, uri::PathAndQuery};

/// The address of task-service, if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskServiceAddress {
    /// Nowhere: what goes on with tasks is not this service's business.
    Off,
    /// At this address, without a path.
    At(Uri),
    /// In this process, on its own port.
    Here,
}

impl TaskServiceAddress {
    /// `off`, or `http://host:port`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        let plain = |uri: &Uri| {
            uri.scheme_str() == Some("http")
                && uri.host().is_some_and(|host| !host.is_empty())
                && uri.authority().is_some_and(|authority| !authority.as_str().contains('@'))
                && matches!(uri.path_and_query().map(PathAndQuery::as_str), None | Some("" | "/"))
        };
        let uri = text.parse::<Uri>().ok().filter(plain);
        uri.map(Self::At)
            .ok_or_else(|| "must be `http://host:port` without a path, or `off`".to_owned())
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
            "grpc://task-service",
        ] {
            assert!(TaskServiceAddress::parse(bad).is_err(), "{bad}");
        }
    }
}
