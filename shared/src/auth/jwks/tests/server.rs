//! Key servers that misbehave. Each is a listener on loopback.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
    },
};

use super::{
    super::{
        PublicKeySource,
        server::{FetchFault, KeyServer, TIMEOUT},
    },
    forge::{Signer, document, ed, other_ed, published, trusting, user_of},
};
use crate::auth::Refusal::InvalidTokenSignature;

/// Long enough for a busy machine, short enough to notice a hang.
const BOUND: Duration = Duration::from_secs(20);

/// Answers that are written one after the other, each to a connection of its own, after
/// its request was read; the last one again and again. Then the connection is held open.
struct Fake {
    address: String,
    requests: mpsc::UnboundedReceiver<String>,
    _listening: JoinSet<()>,
}

async fn fake(responses: Vec<Vec<u8>>) -> Fake {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let (sender, requests) = mpsc::unbounded_channel();
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        let mut held = Vec::new();
        for turn in 0.. {
            let Ok((mut stream, _)) = listener.accept().await else { return };
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap_or(0);
            let _ = sender.send(String::from_utf8_lossy(&request[..length]).into_owned());
            let _ = stream.write_all(&responses[turn.min(responses.len() - 1)]).await;
            held.push(stream);
        }
    });
    Fake { address, requests, _listening: listening }
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

fn server(address: &str) -> KeyServer {
    KeyServer::parse(&format!("http://{address}/api/auth/jwks?x=1"))
        .unwrap_or_else(|f| panic!("{f}"))
}

async fn fetched(response: Vec<u8>) -> Result<usize, FetchFault> {
    let fake = fake(vec![response]).await;
    let fetched = timeout(BOUND, server(&fake.address).fetch()).await.expect("no hang");
    fetched.map(|keys| keys.len())
}

#[tokio::test]
async fn keys_are_asked_for_once_without_anything_of_ours() {
    let keys = document(&[published(&ed(), "a", ""), published(&other_ed(), "b", "")]);
    let mut fake = fake(vec![ok(&keys)]).await;
    assert_eq!(server(&fake.address).fetch().await.expect("keys").len(), 2);
    let request = fake.requests.recv().await.expect("a request").to_ascii_lowercase();
    assert!(request.starts_with("get /api/auth/jwks?x=1 http/1.1\r\n"), "{request}");
    let names = request.lines().skip(1).filter_map(|l| l.split_once(':')).map(|l| l.0);
    assert_eq!(names.collect::<Vec<_>>(), ["host", "accept", "connection"]);
}

