//! The keyring: the secrets of a process. The first signs, all verify, so that a secret can be
//! rotated without refusing valid tokens.

use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::{
    Refusal, Secret,
    hs256::{self, Hs256},
};
use crate::config::{Reader, Setting, Vars};

crate::settings! {
    /// The settings of secrets.
    pub const SETTINGS: "Tokens";

    pub BETTER_AUTH_SECRET: Option<String> = Setting::text("required"),
        "signs and verifies tokens, at least 32 random bytes";
    pub BETTER_AUTH_SECRETS: Option<String> = Setting::text("none"),
        "several secrets with versions, for rotation: the first signs, all verify";
}

const REMEDY: &str =
    "set at least 32 random characters, for example from `openssl rand -base64 32`";

/// One or more secrets. Holds no text that could be printed but the key ids.
pub struct Keyring {
    signing: EncodingKey,
    keys: Vec<Key>,
    /// Whether the secret was configured.
    is_configured: bool,
}

struct Key {
    id: String,
    /// `None` where no MAC takes the key.
    mac: Option<Hs256>,
}

impl Keyring {
    /// Signs with `first`, verifies with `first` and `others`, in this order.
    #[must_use]
    pub fn new(first: &Secret, others: &[Secret]) -> Self {
        Self::of_bytes(first.bytes(), others.iter().map(Secret::bytes))
    }

    /// As [`Keyring::new`], for keys whose strength was checked elsewhere.
    pub(super) fn of_bytes<'a>(first: &'a [u8], others: impl Iterator<Item = &'a [u8]>) -> Self {
        hs256::install();
        let key = |secret| Key { id: key_id(secret), mac: Hs256::under(secret) };
        Self {
            signing: EncodingKey::from_secret(first),
            keys: std::iter::once(first).chain(others).map(key).collect(),
            is_configured: true,
        }
    }

    /// A random secret, so that nothing verifies. `None`: the system has no random numbers.
    pub(super) fn random() -> Option<Self> {
        let mut secret = Zeroizing::new([0; 32]);
        getrandom::fill(secret.as_mut()).ok()?;
        Some(Self { is_configured: false, ..Self::of_bytes(secret.as_ref(), std::iter::empty()) })
    }

    /// Whether the keyring was configured. Otherwise it is a placeholder for a secret that this
    /// process does not need: nothing verifies, and its id has no meaning.
    #[must_use]
    pub const fn is_configured(&self) -> bool {
        self.is_configured
    }

    /// Whether a secret is set, as one or as a list.
    pub fn is_set(reader: &Reader<'_, impl Vars>) -> bool {
        reader.is_set(&BETTER_AUTH_SECRET) || reader.is_set(&BETTER_AUTH_SECRETS)
    }

    /// Reads `BETTER_AUTH_SECRETS` (`2:new,1:old`, as Better Auth spells it) or, where that is not
    /// set, `BETTER_AUTH_SECRET`. `None`: a fault was recorded for each weakness.
    pub fn read(reader: &mut Reader<'_, impl Vars>) -> Option<Self> {
        if let Some(list) = reader.text(&BETTER_AUTH_SECRETS) {
            let mut secrets = versioned(reader, &list)?;
            let first = secrets.remove(0);
            return Some(Self::new(&first, &secrets));
        }
        let Some(text) = reader.text(&BETTER_AUTH_SECRET) else {
            reader.fault(&BETTER_AUTH_SECRET, format!("is missing: {REMEDY}"));
            return None;
        };
        match Secret::parse(text) {
            Ok(secret) => Some(Self::new(&secret, &[])),
            Err(fault) => {
                reader.fault(&BETTER_AUTH_SECRET, format!("{fault}: {REMEDY}"));
                None
            }
        }
    }

    /// The id of the signing key: processes with different ids do not share it. Safe to log.
    #[must_use]
    pub fn signing_id(&self) -> &str {
        &self.keys[0].id
    }

    /// The ids of all keys, the signing one first. Safe to print.
    #[must_use]
    pub fn ids(&self) -> Vec<&str> {
        self.keys.iter().map(|key| &*key.id).collect()
    }

    pub(super) fn signing(&self) -> &EncodingKey {
        &self.signing
    }

    /// The tag (unpadded base64url) of `message` under the first secret; `None` only if the
    /// algorithm is not there.
    #[must_use]
    pub fn sign(&self, message: &str) -> Option<String> {
        crypto::sign(message.as_bytes(), &self.signing, Algorithm::HS256).ok()
    }

    /// The tag of `message` under each secret, the signing one first: for values that are derived
    /// from a secret and never shown as a signature. Signed messages (tokens, cookies) hold no line
    /// break, so a derived message must begin with a line of its own.
    pub fn derive(&self, message: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        self.keys.iter().filter_map(|key| key.mac.as_ref()).map(move |mac| mac.tag(message))
    }

    /// Whether any secret made `tag` (unpadded base64url) for `message`.
    #[must_use]
    pub fn verifies(&self, message: &str, tag: &str) -> bool {
        self.verify(None, message, tag).is_ok()
    }

    /// Whether the signing secret made `tag` for `message`: tags of older secrets expire with them.
    #[must_use]
    pub fn is_current(&self, message: &str, tag: &str) -> bool {
        self.verify(Some(self.signing_id()), message, tag).is_ok()
    }

    /// Whether `tag` (base64url) authenticates `message`. The key is the one `id` names, else each
    /// in turn: tokens issued elsewhere have no key id of this process.
    pub(super) fn verify(&self, id: Option<&str>, message: &str, tag: &str) -> Result<(), Refusal> {
        let named = id.and_then(|id| self.keys.iter().find(|key| key.id == id));
        let candidates = match named {
            Some(key) => std::slice::from_ref(key),
            None => &self.keys,
        };
        let mut macs = candidates.iter().filter_map(|key| key.mac.as_ref());
        if macs.any(|mac| mac.verifies(message.as_bytes(), tag)) {
            Ok(())
        } else {
            Err(Refusal::InvalidTokenSignature)
        }
    }
}

