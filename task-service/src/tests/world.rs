//! The fixture of tests of either wire: a store behind a gate, and tokens for it.

use std::{sync::Arc, time::Duration};

use fixtures::{Backend, FreshDatabase};
use server::db::Database;
use shared::{
    auth::{
        Gate, Keyring, Owner, Profile, Secret, ServiceGate, ServicePrincipal, ServiceTokenIssuer,
        TokenIssuer, TokenPolicy, TokenVerifier, UserId,
    },
    clock::{Clock, SystemClock},
};
use tonic::{Request, service::Interceptor};

use crate::{
    api::grpc::AUDIENCE,
    migration::Migrator,
    store::{ErasedUser, EveryUser, Tasks},
};

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

/// The proof of the jobs.
#[expect(clippy::disallowed_methods, reason = "tests do the jobs")]
pub fn every_user() -> EveryUser {
    EveryUser::for_jobs()
}

/// `user`, whose account is gone by the word of a service with a real token.
pub fn erased_user(user: &str) -> ErasedUser {
    let secret = Secret::parse("0b5f1c9e7a3d48626e2f9b04c7d1583a".into())
        .unwrap_or_else(|_| panic!("strong"));
    let keys = Arc::new(Keyring::new(&secret, &[]));
    let clock = Arc::new(SystemClock);
    let issuer = ServiceTokenIssuer::new(keys.clone(), "auth-service", AUDIENCE, clock.clone());
    let token = issuer.expect("a name").issue().expect("a token");
    let mut request = Request::new(());
    let bearer = format!("Bearer {token}").parse().expect("a header value");
    request.metadata_mut().insert("authorization", bearer);
    let mut gate = ServiceGate::new(keys, AUDIENCE, Duration::ZERO, clock);
    let request = gate.call(request).expect("a service");
    let service = ServicePrincipal::of(&request).expect("a service");
    ErasedUser::confirmed_by(service, UserId::parse(user).expect("an id"))
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

    /// With another clock.
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
