//! The security events of an owner.

use server::audit_log::{Page, PageRequest, SecurityEvents};
use shared::auth::Owner;

use super::Tasks;
use crate::error::Error;

impl Tasks {
    /// A page of security events, newest first.
    pub async fn security_events(
        &self,
        owner: &Owner,
        request: &PageRequest,
    ) -> Result<Page, Error> {
        let events = SecurityEvents::new(self.database.clone());
        Ok(events.list(owner.user().as_str(), request).await?)
    }
}
