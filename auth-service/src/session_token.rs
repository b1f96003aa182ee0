//! Session tokens, and their form at rest.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use sha2::{Digest, Sha256};
use shared::auth::Keyring;
use zeroize::Zeroizing;

use crate::random;

/// A session token: 32 letters and digits. No `Debug`.
#[derive(Clone)]
pub struct SessionToken(Zeroizing<String>);

/// The form of session tokens in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtRest {
    /// SHA-256: a copy of the database opens no session.
    Hashed,
    /// Plain: needed while a Better Auth server shares the database.
    Plain,
}

impl SessionToken {
    /// A new token.
    pub fn generate() -> Result<Self, getrandom::Error> {
        random::id().map(|token| Self(Zeroizing::new(token)))
    }

    /// Reads a credential: the token, or its signed form `<token>.<signature>` as in Better
    /// Auth's cookie, percent-encoded or not. `None`: it cannot be a session token.
    ///
    /// Only 32 letters and digits pass: a stored hash, which is longer, is never accepted as a
    /// token.
    pub fn parse(credential: &str, keys: &Keyring) -> Option<Self> {
        let token = match credential.split_once('.') {
            None => credential,
            Some((token, signature)) => {
                keys.verifies(token, &url_safe(signature)?).then_some(token)?
            }
        };
        let fits = token.len() == 32 && token.bytes().all(|b| b.is_ascii_alphanumeric());
        fits.then(|| Self(Zeroizing::new(token.to_owned())))
    }

    /// The successors of this token: one for each secret, the one under the signing secret first.
    /// They are the same on every replica.
    ///
    /// A successor can be derived only with a secret, which could sign anything.
    pub fn successors(&self, keys: &Keyring) -> Vec<Self> {
        let message = Zeroizing::new(format!("session token successor 1\n{}", *self.0));
        keys.derive(message.as_bytes()).map(|seed| Self::grown_from(&seed)).collect()
    }

    fn grown_from(seed: &[u8; 32]) -> Self {
        let mut token = Zeroizing::new(String::with_capacity(32));
        for round in 0_u64.. {
            let block = Sha256::new().chain_update(seed).chain_update(round.to_be_bytes());
            let missing = 32 - token.len();
            token.extend(random::letters(&block.finalize()).take(missing));
            if token.len() == 32 {
                break;
            }
        }
        Self(token)
    }

    /// Whether `credential` is signed with a secret that no longer signs: it is renewed before
    /// that secret is removed.
    pub fn is_outdated(credential: &str, keys: &Keyring) -> bool {
        let parts = credential.split_once('.');
        let tagged = parts.and_then(|(token, signature)| Some((token, url_safe(signature)?)));
        tagged.is_some_and(|(token, tag)| !keys.is_current(token, &tag))
    }

    /// The token, to be sent to its client once.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// The signed form, as Better Auth's cookie holds it, not percent-encoded.
    pub fn signed(&self, keys: &Keyring) -> Option<Zeroizing<String>> {
        signed(&self.0, keys).map(Zeroizing::new)
    }

    /// The form that the database stores.
    pub fn at_rest(&self, form: AtRest) -> String {
        match form {
            AtRest::Hashed => hash(&self.0),
            AtRest::Plain => self.0.to_string(),
        }
    }

    /// The forms that the database may hold, whichever was configured when it was stored.
    pub fn stored_forms(&self) -> [String; 2] {
        stored_forms(&self.0)
    }
}

/// The stored forms of `given`: a token, or a handle, which is a stored form itself.
pub fn stored_forms(given: &str) -> [String; 2] {
    [hash(given), given.to_owned()]
}

/// `value` with its signature, as Better Auth writes a signed cookie: `<value>.<44
/// characters of padded base64>`. `None`: nothing can be signed.
pub fn signed(value: &str, keys: &Keyring) -> Option<String> {
    let tag = URL_SAFE_NO_PAD.decode(keys.sign(value)?).ok()?;
    Some(format!("{value}.{}", STANDARD.encode(tag)))
}

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(token.as_bytes()))
}

/// A signature as Better Auth writes it (44 characters of padded base64, or their
/// percent-encoding), in the alphabet that tokens use.
fn url_safe(signature: &str) -> Option<String> {
    let plain = signature.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    let plain = plain.replace("%2b", "+").replace("%2f", "/").replace("%3d", "=");
    STANDARD.decode(plain).ok().map(|tag| URL_SAFE_NO_PAD.encode(tag))
}

#[cfg(test)]
mod tests {
    use shared::auth::Secret;

    use super::*;

    /// Captured from a Better Auth 1.7.7 server with this secret.
    const SECRET: &str = "test-secret-0123456789-abcdefghijklmnop-XYZ";
    const TOKEN: &str = "49ykRdIIsLbCgHld3wXrT3CLFjwVbBKp";
    const SIGNATURE: &str = "H1En360jVSuHnTBBrZgC57TApXcc0q3UaC1z7ZiPyJo=";

    fn keys() -> Keyring {
        Keyring::new(&Secret::parse(SECRET.to_owned()).expect("strong"), &[])
    }

