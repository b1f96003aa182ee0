//! The `token` command: an access token without a sign-up, for trying out a service.
//!
//! It needs the secret, which can sign anything: it grants nothing new.

use std::{sync::Arc, time::Duration};

use clap::Args;
use shared::{
    auth::{InvalidUserId, IssueError, Keyring, Profile, TokenIssuer, TokenPolicy, UserId},
    clock::SystemClock,
};

/// The options of `token`.
#[derive(Args, Debug)]
pub struct Token {
    /// The user the token stands for (claim `sub`)
    #[arg(long, value_name = "ID", value_parser = user_id)]
    user_id: UserId,
    /// How long it lives, such as `15m` or `1h`
    #[arg(long, value_name = "SPAN", default_value = "15m", value_parser = humantime::parse_duration)]
    ttl: Duration,
    /// The claim `email`
    #[arg(long)]
    email: Option<String>,
    /// The claim `name`
    #[arg(long)]
    name: Option<String>,
}

fn user_id(text: &str) -> Result<UserId, InvalidUserId> {
    UserId::parse(text)
}

impl Token {
    /// The token, signed by `keys` for a verifier with `policy`.
    pub fn issue(&self, keys: Arc<Keyring>, policy: TokenPolicy) -> Result<String, IssueError> {
        let issuer = TokenIssuer::new(keys, policy, self.ttl, Arc::new(SystemClock));
        let profile =
            Profile { session_id: None, email: self.email.as_deref(), name: self.name.as_deref() };
        Ok(issuer.issue(&self.user_id, profile)?.token)
    }
}
