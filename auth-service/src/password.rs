//! Passwords: what may become one, and how one is kept.
//!
//! The stored form is Better Auth's, so that both servers can share a database:
//! `<salt>:<key>`, the salt 32 hex characters whose ASCII bytes are the salt, the key the
//! 64 bytes of scrypt (N = 2^14, r = 16, p = 1) in hex, the password normalised to NFKC.

use scrypt::{Params, scrypt};
use shared::config::{Reader, Vars};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The longest password, in UTF-16 code units, which is how Better Auth counts.
const MAX_UNITS: usize = 128;

/// The shortest new password where no other is set, and the shortest that can be.
const MIN_LENGTH: u32 = 8;

/// An attacker with a list of common passwords gets this far in minutes, online.
const COMMON_GUESSES: u64 = 100_000;

/// A longer password is no easier to guess than its beginning, and judging takes time.
const JUDGED_CHARS: usize = 24;

/// A password as somebody typed it, wiped from memory when dropped. It has no `Debug`.
pub struct Password(Zeroizing<String>);

/// A password that is long enough to become one. Only [`PasswordRules`] makes one, and nothing
/// else becomes a password.
pub struct NewPassword(Password);

/// What the operator asks of new passwords.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules {
    /// The shortest, in UTF-16 code units.
    pub min_length: usize,
}

/// Why a text cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Nothing was sent.
    #[error("must not be empty")]
    Empty,
    /// Under the configured minimum.
    #[error("must have at least {0} characters")]
    Short(usize),
    /// Over 128 characters.
    #[error("must have at most 128 characters")]
    Long,
    /// Among the first that anybody would try.
    #[error("is among the most common passwords or is the account's own name")]
    Common,
}

/// scrypt refused its parameters. They are constants it accepts, but a key that was never
/// derived must not be taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key can be derived")]
pub struct Underivable;

impl Default for PasswordRules {
    fn default() -> Self {
        Self { min_length: MIN_LENGTH as usize }
    }
}

impl PasswordRules {
    /// Reads `PASSWORD_MIN_LENGTH`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        let least = reader.number("PASSWORD_MIN_LENGTH", MIN_LENGTH, MIN_LENGTH, 128);
        Self { min_length: least as usize }
    }

    /// Takes what is to become a password, as far as its length decides.
    pub fn choose(self, text: String) -> Result<NewPassword, PasswordFault> {
        let password = Password(Zeroizing::new(text));
        match password.units() {
            units if units < self.min_length => Err(PasswordFault::Short(self.min_length)),
            units if units > MAX_UNITS => Err(PasswordFault::Long),
            _ => Ok(NewPassword(password)),
        }
    }
}

impl From<NewPassword> for Password {
    fn from(NewPassword(password): NewPassword) -> Self {
        password
    }
}

impl Password {
    /// Takes what somebody offers as a password that exists: any text up to the limit.
    pub fn offered(text: String) -> Result<Self, PasswordFault> {
        let password = Self(Zeroizing::new(text));
        match password.units() {
            0 => Err(PasswordFault::Empty),
            units if units > MAX_UNITS => Err(PasswordFault::Long),
            _ => Ok(password),
        }
    }

    /// Whether it is among the most common ones, a small change of one, or made of
    /// `hints`, which are what everybody knows about the account. Takes milliseconds.
    pub fn is_common(&self, hints: &[&str]) -> bool {
        let beginning: Zeroizing<String> =
            Zeroizing::new(self.0.nfkc().take(JUDGED_CHARS).collect());
        zxcvbn::zxcvbn(&beginning, hints).guesses() <= COMMON_GUESSES
    }

    /// The stored form under `salt`. Takes about 80 ms and 32 MiB.
    pub fn hash(&self, salt: [u8; 16]) -> Result<String, Underivable> {
        let salt = hex(&salt);
        let key = self.derive(&salt)?;
        Ok(format!("{salt}:{}", hex(key.as_slice())))
    }

    /// Whether `stored` was made from this password, compared in constant time. Where
    /// nothing is stored, or not in this form, the answer is no and takes as long.
    pub fn matches(&self, stored: Option<&str>) -> bool {
        const NOBODY: (&str, &str) = ("6e6f626f6479206861732074686973", "");
        let parts = stored.and_then(|stored| stored.split_once(':'));
        let well_formed = parts.filter(|(salt, key)| !salt.is_empty() && key.len() == 128);
        let (salt, key) = well_formed.unwrap_or(NOBODY);
        let Ok(derived) = self.derive(salt) else { return false };
        let derived = Zeroizing::new(hex(derived.as_slice()));
        let differing = derived.bytes().zip(key.bytes()).fold(0, |d, (a, b)| d | (a ^ b));
        well_formed.is_some() && std::hint::black_box(differing) == 0
    }