/// The first 8 hex digits of SHA-256("kid" + secret): tells secrets apart, reveals none.
fn key_id(secret: &[u8]) -> String {
    let digest = Sha256::new().chain_update(b"kid").chain_update(secret).finalize();
    format!("{:08x}", u32::from_be_bytes([digest[0], digest[1], digest[2], digest[3]]))
}

/// Reads `version:secret,…`. Versions are distinct whole numbers; a secret may hold a colon but
/// no comma. `None`: at least one fault was recorded.
fn versioned(reader: &mut Reader<'_, impl Vars>, list: &str) -> Option<Vec<Secret>> {
    let mut versions: Vec<u32> = Vec::new();
    let mut secrets = Vec::new();
    let mut is_valid = true;
    for (position, entry) in (1..).zip(list.split(',')) {
        let fault = match entry.split_once(':').map(|(version, text)| (version.parse(), text)) {
            Some((Ok(version), _)) if versions.contains(&version) => "repeats a version".to_owned(),
            Some((Ok(version), text)) => {
                versions.push(version);
                match Secret::parse(text.to_owned()) {
                    Ok(secret) => {
                        secrets.push(secret);
                        continue;
                    }
                    Err(fault) => fault.to_string(),
                }
            }
            _ => "is not `version:secret`".to_owned(),
        };
        is_valid = false;
        reader.fault(
            &BETTER_AUTH_SECRETS,
            format!("entry {position} {fault}: write `2:new,1:old`; {REMEDY}"),
        );
    }
    is_valid.then_some(secrets)
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    const ONE: &str = BETTER_AUTH_SECRET.row().name;
    const MANY: &str = BETTER_AUTH_SECRETS.row().name;
    const NEW: &str = "new-0b5f1c9e7a3d48626e2f9b04c7d1583a";
    const OLD: &str = "old-5a7d3e9b1c0f46288c1e07d2f4b39a65";

    fn read(vars: &[(&'static str, &str)]) -> Result<Keyring, crate::config::Faults> {
        let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
        let mut reader = Reader::new(&vars);
        let keys = Keyring::read(&mut reader);
        reader.finish(keys)
    }

    #[test]
    fn a_list_signs_with_its_first_and_knows_all() {
        let list = format!("2:{NEW},1:{OLD}");
        let both = read(&[(MANY, &list), (ONE, "too short to matter here")]).expect("a keyring");
        let new = read(&[(ONE, NEW)]).expect("a keyring");
        assert_eq!(both.keys.len(), 2);
        assert_eq!(both.signing_id(), new.signing_id());
        assert_eq!(both.signing_id().len(), 8);
    }

    #[test]
    fn every_secret_derives_its_own_value_the_signing_one_first() {
        let derived = |keys: &Keyring, message: &[u8]| keys.derive(message).collect::<Vec<_>>();
        let list = format!("2:{NEW},1:{OLD}");
        let both = read(&[(MANY, &list)]).expect("a keyring");
        let new = read(&[(ONE, NEW)]).expect("a keyring");
        let old = read(&[(ONE, OLD)]).expect("a keyring");
        let each = [derived(&new, b"a"), derived(&old, b"a")].concat();
        assert_eq!(derived(&both, b"a"), each);
        assert_ne!(derived(&new, b"a"), derived(&new, b"b"));
        assert_eq!(URL_SAFE_NO_PAD.encode(each[0]), new.sign("a").expect("signs"));
    }

    #[test]
    fn every_bad_entry_is_one_line_and_no_value_is_shown() {
        let list = format!("2:{NEW},2:{OLD},x:{OLD},7:short-value");
        let faults = read(&[(MANY, &list)]).err().expect("faults");
        let lines: Vec<_> = faults.0.iter().map(|f| f.message.split(':').next()).collect();
        assert_eq!(
            lines,
            [
                Some("entry 2 repeats a version"),
                Some("entry 3 is not `version"),
                Some("entry 4 is shorter than 32 bytes"),
            ]
        );
        assert!(!faults.to_string().contains("0f46") && !faults.to_string().contains("short-v"));
    }

    #[test]
    fn a_missing_or_weak_secret_is_one_line() {
        for vars in [vec![], vec![(ONE, "")], vec![(ONE, "short")]] {
            let faults = read(&vars).err().expect("a fault");
            assert_eq!(faults.to_string().lines().count(), 1);
        }
    }
}
