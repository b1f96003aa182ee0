use tonic::Code;

use super::*;
use crate::admission::fair_share::WAITING_PER_PERMIT;

fn all(limits: &Limits) -> Admission {
    Admission::new(limits, RefusalLog::default())
}

#[test]
fn waiting_calls_have_a_limit() {
    let limits = Limits { calls: 1, ..Limits::default() };
    let permits = all(&limits).of(&ClientShare::new(&limits));
    let waiting: Vec<_> = (0..WAITING_PER_PERMIT)
        .map(|_| {
            let permit = permits.acquire().expect("a permit");
            permit.start_waiting().expect("room to wait");
            permit
        })
        .collect();
    let one_more = permits.acquire().expect("a permit");
    assert!(one_more.start_waiting().is_err());
    assert!(waiting[0].resume().is_err(), "one works");
    drop(one_more);
    assert!(waiting[0].resume().is_ok());
}

/// Streams are counted apart from calls, in all and by client.
#[test]
fn a_stream_releases_the_permit_of_its_call() {
    let limits = Limits { calls: 1, streams: 2, streams_per_address: 1, ..Limits::default() };
    let all = all(&limits);
    let (here, there) = (ClientShare::new(&limits), ClientShare::new(&limits));
    let open = |share: &ClientShare| {
        let permit = all.of(share).acquire().expect("a permit");
        permit.become_stream().map(|()| permit)
    };
    let first = open(&here).expect("a slot");
    assert_eq!(open(&here).err().expect("one from here").code(), Code::ResourceExhausted);
    let _second = open(&there).expect("a slot");
    assert!(open(&ClientShare::new(&limits)).is_err(), "two in all");
    assert!(first.resume().is_ok() && all.of(&here).acquire().is_ok(), "it needs no permit");
    let guard = first.guard();
    drop(first);
    assert!(open(&here).is_err(), "still held");
    drop(guard);
    assert!(open(&here).is_ok());
}

#[test]
fn streams_without_a_token_take_no_other_permit_and_do_not_prevent_eviction() {
    let limits = Limits {
        calls: 1,
        streams: 1,
        public_streams: 2,
        public_streams_per_address: 1,
        ..Limits::default()
    };
    let all = all(&limits);
    let (here, there) = (ClientShare::new(&limits), ClientShare::new(&limits));
    let connection = ConnectionState::new();
    let permits = all.of(&here).on(connection.clone(), false);
    let first = permits.acquire_public().expect("the first");
    assert!(permits.acquire_public().is_err(), "one of each client");
    assert!(connection.idle_since().is_some());
    let _second = all.of(&there).acquire_public().expect("of another");
    assert!(all.of(&ClientShare::new(&limits)).acquire_public().is_err(), "two in all");
    let call = permits.acquire().expect("a permit");
    assert!(connection.idle_since().is_none());
    call.become_stream().expect("a stream of a user");
    drop(first);
    assert!(permits.acquire_public().is_ok());
}

/// Through a proxy a client has calls on no more connections than it could open itself.
#[test]
fn a_client_behind_a_proxy_does_not_have_all_its_connections() {
    let limits = Limits { connections_per_address: 1, ..Limits::default() };
    let all = all(&limits);
    let (here, there) = (ClientShare::new(&limits), ClientShare::new(&limits));
    let (first, second) = (ConnectionState::new(), ConnectionState::new());
    let on_first = all.of(&here).on(first, true);
    let one = on_first.acquire().expect("the first connection");
    let _two = on_first.acquire().expect("another call on it");
    assert!(all.of(&here).on(second.clone(), true).acquire().is_err());
    assert!(second.idle_since().is_some(), "refused");
    let other = all.of(&there).on(second.clone(), true);
    assert!(other.acquire().is_ok(), "of another client");
    drop(one);
    assert!(all.of(&here).on(second, true).acquire().is_ok());
}
