//! A signing secret: of checked strength, and never printed.

use zeroize::Zeroizing;

/// A shared secret of at least 32 bytes, wiped from memory when dropped. It has neither
/// `Debug` nor `Display` nor `Serialize`, so it cannot reach a log by accident.
pub struct Secret(Zeroizing<String>);

/// The reason why a text is no secret, without the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretFault {
    /// White space at either end, usually a line break from a file.
    #[error("has white space around it")]
    WhiteSpace,
    /// An HMAC key shorter than its digest is the weakest part of the token (RFC 7518
    /// section 3.2).
    #[error("is shorter than 32 bytes")]
    Short,
    /// Published as an example, so anyone can sign with it.
    #[error("is a known placeholder")]
    Placeholder,
    /// Fewer than eight different characters, or a repeated piece: typed, not random.
    #[error("repeats itself")]
    Repetitive,
    /// Quotes at both ends, which a shell or a file should have removed.
    #[error("is still in its quotes")]
    Quoted,
    /// Replaced bytes that are not UTF-8, so other secrets look the same.
    #[error("is not valid UTF-8")]
    NotText,
}

/// The parts that examples, templates and Better Auth's built-in default have in common, compared
/// by letters and digits, without case.
const PLACEHOLDERS: [&str; 16] = [
    "atleast32",
    "betterauthsecret",
    "changeme",
    "changethis",
    "examplesecret",
    "generateasecret",
    "insertsecret",
    "mysecretkey",
    "placeholder",
    "replaceme",
    "replacethis",
    "replacewith",
    "secretkey",
    "supersecret",
    "yourbetterauth",
    "yoursecret",
];

impl Secret {
    /// Parses `text` as a secret.
    pub fn parse(text: String) -> Result<Self, SecretFault> {
        let text = Zeroizing::new(text);
        if text.trim() != text.as_str() {
            return Err(SecretFault::WhiteSpace);
        }
        if text.len() < 32 {
            return Err(SecretFault::Short);
        }
        let plain: Zeroizing<String> = Zeroizing::new(
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase(),
        );
        if PLACEHOLDERS.iter().any(|known| plain.contains(known)) {
            return Err(SecretFault::Placeholder);
        }
        if text.contains('\u{fffd}') {
            return Err(SecretFault::NotText);
        }
        if text.starts_with(['"', '\'']) && text.ends_with(['"', '\'']) {
            return Err(SecretFault::Quoted);
        }
        let repeats = |unit: usize| text.bytes().zip(text.bytes().skip(unit)).all(|(a, b)| a == b);
        if (1..=text.len() / 2).any(repeats) {
            return Err(SecretFault::Repetitive);
        }
        let mut bytes: Zeroizing<Vec<u8>> = Zeroizing::new(text.bytes().collect());
        bytes.sort_unstable();
        bytes.dedup();
        if bytes.len() < 8 {
            return Err(SecretFault::Repetitive);
        }
        Ok(Self(text))
    }

    /// The key material, for a MAC and nothing else. Better Auth uses the UTF-8 bytes of
    /// the text as they are.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_secrets_are_refused_by_name_of_their_weakness() {
        for (text, fault) in [
            ("", SecretFault::Short),
            ("0b5f1c9e7a3d48626e2f9b04c7d1583", SecretFault::Short),
            (" 0b5f1c9e7a3d48626e2f9b04c7d1583a", SecretFault::WhiteSpace),
            ("0b5f1c9e7a3d48626e2f9b04c7d1583a\n", SecretFault::WhiteSpace),
            ("better-auth-secret-12345678901234567890", SecretFault::Placeholder),
            ("better-auth-secret-123456789-abcdefgh", SecretFault::Placeholder),
            ("your-secret-key-at-least-32-characters-long", SecretFault::Placeholder),
            ("CHANGE_ME_CHANGE_ME_CHANGE_ME_CHANGE_ME", SecretFault::Placeholder),
            ("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", SecretFault::Repetitive),
            ("12345678901234567890123456789012", SecretFault::Repetitive),
            ("abcabcabcdabcabcabcdabcabcabcdabcabcabcd", SecretFault::Repetitive),
            ("\"0b5f1c9e7a3d48626e2f9b04c7d1583a\"", SecretFault::Quoted),
            ("0b5f1c9e7a3d48626e2f9b04c7d1583\u{fffd}", SecretFault::NotText),
        ] {
            assert_eq!(Secret::parse(text.to_owned()).err(), Some(fault), "{text:?}");
        }
        for text in [
            "0b5f1c9e7a3d48626e2f9b04c7d1583a",
            "test-secret-0123456789-abcdefghijklmnop-XYZ",
            "пароль из восьми слов и ещё немного",
        ] {
            assert!(Secret::parse(text.to_owned()).is_ok(), "{text:?}");
        }
    }
}