    fn parse(credential: &str) -> Option<String> {
        SessionToken::parse(credential, &keys()).map(|token| token.reveal().to_owned())
    }

    #[test]
    fn raw_and_signed_tokens_of_better_auth_are_read() {
        let encoded = SIGNATURE.replace('=', "%3D");
        for credential in
            [TOKEN.to_owned(), format!("{TOKEN}.{SIGNATURE}"), format!("{TOKEN}.{encoded}")]
        {
            assert_eq!(parse(&credential).as_deref(), Some(TOKEN), "{credential}");
        }
    }

    #[test]
    fn what_is_signed_here_is_what_better_auth_signs() {
        let token = SessionToken::parse(TOKEN, &keys()).expect("a token");
        let signed_token = token.signed(&keys()).expect("signs");
        assert_eq!(*signed_token, format!("{TOKEN}.{SIGNATURE}"));
        assert_eq!(parse(&signed_token).as_deref(), Some(TOKEN));
        let dont_remember = signed("true", &keys()).expect("signs");
        assert_eq!(dont_remember, "true.AUv3VTBi0CnXIgBBtTGNWRs5BRduK9gZAOpFZvFmfm4=");
    }

    #[test]
    fn a_successor_is_the_same_wherever_it_is_asked_for_and_differs_by_token_and_secret() {
        let token = SessionToken::parse(TOKEN, &keys()).expect("a token");
        let old = Secret::parse("old-5a7d3e9b1c0f46288c1e07d2f4b39a65".to_owned()).expect("strong");
        let new = Secret::parse(SECRET.to_owned()).expect("strong");
        let text = |token: &SessionToken| token.reveal().to_owned();
        let under = |keys: &Keyring| token.successors(keys).iter().map(text).collect::<Vec<_>>();
        let [one, two] = &under(&Keyring::new(&new, std::slice::from_ref(&old)))[..] else {
            panic!("one a secret");
        };
        assert_ne!(one, two);
        assert_eq!(under(&keys()), [one.as_str()]);
        assert_eq!(under(&Keyring::new(&old, &[new])), [two.as_str(), one]);
        let next = SessionToken::parse(one, &keys()).expect("fits a token");
        assert_ne!(text(&next.successors(&keys())[0]), TOKEN);
    }

    /// 64 000 characters: each of the 62 about 1032 times. Chance alone stays within ten
    /// standard deviations; the usual shortcut, a byte modulo 62, would not.
    #[test]
    fn the_letters_of_successors_are_equally_likely() {
        let keys = keys();
        let mut counts = std::collections::HashMap::new();
        let mut token = SessionToken::parse(TOKEN, &keys).expect("a token");
        for _ in 0..2000 {
            token = token.successors(&keys).remove(0);
            for letter in token.reveal().chars() {
                *counts.entry(letter).or_insert(0_u32) += 1;
            }
        }
        assert_eq!(counts.len(), 62);
        assert!(counts.values().all(|count| (880..1190).contains(count)), "{counts:?}");
    }

    #[test]
    fn what_an_older_secret_signed_is_read_and_outdated() {
        let old = Secret::parse("old-5a7d3e9b1c0f46288c1e07d2f4b39a65".to_owned()).expect("strong");
        let before = Keyring::new(&old, &[]);
        let new = Secret::parse(SECRET.to_owned()).expect("strong");
        let between = Keyring::new(&new, &[old]);
        let token = SessionToken::parse(TOKEN, &before).expect("a token");
        let aged = token.signed(&before).expect("signs");
        assert!(SessionToken::parse(&aged, &between).is_some());
        assert!(SessionToken::parse(&aged, &keys()).is_none());
        assert!(SessionToken::is_outdated(&aged, &between));
        assert!(!SessionToken::is_outdated(&aged, &before));
        for current in [TOKEN.to_owned(), token.signed(&between).expect("signs").to_string()] {
            assert!(!SessionToken::is_outdated(&current, &between), "{current}");
        }
    }

    #[test]
    fn a_wrong_signature_or_shape_is_no_token() {
        let swapped = SIGNATURE.replace('H', "I");
        for credential in [
            String::new(),
            TOKEN[1..].to_owned(),
            format!("{TOKEN}x"),
            format!("{TOKEN}."),
            format!("{TOKEN}.{swapped}"),
            format!("{TOKEN}.{}", &SIGNATURE[..43]),
            format!("{}.{SIGNATURE}", TOKEN.to_lowercase()),
            format!("{TOKEN}.{SIGNATURE}.{SIGNATURE}"),
            TOKEN.replace('4', "-"),
        ] {
            assert_eq!(parse(&credential), None, "{credential}");
        }
    }

    #[test]
    fn what_the_database_holds_is_not_accepted_as_a_token() {
        let token = SessionToken::generate().expect("randomness");
        let stored = token.at_rest(AtRest::Hashed);
        assert_eq!(stored.len(), 43);
        assert_ne!(stored, token.reveal());
        assert_eq!(parse(&stored), None);
        assert_eq!(token.at_rest(AtRest::Plain), token.reveal());
    }
}
