//! What tests of either wire stand on: a store behind a gate, and tokens that pass it.

use std::{sync::Arc, time::Duration};

use fixtures::{Backend, FreshDatabase};
use shared::{
    auth::{Gate, Keyring, Profile, Secret, TokenIssuer, TokenPolicy, TokenVerifier, UserId},
    clock::{Clock, SystemClock},
    db::Database,
};

use crate::{migration::Migrator, store::Tasks};

pub struct World {
    _fresh: FreshDatabase,
    database: Database,
    pub gate: Gate,
    issuer: TokenIssuer,
    clock: Arc<dyn Clock>,
}

impl World {
    pub async fn start() -> Self {
        let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a database");
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into());
        let keys = Arc::new(Keyring::new(&secret.unwrap_or_else(|_| panic!("strong")), &[]));
        let ttl = Duration::from_mins(15);
        let policy =
            TokenPolicy { issuer: None, audience: None, leeway: Duration::ZERO, max_lifetime: ttl };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let issuer = TokenIssuer::new(keys.clone(), policy.clone(), ttl, clock.clone());
        let gate = Gate::new(TokenVerifier::new(keys, policy, clock.clone()));
        Self { _fresh: fresh, database, gate, issuer, clock }
    }

    pub fn tasks(&self) -> Tasks {
        Tasks::new(self.database.clone(), self.clock.clone())
    }

    /// `Bearer` and a token of `user`.
    pub fn bearer(&self, user: &str) -> String {
        let user = UserId::parse(user).expect("an id");
        let issued = self.issuer.issue(&user, Profile::default()).expect("a token");
        format!("Bearer {}", issued.token)
    }
}
