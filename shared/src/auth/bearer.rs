//! `authorization: Bearer <credential>` (RFC 6750 section 2.1).

use http::{HeaderMap, header::AUTHORIZATION};

use super::Refusal;

/// The credential of a call or request: exactly one `authorization` value, the scheme in any
/// case, one or more spaces, then visible characters that a token or its percent-encoding can
/// have. No other location is checked.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = match (values.next(), values.next()) {
        (None, _) => return Err(Refusal::MissingToken),
        (Some(only), None) => only.to_str().map_err(|_| Refusal::InvalidHeaderFormat)?,
        (Some(_), Some(_)) => return Err(Refusal::InvalidHeaderFormat),
    };
    let (scheme, credential) = value.split_once(' ').ok_or(Refusal::InvalidHeaderFormat)?;
    let credential = credential.trim_start_matches(' ');
    let is_token = !credential.is_empty()
        && credential.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/=%".contains(&b));
    if scheme.eq_ignore_ascii_case("bearer") && is_token {
        Ok(credential)
    } else {
        Err(Refusal::InvalidHeaderFormat)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(values: &[&str]) -> HeaderMap {
        let mut metadata = HeaderMap::new();
        for value in values {
            metadata.append(AUTHORIZATION, value.parse().expect("a header value"));
        }
        metadata
    }

    #[test]
    fn one_bearer_value_passes_in_any_case_and_with_any_spaces() {
        for value in ["Bearer a.b-c_d", "bearer a.b-c_d", "BEARER   a.b-c_d"] {
            assert_eq!(bearer(&metadata(&[value])), Ok("a.b-c_d"), "{value:?}");
        }
        assert_eq!(bearer(&metadata(&["Bearer tok.s/g+n=%3D"])), Ok("tok.s/g+n=%3D"));
    }

    #[test]
    fn anything_else_in_the_header_is_refused() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "a.b.c",
            "Basic YTpi",
            "Bearer a b",
            "Bearer a,b",
            "Bearer \"a\"",
            "Bearer\ta",
            " Bearer a",
            "Bearer a ",
            "Bearer a\t",
            "Token a",
            "Bearer: a",
            "BearerX a",
        ] {
            assert_eq!(bearer(&metadata(&[value])), Err(Refusal::InvalidHeaderFormat), "{value:?}");
        }
    }

    #[test]
    fn there_is_exactly_one_and_it_is_in_authorization() {
        assert_eq!(bearer(&HeaderMap::new()), Err(Refusal::MissingToken));
        let twice = metadata(&["Bearer a", "Bearer a"]);
        assert_eq!(bearer(&twice), Err(Refusal::InvalidHeaderFormat));
        let mut elsewhere = HeaderMap::new();
        for name in ["x-authorization", "proxy-authorization", "cookie", "token", "access_token"] {
            elsewhere.insert(name, "Bearer a".parse().expect("a header value"));
        }
        elsewhere.insert("authorization-bin", "QmVhcmVyIGE".parse().expect("a header value"));
        assert_eq!(bearer(&elsewhere), Err(Refusal::MissingToken));
    }
}