#[tokio::test]
async fn a_bad_answer_is_a_fault_that_does_not_quote_it() {
    let large = format!("{{\"keys\":[],\"marker\":\"{}\"}}", "x".repeat(64 * 1024));
    let status = |line: &str| format!("HTTP/1.1 {line}\r\ncontent-length: 6\r\n\r\nmarker");
    for (what, response, message) in [
        ("500", status("500 marker"), "it answers 500"),
        ("404", status("404 Not Found"), "it answers 404"),
        ("204", "HTTP/1.1 204 No Content\r\n\r\n".into(), "it answers 204"),
        ("a page", String::from_utf8(ok("<html>marker</html>")).expect("text"), "not JSON"),
        ("no keys", String::from_utf8(ok("{\"keys\":[]}")).expect("text"), "none of its keys"),
        ("large", String::from_utf8(ok(&large)).expect("text"), "longer than 64 KiB"),
        (
            "large, in chunks",
            format!(
                "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n20000\r\n{}",
                "x".repeat(0x20000)
            ),
            "longer than 64 KiB",
        ),
        (
            "a large head",
            format!("HTTP/1.1 200 OK\r\nx: {}", "marker".repeat(9000)),
            "not speak HTTP",
        ),
        ("another protocol", "SSH-2.0-marker\r\n".into(), "not speak HTTP"),
    ] {
        let fault = fetched(response.into_bytes()).await.expect_err(what).to_string();
        assert!(fault.contains(message), "{what}: {fault}");
        assert!(!fault.contains("marker"), "{what}: {fault}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let mut elsewhere = fake(vec![ok(&document(&[published(&ed(), "a", "")]))]).await;
    for code in [301, 302, 303, 307, 308] {
        let there = format!(
            "HTTP/1.1 {code} Moved\r\nlocation: http://{}/jwks\r\ncontent-length: 0\r\n\r\n",
            elsewhere.address
        );
        let fault = fetched(there.into_bytes()).await.expect_err("a redirect").to_string();
        assert!(fault.contains(&code.to_string()), "{fault}");
    }
    assert!(elsewhere.requests.try_recv().is_err(), "somebody called");
}

#[tokio::test]
async fn nobody_there_is_a_fault() {
    let address = {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        listener.local_addr().expect("an address").to_string()
    };
    let fault = timeout(BOUND, server(&address).fetch()).await.expect("no hang");
    assert!(matches!(fault, Err(FetchFault::Connection(_))), "{fault:?}");
}

/// The clock is the test's: it moves on when everybody waits.
#[tokio::test(start_paused = true)]
async fn a_silent_or_dripping_server_is_given_up() {
    for response in [
        Vec::new(),
        b"HTTP/1.1 200 OK\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"keys\":".to_vec(),
    ] {
        let began = Instant::now();
        let fault = fetched(response).await;
        assert!(matches!(fault, Err(FetchFault::Slow)), "{fault:?}");
        assert_eq!(began.elapsed().as_secs(), TIMEOUT.as_secs());
    }
}

/// A silent key server delays nobody whose key is known, and nobody whose key is not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_waits_for_the_key_server() {
    let (known, unknown) = (ed(), other_ed());
    let keys = document(&[published(&known, "known", "")]);
    let mut fake = fake(vec![ok(&keys), Vec::new()]).await;
    let source = PublicKeySource::from_server(server(&fake.address), Duration::from_hours(1));
    let mut job = JoinSet::new();
    job.spawn(source.clone().run());
    timeout(BOUND, source.clone().loaded()).await.expect("loaded");
    fake.requests.recv().await.expect("the first request");
    let verifier = trusting(source);
    let good = known.token(r#"{"alg":"EdDSA","kid":"known"}"#);
    let missed = unknown.token(r#"{"alg":"EdDSA","kid":"unknown"}"#);
    assert_eq!(user_of(&verifier, &missed), Err(InvalidTokenSignature));
    timeout(BOUND, fake.requests.recv()).await.expect("asked again").expect("a request");

    let began = Instant::now(); // the answer to that request never comes
    for _ in 0..100 {
        assert_eq!(user_of(&verifier, &good).as_deref(), Ok("alice"));
        assert_eq!(user_of(&verifier, &missed), Err(InvalidTokenSignature));
    }
    assert!(began.elapsed() < TIMEOUT, "{:?}", began.elapsed());
    sleep(Duration::from_millis(50)).await;
    assert!(fake.requests.try_recv().is_err(), "a second question beside the first");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() {
    let decoded = |text: &str| STANDARD.decode(text.replace('\n', "")).expect("base64");
    let certificate = CertificateDer::from(decoded(include_str!("localhost.certificate.base64")));
    let key = PrivateKeyDer::Pkcs8(decoded(include_str!("localhost.key.base64")).into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("TLS")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .expect("a key that fits");
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("localhost:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let mut listening = JoinSet::new();
    listening.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = vec![0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&ok(&document(&[published(&ed(), "a", "")]))).await;
            let _ = stream.shutdown().await;
        }
    });
    let mut roots = RootCertStore::empty();
    let stranger = KeyServer::with_roots(port, roots.clone()).expect("an address");
    let fault = timeout(BOUND, stranger.fetch()).await.expect("no hang");
    assert!(matches!(fault, Err(FetchFault::Connection(_))), "{fault:?}");
    roots.add(certificate).expect("a certificate");
    let known = KeyServer::with_roots(port, roots).expect("an address");
    assert_eq!(timeout(BOUND, known.fetch()).await.expect("no hang").expect("keys").len(), 1);
}
