use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};

use server::ClientInfo;

use super::*;

type Acquiring<'a> = Pin<Box<dyn Future<Output = Option<Permit>> + 'a>>;

fn address(number: u8) -> IpAddr {
    IpAddr::from([192, 0, 2, number])
}

fn poll(acquiring: &mut Acquiring<'_>) -> Poll<Option<Permit>> {
    acquiring.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// A request that waits for a permit.
fn waiting(queue: &FairQueue, from: Option<IpAddr>) -> Acquiring<'_> {
    let mut acquiring: Acquiring<'_> = Box::pin(queue.acquire(from));
    assert!(poll(&mut acquiring).is_pending(), "a permit was free, or the line is full");
    acquiring
}

fn taken(queue: &FairQueue, from: Option<IpAddr>) -> Permit {
    let mut acquiring: Acquiring<'_> = Box::pin(queue.acquire(from));
    let Poll::Ready(Some(permit)) = poll(&mut acquiring) else { panic!("no permit") };
    permit
}

fn is_refused(queue: &FairQueue, from: Option<IpAddr>) -> bool {
    let mut acquiring: Acquiring<'_> = Box::pin(queue.acquire(from));
    matches!(poll(&mut acquiring), Poll::Ready(None))
}

#[test]
fn the_request_of_another_client_is_next() {
    let queue = FairQueue::new(2);
    let first = taken(&queue, Some(address(1)));
    let second = taken(&queue, Some(address(1)));
    let mut many: Vec<_> =
        (0..MAX_WAITING_PER_CLIENT).map(|_| waiting(&queue, Some(address(1)))).collect();
    assert!(is_refused(&queue, Some(address(1))), "its line is full");
    let mut stranger = waiting(&queue, Some(address(2)));
    drop(first);
    assert!(many.iter_mut().all(|one| poll(one).is_pending()));
    let Poll::Ready(Some(permit)) = poll(&mut stranger) else { panic!("not its turn") };
    drop((second, permit));
    let mut kept = Vec::new();
    let next: Vec<_> = many[..3].iter_mut().map(|one| poll_and_keep(one, &mut kept)).collect();
    assert_eq!(next, [true, true, false], "two permits, no more");
}

#[test]
fn addresses_that_hold_equally_many_take_turns() {
    let queue = FairQueue::new(1);
    let mut permit = taken(&queue, None);
    let mut lines: Vec<Vec<_>> =
        (1..=3).map(|n| (0..3).map(|_| waiting(&queue, Some(address(n)))).collect()).collect();
    let mut order = Vec::new();
    for _ in 0..9 {
        drop(permit);
        let at = lines.iter_mut().position(|line| {
            line.first_mut().is_some_and(|first| poll_and_keep(first, &mut order))
        });
        let at = at.expect("somebody's turn");
        drop(lines[at].remove(0));
        permit = order.pop().expect("the permit");
        assert_eq!(permit.client, Some(address(u8::try_from(at).expect("small") + 1)));
    }
    assert!(lines.iter().all(Vec::is_empty));
}

fn poll_and_keep(acquiring: &mut Acquiring<'_>, kept: &mut Vec<Permit>) -> bool {
    let Poll::Ready(Some(permit)) = poll(acquiring) else { return false };
    kept.push(permit);
    true
}

#[test]
fn a_full_queue_sheds_the_client_with_the_most_requests() {
    let queue = FairQueue::new(2);
    let _held = [taken(&queue, None), taken(&queue, None)];
    let mut lines: Vec<_> = (1..=2)
        .map(|n| {
            (0..MAX_WAITING_PER_CLIENT)
                .map(|_| waiting(&queue, Some(address(n))))
                .collect::<Vec<_>>()
        })
        .collect();
    let _strangers: Vec<_> = (3..=10).map(|n| waiting(&queue, Some(address(n)))).collect();
    let ready = |acquiring: &mut Acquiring<'_>| matches!(poll(acquiring), Poll::Ready(None));
    let gone: Vec<_> = lines
        .iter_mut()
        .map(|line| line.iter_mut().filter_map(|one| ready(one).then_some(())).count())
        .collect();
    assert_eq!(gone, [4, 4], "the last of both, in turn");
    assert_eq!(queue.state().waiting.values().map(VecDeque::len).sum::<usize>(), 32);
}

#[test]
fn where_all_have_one_the_next_client_is_refused() {
    let queue = FairQueue::new(1);
    let _held = taken(&queue, None);
    let _lines: Vec<_> = (0..16).map(|n| waiting(&queue, Some(address(n)))).collect();
    assert!(is_refused(&queue, Some(address(100))));
}

#[test]
fn a_request_that_leaves_frees_its_position_and_loses_no_permit() {
    let queue = FairQueue::new(1);
    let held = taken(&queue, None);
    let first = waiting(&queue, Some(address(1)));
    let mut second = waiting(&queue, Some(address(1)));
    drop(first);
    drop(held);
    assert!(poll(&mut second).is_ready(), "the one before it has left");
    drop(second);
    let held = taken(&queue, Some(address(1)));
    let granted = waiting(&queue, Some(address(2)));
    drop(held); // goes to who does not poll any more
    drop(granted);
    let _again = taken(&queue, Some(address(3)));
    let state = queue.state();
    assert!(state.waiting.is_empty() && state.turns.is_empty() && state.free == 0);
    assert_eq!(state.held.len(), 1);
}

#[test]
fn neighbours_in_a_network_of_ipv6_are_one() {
    let queue = FairQueue::new(1);
    let _held = taken(&queue, None);
    let of = |host: u16| ClientInfo::at([0x2001, 0xdb8, 0, 1, 0, 0, 0, host].into()).prefix();
    let _line: Vec<_> = (0..16).map(|n| waiting(&queue, of(n))).collect();
    assert!(is_refused(&queue, of(99)));
}
