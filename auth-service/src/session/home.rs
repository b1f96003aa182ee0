//! Clients at which a user is at home: those that a live session was opened from.

use server::{ClientInfo, client_prefix};

use super::Sessions;
use crate::error::Error;

impl Sessions {
    /// Whether the user of this e-mail has a live session that was opened from the client's
    /// address, or from another one of the same prefix.
    pub async fn are_open_from(&self, client: &ClientInfo, email: &str) -> Result<bool, Error> {
        let Some(here) = client.prefix() else { return Ok(false) };
        let opened_from = self.store.session_addresses(email, self.now()).await?;
        let addresses = opened_from.iter().filter_map(|text| text.parse().ok());
        Ok(addresses.map(client_prefix).any(|prefix| prefix == here))
    }
}
