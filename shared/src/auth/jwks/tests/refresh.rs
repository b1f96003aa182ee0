//! When keys are fetched. The clock is the test's, and so is the server.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::JoinSet,
    time::{Instant, sleep},
};

use super::{
    super::{
        PublicKeySource,
        document::PublicKeys,
        refresh::{MIN_INTERVAL, Refresh},
        server::{FetchFault, KeyServer},
    },
    forge::{Ed, Signer, document, ed, other_ed, published, trusting, user_of},
};
use crate::auth::{
    Refusal::{InvalidTokenSignature, KeysUnavailable},
    TokenVerifier,
};

const PERIOD: Duration = Duration::from_mins(10);

/// A job at work, the seconds at which it fetched, and what it gets from now on.
struct World {
    source: PublicKeySource,
    verifier: TokenVerifier,
    fetched: Arc<Mutex<Vec<f64>>>,
    served: Arc<Mutex<Option<String>>>,
    _job: JoinSet<()>,
}

impl World {
    fn new(served: impl Into<Option<String>>) -> Self {
        let (publish, known) = watch::channel(None);
        let missed = Arc::new(Notify::new());
        let source = PublicKeySource { known, missed: missed.clone(), refresh: None };
        let address = KeyServer::parse("http://localhost/jwks");
        let refresh = Refresh {
            server: address.unwrap_or_else(|f| panic!("{f}")),
            period: PERIOD,
            publish,
            missed,
        };
        let fetched: Arc<Mutex<Vec<f64>>> = Arc::default();
        let served = Arc::new(Mutex::new(served.into()));
        let (times, responses, began) = (fetched.clone(), served.clone(), Instant::now());
        let mut job = JoinSet::new();
        job.spawn(async move {
            let fetch = || {
                times.lock().expect("not poisoned").push(began.elapsed().as_secs_f64());
                let response = responses.lock().expect("not poisoned").clone();
                async move {
                    let text = response.ok_or(FetchFault::Slow)?;
                    Ok(PublicKeys::parse(text.as_bytes())?)
                }
            };
            refresh.fetch_loop(fetch).await;
        });
        let verifier = trusting(source.clone());
        Self { source, verifier, fetched, served, _job: job }
    }

    fn serves(&self, text: impl Into<Option<String>>) {
        *self.served.lock().expect("not poisoned") = text.into();
    }

    fn fetched(&self) -> Vec<f64> {
        self.fetched.lock().expect("not poisoned").clone()
    }

    fn ask(&self, key: &Ed, kid: &str) -> Result<String, crate::auth::Refusal> {
        user_of(&self.verifier, &key.token(&format!(r#"{{"alg":"EdDSA","kid":"{kid}"}}"#)))
    }
}

fn keys(kids: &[(&Ed, &str)]) -> String {
    let keys: Vec<_> = kids.iter().map(|(key, kid)| published(*key, kid, "")).collect();
    document(&keys)
}

/// A short time, in which the job does its due work.
async fn pass(time: Duration) {
    sleep(time + Duration::from_millis(1)).await;
}

#[tokio::test(start_paused = true)]
async fn before_the_first_keys_nothing_is_known_and_nobody_is_signed_out() {
    let world = World::new(None);
    pass(Duration::from_secs(100)).await;
    assert!(!world.source.is_loaded());
    assert_eq!(world.ask(&ed(), "a"), Err(KeysUnavailable));
    let confused = crate::auth::tests::forge::token(&[]);
    assert_eq!(user_of(&world.verifier, &confused), Err(InvalidTokenSignature), "HS256");
    world.serves(keys(&[(&ed(), "a")]));
    tokio::time::timeout(Duration::from_mins(1), world.source.clone().loaded())
        .await
        .expect("soon");
    assert_eq!(world.ask(&ed(), "a").as_deref(), Ok("alice"));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_repeated_with_growing_pauses() {
    let world = World::new(None);
    pass(Duration::from_mins(10)).await;
    let fetched = world.fetched();
    assert!(fetched[0] < 0.01, "at once");
    let pauses: Vec<_> = fetched.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (pause, most) in pauses.iter().zip([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0, 60.0]) {
        assert!((most * 0.9 - 0.01..=most + 0.01).contains(pause), "{pauses:?}");
    }
    assert!((14..=18).contains(&fetched.len()), "{fetched:?}");
}

#[tokio::test(start_paused = true)]
async fn keys_are_replaced_as_a_whole_and_the_last_good_ones_kept() {
    let (old, new) = (ed(), other_ed());
    let world = World::new(keys(&[(&old, "old")]));
    pass(Duration::ZERO).await;
    assert_eq!(world.ask(&old, "old").as_deref(), Ok("alice"));
    for bad in [None, Some("<html>".to_owned()), Some(r#"{"keys":[]}"#.to_owned())] {
        world.serves(bad);
        pass(PERIOD).await;
        assert_eq!(world.ask(&old, "old").as_deref(), Ok("alice"), "kept");
    }
    world.serves(keys(&[(&old, "old"), (&new, "new")]));
    pass(PERIOD).await;
    assert_eq!(world.ask(&old, "old").as_deref(), Ok("alice"));
    assert_eq!(world.ask(&new, "new").as_deref(), Ok("alice"));
    world.serves(keys(&[(&new, "new")]));
    pass(PERIOD).await;
    assert_eq!(world.ask(&old, "old"), Err(InvalidTokenSignature), "withdrawn");
    assert_eq!(world.ask(&new, "new").as_deref(), Ok("alice"));
}

/// Whoever asks, and however often.
#[tokio::test(start_paused = true)]
async fn unknown_names_make_it_look_once_in_half_a_minute() {
    let (old, new) = (ed(), other_ed());
    let world = World::new(keys(&[(&old, "old")]));
    pass(Duration::from_secs(5)).await;
    assert_eq!(world.fetched().len(), 1);
    // The first one at once: a rotation is seen with the first new token.
    world.serves(keys(&[(&old, "old"), (&new, "new")]));
    assert_eq!(world.ask(&new, "new"), Err(InvalidTokenSignature), "refused, not kept waiting");
    pass(Duration::ZERO).await;
    assert_eq!(world.fetched().len(), 2);
    assert_eq!(world.ask(&new, "new").as_deref(), Ok("alice"));
    // A flood for three minutes.
    for i in 0..1800 {
        assert_eq!(world.ask(&new, &format!("unknown-{i}")), Err(InvalidTokenSignature));
        sleep(Duration::from_millis(100)).await;
    }
    let fetched = world.fetched();
    assert!((7..=8).contains(&(fetched.len() - 1)), "{fetched:?}");
    for pair in fetched[1..].windows(2) {
        assert!(pair[1] - pair[0] > MIN_INTERVAL.as_secs_f64() - 0.01, "{fetched:?}");
    }
}

/// Only an unknown key id with a known algorithm triggers a refresh.
#[tokio::test(start_paused = true)]
async fn a_bad_signature_and_a_foreign_algorithm_ask_nobody() {
    let world = World::new(keys(&[(&ed(), "a")]));
    pass(Duration::ZERO).await;
    for _ in 0..10 {
        assert_eq!(world.ask(&other_ed(), "a"), Err(InvalidTokenSignature));
        for alg in ["HS256", "none", "ES512"] {
            let token = ed().token(&format!(r#"{{"alg":"{alg}","kid":"unknown"}}"#));
            assert_eq!(user_of(&world.verifier, &token), Err(InvalidTokenSignature));
        }
        assert!(user_of(&world.verifier, "no token").is_err());
    }
    pass(Duration::from_mins(8)).await;
    assert_eq!(world.fetched().len(), 1);
}
