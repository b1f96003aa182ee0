//! The keys of a rate limit. A key is a hash: a table or a log of keys contains no e-mail.

use std::fmt;

use server::ClientInfo;
use sha2::{Digest, Sha256};

/// The hash of an account, an address, or both.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// Passwords for this account, from anywhere.
    pub fn account(account: &str) -> Self {
        Self::of("account", "", account)
    }

    /// Passwords for this account, from this address.
    pub fn account_from(account: &str, client: &ClientInfo) -> Self {
        Self::of("account from", &prefix(client), account)
    }

    /// Passwords from this address.
    pub fn address(client: &ClientInfo) -> Self {
        Self::of("address", &prefix(client), "")
    }

    /// Right passwords for this account, from this address.
    pub fn right_from(account: &str, client: &ClientInfo) -> Self {
        Self::of("right from", &prefix(client), account)
    }

    /// Right passwords from this address.
    pub fn right(client: &ClientInfo) -> Self {
        Self::of("right", &prefix(client), "")
    }

    /// New accounts from this address.
    pub fn sign_up(client: &ClientInfo) -> Self {
        Self::of("sign-up", &prefix(client), "")
    }

    /// Invalid session tokens from this address.
    pub fn session(client: &ClientInfo) -> Self {
        Self::of("session", &prefix(client), "")
    }

    /// Only the account could contain NUL, and it comes last: the bytes are unambiguous.
    fn of(kind: &str, address: &str, account: &str) -> Self {
        let hash = Sha256::new()
            .chain_update(kind)
            .chain_update([0])
            .chain_update(address)
            .chain_update([0])
            .chain_update(account)
            .finalize();
        let mut key = [0; 16];
        key.copy_from_slice(&hash[..16]);
        Self(key)
    }
}

/// The client prefix: clients that share it count as one, and so do those without an address.
fn prefix(client: &ClientInfo) -> String {
    client.prefix().map(|prefix| prefix.to_string()).unwrap_or_default()
}

/// Hexadecimal.
impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scope_has_its_own_opaque_key() {
        let at = |text: &str| ClientInfo::at(text.parse().expect("an address"));
        let (here, beside) = (&at("2001:db8:0:1::7"), &at("2001:db8:0:1::8"));
        let (there, folded) = (&at("192.0.2.1"), &at("::ffff:192.0.2.1"));
        let nowhere = &ClientInfo::default();
        assert!(Key::address(here) == Key::address(beside));
        assert!(Key::address(there) == Key::address(folded));
        let ada = "ada@example.com";
        let all = [
            Key::account(ada),
            Key::account("bob@example.com"),
            Key::account_from(ada, here),
            Key::account_from(ada, there),
            Key::account_from(ada, nowhere),
            Key::address(here),
            Key::address(nowhere),
            Key::sign_up(here),
            Key::session(here),
        ];
        let apart: std::collections::HashSet<Key> = all.into_iter().collect();
        assert_eq!(apart.len(), all.len());
        assert!(all.iter().all(|key| key.to_string().len() == 32));
    }
}
