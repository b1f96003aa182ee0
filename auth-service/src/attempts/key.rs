//! What attempts are counted by. A table or a log of keys tells nobody's e-mail.

use std::{fmt, net::IpAddr};

use server::household;
use sha2::{Digest, Sha256};

/// A hash of what is counted: an account, an address, or both together.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key([u8; 16]);

impl Key {
    /// Passwords for this account, from anywhere.
    pub fn account(account: &str) -> Self {
        Self::of("account", "", account)
    }

    /// Passwords for this account, from this address.
    pub fn account_from(account: &str, address: Option<IpAddr>) -> Self {
        Self::of("account from", &caller(address), account)
    }

    /// Passwords from this address.
    pub fn address(address: Option<IpAddr>) -> Self {
        Self::of("address", &caller(address), "")
    }

    /// Right passwords for this account, from this address.
    pub fn right_from(account: &str, address: Option<IpAddr>) -> Self {
        Self::of("right from", &caller(address), account)
    }

    /// Right passwords from this address.
    pub fn right(address: Option<IpAddr>) -> Self {
        Self::of("right", &caller(address), "")
    }

    /// New accounts from this address.
    pub fn sign_up(address: Option<IpAddr>) -> Self {
        Self::of("sign-up", &caller(address), "")
    }

    /// Session tokens from this address that open nothing.
    pub fn session(address: Option<IpAddr>) -> Self {
        Self::of("session", &caller(address), "")
    }

    /// Only an account's text could hold NUL, and it comes last: no two readings give the
    /// same bytes.
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

/// Those who share an address are one caller, and so are those who have none.
fn caller(address: Option<IpAddr>) -> String {
    address.map(|address| household(address).to_string()).unwrap_or_default()
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
    fn what_is_counted_apart_has_keys_apart_and_none_can_be_read() {
        let here: Option<IpAddr> = Some("2001:db8:0:1::7".parse().expect("an address"));
        let beside: Option<IpAddr> = Some("2001:db8:0:1::8".parse().expect("an address"));
        let there: Option<IpAddr> = Some("192.0.2.1".parse().expect("an address"));
        let folded: Option<IpAddr> = Some("::ffff:192.0.2.1".parse().expect("an address"));
        assert!(Key::address(here) == Key::address(beside));
        assert!(Key::address(there) == Key::address(folded));
        let ada = "ada@example.com";
        let all = [
            Key::account(ada),
            Key::account("bob@example.com"),
            Key::account_from(ada, here),
            Key::account_from(ada, there),
            Key::account_from(ada, None),
            Key::address(here),
            Key::address(None),
            Key::sign_up(here),
            Key::session(here),
        ];
        let apart: std::collections::HashSet<Key> = all.into_iter().collect();
        assert_eq!(apart.len(), all.len());
        assert!(all.iter().all(|key| key.to_string().len() == 32));
    }
}
