//! Who opens a session.

use std::net::{IpAddr, SocketAddr};

use server::household;

use super::Sessions;
use crate::error::Error;

/// The longest user agent that is kept, in characters.
const USER_AGENT_CHARS: usize = 512;

/// Who opens a session, as far as the connection tells.
#[derive(Clone, Debug, Default)]
pub struct Device {
    pub ip_address: Option<String>,
    pub user_agent: Option<String>,
}

impl Device {
    /// The other end of a connection, and what it says it is.
    pub fn new(peer: Option<SocketAddr>, user_agent: Option<&str>) -> Self {
        Self {
            ip_address: peer.map(|peer| peer.ip().to_canonical().to_string()),
            user_agent: user_agent.map(|text| text.chars().take(USER_AGENT_CHARS).collect()),
        }
    }

    /// The other end's address.
    pub fn address(&self) -> Option<IpAddr> {
        self.ip_address.as_ref()?.parse().ok()
    }
}

impl Sessions {
    /// Whether the user of this e-mail has a live session that was opened from the address,
    /// or from the same subscriber's.
    pub async fn are_open_from(&self, address: IpAddr, email: &str) -> Result<bool, Error> {
        let here = household(address);
        let opened_from = self.store.session_addresses(email, self.now()).await?;
        let addresses = opened_from.iter().filter_map(|text| text.parse().ok());
        Ok(addresses.map(household).any(|address| address == here))
    }
}
