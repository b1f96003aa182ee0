//! Access tokens: any text, and signed ones with any header and claims.

#![no_main]

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use shared::{
    auth::{Keyring, TokenPolicy, TokenVerifier},
    clock::SystemClock,
    config::Reader,
    origin::BETTER_AUTH_URL,
};

static GATE: LazyLock<(Arc<Keyring>, TokenVerifier)> = LazyLock::new(|| {
    let settings = HashMap::from([
        ("BETTER_AUTH_SECRET", "fuzz-9f2c1b7d5e8a4036-1b7d5e8a40369f2c".to_owned()),
        ("BETTER_AUTH_URL", "http://localhost:3000".to_owned()),
    ]);
    let mut reader = Reader::new(&settings);
    let keys = Keyring::read(&mut reader).map(Arc::new);
    let policy = TokenPolicy::read(&mut reader, &BETTER_AUTH_URL);
    let (keys, policy) = reader.finish(keys.zip(policy)).expect("valid settings");
    (keys.clone(), TokenVerifier::new(keys, policy, Arc::new(SystemClock)))
});

fuzz_target!(|input: (&str, &[u8], &[u8])| {
    let (text, header, claims) = input;
    let (keys, verifier) = &*GATE;
    assert!(verifier.verify(text).is_err(), "nobody signed it");
    let part = |bytes| URL_SAFE_NO_PAD.encode(bytes);
    let message = format!("{}.{}", part(header), part(claims));
    if let Some(tag) = keys.sign(&message)
        && let Ok(principal) = verifier.verify(&format!("{message}.{tag}"))
    {
        assert!(!principal.user().as_str().is_empty(), "a user without a name");
    }
});
