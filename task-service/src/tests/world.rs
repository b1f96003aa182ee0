//! What tests of either wire stand on: a store behind a gate, and tokens that pass it.

use std::{sync::Arc, time::Duration};

use fixtures::{Backend, FreshDatabase};
use shared::{
    auth::{
        Gate, Keyring, Owner, Profile, Secret, TokenIssuer, TokenPolicy, TokenVerifier, UserId,
    },
    clock::{Clock, SystemClock},
    db::Database,
};

use crate::{migration::Migrator, store::Tasks};

/// The owner a real token of `user` makes.
pub fn owner(user: &str) -> Owner {
    let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into())
        .unwrap_or_else(|_| panic!("strong"));
    let keys = Arc::new(Keyring::new(&secret, &[]));
    let policy = TokenPolicy {
        issuer: None,
        audience: None,
        leeway: Duration::ZERO,
        max_lifetime: Duration::from_mins(15),
    };
    let clock = Arc::new(shared::clock::SystemClock);
    let ttl = Duration::from_mins(15);
    let issuer = TokenIssuer::new(keys.clone(), policy.clone(), ttl, clock.clone());
    let token = issuer
        .issue(&UserId::parse(user).expect("an id"), Profile::default())
        .expect("a token")
        .token;
    let principal = TokenVerifier::new(keys, policy, clock).verify(&token).expect("valid");
    principal.owning(user).expect("the same user")
}

pub struct World {
    _fresh: FreshDatabase,
    pub database: Database,
    tasks: Tasks,
    pub keys: Arc<Keyring>,
    pub gate: Gate,
    issuer: TokenIssuer,
    pub clock: Arc<dyn Clock>,
}

impl World {
    pub async fn start() -> Self {
        Self::at(Arc::new(SystemClock)).await
    }

    /// By another clock.
    pub async fn at(clock: Arc<dyn Clock>) -> Self {
        let fresh = FreshDatabase::new(Backend::Sqlite).await.expect("a database");
        let database = Database::connect(&fresh.url()).await.expect("a connection");
        database.migrate::<Migrator>().await.expect("tables");
        let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into());
        let keys = Arc::new(Keyring::new(&secret.unwrap_or_else(|_| panic!("strong")), &[]));
        let ttl = Duration::from_mins(15);
        let policy =
            TokenPolicy { issuer: None, audience: None, leeway: Duration::ZERO, max_lifetime: ttl };
        let issuer = TokenIssuer::new(keys.clone(), policy.clone(), ttl, clock.clone());
        let gate = Gate::new(TokenVerifier::new(keys.clone(), policy, clock.clone()));
        let tasks = Tasks::new(database.clone(), clock.clone());
        Self { _fresh: fresh, database, tasks, keys, gate, issuer, clock }
    }

    pub fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// `Bearer` and a token of `user`.
    pub fn bearer(&self, user: &str) -> String {
        let user = UserId::parse(user).expect("an id");
        let issued = self.issuer.issue(&user, Profile::default()).expect("a token");
        format!("Bearer {}", issued.token)
    }
}
