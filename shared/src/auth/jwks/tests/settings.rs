//! Where the keys are, as configured.

use std::collections::HashMap;

use super::{
    super::{MAX_BYTES, PublicKeySource, server::KeyServer},
    forge::{document, ed, published},
};
use crate::config::{Faults, Reader};

fn read(vars: &[(&'static str, &str)]) -> Result<PublicKeySource, Faults> {
    let vars: HashMap<_, _> = vars.iter().map(|(k, v)| (*k, (*v).to_owned())).collect();
    let mut reader = Reader::new(&vars);
    let source = PublicKeySource::read(&mut reader);
    reader.finish(source)
}

/// The names of the faulty settings; `marker` is in no fault.
fn faulty(vars: &[(&'static str, &str)]) -> Vec<&'static str> {
    let faults = read(vars).err().expect("faults");
    assert!(!faults.to_string().contains("marker"), "{faults}");
    faults.0.iter().map(|fault| fault.name).collect()
}

#[test]
fn keys_come_from_exactly_one_place() {
    let keys = document(&[published(&ed(), "a", "")]);
    let folder = std::env::temp_dir().join(format!("published-keys-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = |name: &str| folder.join(name).to_str().expect("text").to_owned();
    std::fs::write(path("good"), &keys).expect("a file");
    std::fs::write(path("bad"), "marker").expect("a file");
    std::fs::write(path("large"), " ".repeat(MAX_BYTES + 1)).expect("a file");

    assert!(read(&[("JWKS", &keys)]).expect("sound").is_loaded());
    assert!(read(&[("JWKS_FILE", &path("good"))]).expect("sound").is_loaded());
    let url = ("JWKS_URL", "http://localhost:3000/api/auth/jwks");
    assert!(!read(&[url]).expect("sound").is_loaded());

    assert_eq!(faulty(&[]), ["JWKS_URL"]);
    assert_eq!(faulty(&[url, ("JWKS", &keys)]), ["JWKS_URL"]);
    assert_eq!(faulty(&[("JWKS", "marker")]), ["JWKS"]);
    assert_eq!(faulty(&[("JWKS", r#"{"keys":[{"kty":"oct","k":"marker"}]}"#)]), ["JWKS"]);
    for name in ["bad", "large", "nothing-there"] {
        assert_eq!(faulty(&[("JWKS_FILE", &path(name))]), ["JWKS_FILE"], "{name}");
    }
    for period in ["29s", "25h", "0", "soon"] {
        assert_eq!(faulty(&[url, ("JWKS_REFRESH", period)]), ["JWKS_REFRESH"], "{period}");
    }
    std::fs::remove_dir_all(folder).expect("removable");
}

#[test]
fn a_key_server_has_a_web_address_without_credentials() {
    for address in [
        "",
        "/jwks",
        "app.example.com/jwks",
        "ftp://h/jwks",
        "file:///etc/keys",
        "http://",
        "http://marker@h/jwks",
        "http://user:marker@h/jwks",
        "https://",
        "unix:/run/keys",
        "https://marker.example:*/jwks",
        "http://h:marker/jwks",
        "http://h:080/jwks",
        "http://h:0/jwks",
        "http://h/jwks#marker",
    ] {
        assert!(KeyServer::parse(address).is_err(), "{address}");
        if !address.is_empty() {
            assert_eq!(faulty(&[("JWKS_URL", address)]), ["JWKS_URL"], "{address}");
        }
    }
    for (address, is_plaintext) in [
        ("http://localhost:3000/api/auth/jwks", false),
        ("http://127.0.0.1/jwks", false),
        ("http://[::1]:3000/jwks?x=1", false),
        ("http://web:3000/api/auth/jwks", true),
    ] {
        let server = KeyServer::parse(address).unwrap_or_else(|fault| panic!("{address}: {fault}"));
        assert_eq!(server.is_plaintext(), is_plaintext, "{address}");
    }
}
