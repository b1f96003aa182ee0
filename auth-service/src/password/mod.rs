//! Passwords: the rules for new ones, and the stored hash.
//!
//! The stored hash has Better Auth's form, so that both servers can share a database:
//! `<salt>:<key>`, the salt 32 hex characters whose ASCII bytes are the salt, the key the 64
//! bytes of scrypt (N = 2^14, r = 16, p = 1) in hex, the password normalised to NFKC.

pub mod hashing;

use scrypt::{Params, scrypt};
use shared::config::{Reader, Setting, Unset, Vars, number};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

/// The longest password, in UTF-16 code units as in Better Auth.
const MAX_UNITS: usize = 128;

shared::settings! {
    /// The setting of new passwords.
    pub const SETTINGS: "Accounts and sessions";

    PASSWORD_MIN_LENGTH: usize = Setting::new("8", |text| number(text, 8..=MAX_UNITS)),
        "the shortest new password, in UTF-16 code units";
}

/// How many guesses a password must resist: as many as an online attacker makes in minutes.
const COMMON_GUESSES: u64 = 100_000;

/// How many characters are rated: a longer password is no easier to guess than its beginning, and
/// rating takes time.
const RATED_CHARS: usize = 24;

/// A password as the user typed it, wiped from memory when dropped. No `Debug`.
pub struct Password(Zeroizing<String>);

/// A new password that meets the length rules. Only [`PasswordRules`] makes one.
pub struct NewPassword(Password);

/// The rules for new passwords.
#[derive(Clone, Copy, Debug)]
pub struct PasswordRules {
    /// The shortest, in UTF-16 code units.
    pub min_length: usize,
}

/// Why a text cannot be a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordFault {
    /// Empty.
    #[error("must not be empty")]
    Empty,
    /// Under the configured minimum.
    #[error("must have at least {0} characters")]
    Short(usize),
    /// Over 128 characters.
    #[error("must have at most 128 characters")]
    Long,
    /// A common password.
    #[error("is among the most common passwords or is the account's own name")]
    Common,
}

/// scrypt refused its parameters. They are constants that it accepts, but a key that was not
/// derived must not pass for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no key can be derived")]
pub struct Underivable;

impl Default for PasswordRules {
    fn default() -> Self {
        Self::read(&mut Reader::new(&Unset))
    }
}

impl PasswordRules {
    /// Reads `PASSWORD_MIN_LENGTH`.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Self {
        Self { min_length: reader.get(&PASSWORD_MIN_LENGTH) }
    }

    /// Checks the length of a new password.
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
    /// A password to check: any text up to the limit.
    pub fn parse(text: String) -> Result<Self, PasswordFault> {
        let password = Self(Zeroizing::new(text));
        match password.units() {
            0 => Err(PasswordFault::Empty),
            units if units > MAX_UNITS => Err(PasswordFault::Long),
            _ => Ok(password),
        }
    }

    /// Whether the password is common, a small change of a common one, or made of `hints`, the
    /// public facts about the account. Takes milliseconds.
    pub fn is_common(&self, hints: &[&str]) -> bool {
        let beginning: Zeroizing<String> =
            Zeroizing::new(self.0.nfkc().take(RATED_CHARS).collect());
        zxcvbn::zxcvbn(&beginning, hints).guesses() <= COMMON_GUESSES
    }

    /// The stored hash under `salt`. Takes about 80 ms and 32 MiB.
    pub fn hash(&self, salt: [u8; 16]) -> Result<String, Underivable> {
        let salt = hex(&salt);
        let key = self.derive(&salt)?;
        Ok(format!("{salt}:{}", hex(key.as_slice())))
    }

    /// Whether `stored` is the hash of this password, compared in constant time. A missing or
    /// malformed hash takes as long.
    pub fn matches(&self, stored: Option<&str>) -> bool {
        const DUMMY: (&str, &str) = ("6e6f626f6479206861732074686973", "");
        let parts = stored.and_then(|stored| stored.split_once(':'));
        let well_formed = parts.filter(|(salt, key)| !salt.is_empty() && key.len() == 128);
        let (salt, key) = well_formed.unwrap_or(DUMMY);
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
        Password::parse(text.to_owned()).expect("a password")
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
        let offered = |text: &str| Password::parse(text.to_owned()).err();
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
