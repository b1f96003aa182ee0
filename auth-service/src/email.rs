//! E-mail addresses in canonical form.

use std::fmt;

/// A canonical e-mail address: trimmed, lower case, ASCII, at most 254 bytes. All spellings of an
/// address are equal. `Debug` hides it.
#[derive(Clone)]
pub struct Email {
    canonical: String,
    given: String,
}

/// The text is no e-mail address that this service accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be an e-mail address such as `ada@example.com`, at most 254 bytes")]
pub struct InvalidEmail;

impl Email {
    /// Accepts what Better Auth accepts: letters, digits and `_'+-.` before the `@`, without
    /// leading, double or trailing dots; dotted labels of letters, digits and hyphens after it,
    /// the last one of two letters or more.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > 254 || text.contains("..") {
            return Err(InvalidEmail);
        }
        let (local, domain) = text.split_once('@').ok_or(InvalidEmail)?;
        let (labels, top) = domain.rsplit_once('.').ok_or(InvalidEmail)?;
        let sound = is_local(local)
            && labels.split('.').all(is_label)
            && top.len() >= 2
            && top.bytes().all(|b| b.is_ascii_alphabetic());
        if !sound {
            return Err(InvalidEmail);
        }
        Ok(Self { canonical: text.to_ascii_lowercase(), given: text.to_owned() })
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.canonical
    }

    /// The address in its given case, for rows of other servers.
    pub fn as_given(&self) -> &str {
        &self.given
    }

    /// The local part, before the `@`.
    pub fn local_part(&self) -> &str {
        Self::local_part_of(&self.canonical)
    }

    /// The local part of a stored address.
    pub fn local_part_of(address: &str) -> &str {
        address.split('@').next().unwrap_or_default()
    }
}

impl PartialEq for Email {
    fn eq(&self, other: &Self) -> bool {
        self.canonical == other.canonical
    }
}

impl Eq for Email {}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(..)")
    }
}

fn is_local(local: &str) -> bool {
    let inside = |b: u8| b.is_ascii_alphanumeric() || b"_'+-.".contains(&b);
    let last = |b: u8| b.is_ascii_alphanumeric() || b"_+-".contains(&b);
    !local.starts_with('.')
        && local.bytes().all(inside)
        && local.bytes().next_back().is_some_and(last)
}

fn is_label(label: &str) -> bool {
    label.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric())
        && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_an_address_is_the_same_account() {
        for text in ["ada@example.com", "Ada@Example.COM", "  ada@example.com\n"] {
            assert_eq!(Email::parse(text).expect("an address").as_str(), "ada@example.com");
        }
        for text in ["a+b@x.io", "o'neil.x@mail.example.org", "a_b-c@a-1.b2.com", "1@2.cc"] {
            assert!(Email::parse(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn what_better_auth_refuses_is_refused() {
        let long = format!("{}@example.com", "a".repeat(250));
        for text in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@example",
            "ada@example.c",
            "ada@example.c0m",
            ".ada@example.com",
            "ada.@example.com",
            "a..b@example.com",
            "ada'@example.com",
            "ada@example..com",
            "ada@-x.com",
            "ada@.com",
            "a da@example.com",
            "a\0da@example.com",
            "ada@exämple.com",
            "ädа@example.com",
            "ada@a@b.com",
            "ada@example.com\u{200b}",
            &long,
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_never_printed() {
        let email = Email::parse("ada@example.com").expect("an address");
        assert_eq!(format!("{email:?}"), "Email(..)");
    }
}