    fn derive(&self, salt: &str) -> Result<Zeroizing<[u8; 64]>, Underivable> {
        let normal: Zeroizing<String> = Zeroizing::new(self.0.nfkc().collect());
        let mut key = Zeroizing::new([0; 64]);
        let params = Params::new(14, 16, 1).map_err(|_| Underivable)?;
        scrypt(normal.as_bytes(), salt.as_bytes(), &params, key.as_mut())
            .map_err(|_| Underivable)?;
        Ok(key)
    }

    fn units(&self) -> usize {
        self.0.encode_utf16().count()
    }
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

    fn offered(text: &str) -> Password {
        Password::offered(text.to_owned()).expect("a password")
    }

    /// Made by Better Auth's own hash function on Node.
    #[test]
    fn hashes_are_better_auths_to_the_byte() {
        for (password, key) in [
            (
                "correct horse",
                "9372e2d20f7c9ba55e54d10569dfe24824c5765383f46b040e9ac7b33041339c\
                 514173900cb63a37c935c0e2f40cfe2cb39bee5fe58f54715c1fd913c4638373",
            ),
            (
                "пароль-пароль",
                "4292687d6706f3f1f4113d664dd34c3ec799ae26f5d1f44b3c5b559b51da2ab1\
                 3ded59415727414ba40b7867d156de142eacf46c9640c7fe5fb90a976c9e49e6",
            ),
            (
                "\u{fb01}ancé\u{2460}",
                "8f33eb1d22d0315b2e1ff67397ae5c03aae0a2c0d79968785c3468065f06c3d6\
                 d6eceff8ad34b2cca1f44f6bf84ff3c25489ab537b183bc4bfde8976b844f55a",
            ),
        ] {
            let stored = format!("000102030405060708090a0b0c0d0e0f:{key}");
            assert_eq!(offered(password).hash(SALT), Ok(stored.clone()), "{password}");
            assert!(offered(password).matches(Some(&stored)), "{password}");
            assert!(!offered("Correct horse").matches(Some(&stored)), "{password}");
        }
    }

    #[test]
    fn what_is_not_a_hash_matches_nothing() {
        let hash = offered("correct horse").hash(SALT).expect("a hash");
        for stored in [
            None,
            Some(""),
            Some(":"),
            Some("correct horse"),
            Some("correct horse:"),
            Some("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA"),
            Some(&hash[..160]),
            Some(&hash[33..]),
            Some("6e6f626f6479206861732074686973:"),
        ] {
            assert!(!offered("correct horse").matches(stored), "{stored:?}");
        }
    }

    #[test]
    fn length_is_counted_in_utf_16_units_and_nothing_is_trimmed() {
        let chosen = |text: &str| PasswordRules { min_length: 8 }.choose(text.to_owned()).err();
        assert_eq!(chosen("1234567"), Some(PasswordFault::Short(8)));
        assert_eq!(chosen("😀😀😀"), Some(PasswordFault::Short(8)));
        assert_eq!(chosen("😀😀😀😀"), None);
        assert_eq!(chosen("        "), None);
        assert_eq!(chosen(&"x".repeat(128)), None);
        assert_eq!(chosen(&"x".repeat(129)), Some(PasswordFault::Long));
        let offered = |text: &str| Password::offered(text.to_owned()).err();
        assert_eq!(offered(""), Some(PasswordFault::Empty));
        assert_eq!(offered("x"), None);
        assert_eq!(offered(&"😀".repeat(65)), Some(PasswordFault::Long));
    }

    #[test]
    fn common_passwords_and_the_accounts_own_names_are_recognised() {
        let hints = ["ada.lovelace@example.com", "ada.lovelace", "Ada Lovelace"];
        for common in [
            "password",
            "12345678",
            "qwertyuiop",
            "iloveyou1",
            "P@ssw0rd",
            "Password1!",
            "1q2w3e4r5t",
            "aaaaaaaa",
            "ｐａｓｓｗｏｒｄ",
            "letmein123",
            "sunshine",
            "ada.lovelace",
            "trustno1",
        ] {
            assert!(offered(common).is_common(&hints), "{common}");
        }
        for good in ["correct horse", "tulips and rain", "x7Kq9mPz", "пароль-пароль"] {
            assert!(!offered(good).is_common(&hints), "{good}");
        }
    }

    #[test]
    fn the_whole_password_counts() {
        let (one, other) = (format!("{}a", "x".repeat(72)), format!("{}b", "x".repeat(72)));
        assert!(!offered(&other).matches(Some(&offered(&one).hash(SALT).expect("a hash"))));
    }
}
