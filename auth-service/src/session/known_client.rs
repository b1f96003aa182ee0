//! Known clients of a user: those that opened a live session.

use server::{ClientInfo, client_prefix};

use super::Sessions;
use crate::error::Error;

impl Sessions {
    /// Whether the user of this e-mail has a live session from the client's prefix.
    pub async fn is_known_client(&self, client: &ClientInfo, email: &str) -> Result<bool, Error> {
        let Some(here) = client.prefix() else { return Ok(false) };
        let opened_from = self.store.session_addresses(email, self.now()).await?;
        let addresses = opened_from.iter().filter_map(|text| text.parse().ok());
        Ok(addresses.map(client_prefix).any(|prefix| prefix == here))
    }
}
