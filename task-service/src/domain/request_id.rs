//! The idempotency key of a call, chosen by the client.

/// An idempotency key: 1 to 128 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

/// The error of an invalid idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 128 visible ASCII characters")]
pub struct InvalidRequestId;

impl RequestId {
    /// Parses 1 to 128 visible ASCII characters.
    pub fn parse(text: String) -> Result<Self, InvalidRequestId> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if (1..=128).contains(&text.len()) && visible {
            Ok(Self(text))
        } else {
            Err(InvalidRequestId)
        }
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_visible_ascii_of_bounded_length() {
        for good in ["a", "~!", "3f2b-7c", &"x".repeat(128)] {
            assert_eq!(RequestId::parse(good.into()).expect("a key").as_str(), good);
        }
        for bad in ["", " ", "a b", "a\n", "\u{7f}", "é", &"x".repeat(129)] {
            assert_eq!(RequestId::parse(bad.into()), Err(InvalidRequestId), "{bad:?}");
        }
    }
}
