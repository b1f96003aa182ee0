//! Permits that addresses take by turns.
//!
//! A free permit goes to whoever comes. When all are taken, the next one goes to the waiting
//! address that holds the fewest, and among equals to the one whose turn was longest ago:
//! whoever asks a hundred times at once waits behind itself, and nobody else does. No permit
//! is idle while somebody waits.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// How many of one address may wait. A frontend's server that signs its users in is one
/// address, unless it is a trusted proxy.
const WAITING_EACH: usize = 16;

/// How many may wait for each permit, whoever they are: about as many as their patience
/// lasts for.
const WAITING_PER_PERMIT: usize = 16;

/// The prefix of an address, by which clients are counted; those that have none are one.
type Client = Option<IpAddr>;

/// Permits, and those who wait for one.
#[derive(Clone)]
pub struct FairQueue(Arc<Mutex<State>>);

struct State {
    free: usize,
    most_waiting: usize,
    held: HashMap<Client, usize>,
    waiting: HashMap<Client, VecDeque<Waiting>>,
    /// Every client that waits, whose turn was longest ago first.
    turns: VecDeque<Client>,
    next_ticket: u64,
}

struct Waiting {
    ticket: u64,
    turn: oneshot::Sender<Permit>,
}

/// Leave to work, given back when it is dropped.
pub struct Permit {
    queue: FairQueue,
    client: Client,
}

/// A place in the queue, left when it is dropped.
struct Ticket {
    queue: FairQueue,
    client: Client,
    number: u64,
}

impl FairQueue {
    pub fn new(permits: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: permits,
            most_waiting: permits * WAITING_PER_PERMIT,
            held: HashMap::new(),
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            next_ticket: 0,
        })))
    }

    /// A permit for a client. `None` as soon as too many wait: of it, or of all and no other
    /// client has more than it.
    pub async fn acquire(&self, client: Client) -> Option<Permit> {
        let (ticket, turn) = {
            let mut state = self.state();
            if state.free > 0 {
                state.free -= 1;
                *state.held.entry(client).or_default() += 1;
                drop(state);
                return Some(Permit { queue: self.clone(), client });
            }
            let (number, turn) = state.wait(client)?;
            drop(state);
            (Ticket { queue: self.clone(), client, number }, turn)
        };
        let permit = turn.await.ok();
        drop(ticket);
        permit
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wait(&mut self, client: Client) -> Option<(u64, oneshot::Receiver<Permit>)> {
        let own = self.waiting.get(&client).map_or(0, VecDeque::len);
        if own >= WAITING_EACH {
            return None;
        }
        if self.waiting.values().map(VecDeque::len).sum::<usize>() >= self.most_waiting {
            self.make_room(own)?;
        }
        let (sender, turn) = oneshot::channel();
        let ticket = self.next_ticket;
        self.next_ticket += 1;
        let line = self.waiting.entry(client).or_default();
        if line.is_empty() {
            self.turns.push_back(client);
        }
        line.push_back(Waiting { ticket, turn: sender });
        Some((ticket, turn))
    }

    /// Sends the last one away of whoever has the most that wait, if that is more than
    /// somebody with `own` of them will have.
    fn make_room(&mut self, own: usize) -> Option<()> {
        let (client, line) = self.waiting.iter_mut().max_by_key(|(_, line)| line.len())?;
        if line.len() <= own + 1 {
            return None;
        }
        let client = *client;
        line.pop_back();
        self.forget_if_empty(client);
        Some(())
    }

    /// Takes one out of the line who no longer waits, if it still stands there.
    fn leave(&mut self, client: Client, ticket: u64) {
        if let Some(line) = self.waiting.get_mut(&client) {
            line.retain(|waiting| waiting.ticket != ticket);
            self.forget_if_empty(client);
        }
    }

    fn forget_if_empty(&mut self, client: Client) {
        if self.waiting.get(&client).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&client);
            self.turns.retain(|waits| *waits != client);
        }
    }

    /// Who is next, counted as holding a permit from now on.
    fn next(&mut self) -> Option<(Client, Waiting)> {
        let held = |client: &Client| self.held.get(client).copied().unwrap_or_default();
        let at = (0..self.turns.len()).min_by_key(|at| held(&self.turns[*at]))?;
        let client = self.turns.remove(at)?;
        let line = self.waiting.get_mut(&client)?;
        let next = line.pop_front()?;
        if line.is_empty() {
            self.waiting.remove(&client);
        } else {
            self.turns.push_back(client);
        }
        *self.held.entry(client).or_default() += 1;
        Some((client, next))
    }

    fn give_back(&mut self, client: Client) {
        if let Some(held) = self.held.get_mut(&client) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&client);
            }
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let next = {
            let mut state = self.queue.state();
            state.give_back(self.client);
            let next = state.next();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some((client, waiting)) = next {
            // Who left at this very moment drops the permit, and with it passes it on.
            let _ = waiting.turn.send(Permit { queue: self.queue.clone(), client });
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.queue.state().leave(self.client, self.number);
    }
}

#[cfg(test)]
mod tests {
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

    fn look(acquiring: &mut Acquiring<'_>) -> Poll<Option<Permit>> {
        acquiring.as_mut().poll(&mut Context::from_waker(Waker::noop()))
    }

    /// Somebody who has asked for a permit and stands in line.
    fn waiting(queue: &FairQueue, from: Option<IpAddr>) -> Acquiring<'_> {
        let mut acquiring: Acquiring<'_> = Box::pin(queue.acquire(from));
        assert!(look(&mut acquiring).is_pending(), "a permit was free, or the line is full");
        acquiring
    }

    fn taken(queue: &FairQueue, from: Option<IpAddr>) -> Permit {
        let mut acquiring: Acquiring<'_> = Box::pin(queue.acquire(from));
        let Poll::Ready(Some(permit)) = look(&mut acquiring) else { panic!("no permit") };
        permit
    }

    fn is_refused(queue: &FairQueue, from: Option<IpAddr>) -> bool {
        let mut acquiring: Acquiring<'_> = Box::pin(queue.acquire(from));
        matches!(look(&mut acquiring), Poll::Ready(None))
    }

    #[test]
    fn who_comes_last_from_elsewhere_is_next() {
        let queue = FairQueue::new(2);
        let first = taken(&queue, Some(address(1)));
        let second = taken(&queue, Some(address(1)));
        let mut many: Vec<_> =
            (0..WAITING_EACH).map(|_| waiting(&queue, Some(address(1)))).collect();
        assert!(is_refused(&queue, Some(address(1))), "its line is full");
        let mut stranger = waiting(&queue, Some(address(2)));
        drop(first);
        assert!(many.iter_mut().all(|one| look(one).is_pending()));
        let Poll::Ready(Some(permit)) = look(&mut stranger) else { panic!("not its turn") };
        drop((second, permit));
        let mut kept = Vec::new();
        let next: Vec<_> = many[..3].iter_mut().map(|one| look_and_keep(one, &mut kept)).collect();
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
                line.first_mut().is_some_and(|first| look_and_keep(first, &mut order))
            });
            let at = at.expect("somebody's turn");
            drop(lines[at].remove(0));
            permit = order.pop().expect("the permit");
            assert_eq!(permit.client, Some(address(u8::try_from(at).expect("small") + 1)));
        }
        assert!(lines.iter().all(Vec::is_empty));
    }

    fn look_and_keep(acquiring: &mut Acquiring<'_>, kept: &mut Vec<Permit>) -> bool {
        let Poll::Ready(Some(permit)) = look(acquiring) else { return false };
        kept.push(permit);
        true
    }

    #[test]
    fn a_full_queue_takes_from_whoever_has_the_most_in_it() {
        let queue = FairQueue::new(2);
        let _held = [taken(&queue, None), taken(&queue, None)];
        let mut lines: Vec<_> = (1..=2)
            .map(|n| {
                (0..WAITING_EACH).map(|_| waiting(&queue, Some(address(n)))).collect::<Vec<_>>()
            })
            .collect();
        let _strangers: Vec<_> = (3..=10).map(|n| waiting(&queue, Some(address(n)))).collect();
        let ready = |acquiring: &mut Acquiring<'_>| matches!(look(acquiring), Poll::Ready(None));
        let gone: Vec<_> = lines
            .iter_mut()
            .map(|line| line.iter_mut().filter_map(|one| ready(one).then_some(())).count())
            .collect();
        assert_eq!(gone, [4, 4], "the last of both, in turn");
        assert_eq!(queue.state().waiting.values().map(VecDeque::len).sum::<usize>(), 32);
    }

    #[test]
    fn where_all_have_one_the_next_address_is_refused() {
        let queue = FairQueue::new(1);
        let _held = taken(&queue, None);
        let _lines: Vec<_> = (0..16).map(|n| waiting(&queue, Some(address(n)))).collect();
        assert!(is_refused(&queue, Some(address(100))));
    }

    #[test]
    fn who_leaves_makes_room_and_loses_no_permit() {
        let queue = FairQueue::new(1);
        let held = taken(&queue, None);
        let first = waiting(&queue, Some(address(1)));
        let mut second = waiting(&queue, Some(address(1)));
        drop(first);
        drop(held);
        assert!(look(&mut second).is_ready(), "the one before it has left");
        drop(second);
        let held = taken(&queue, Some(address(1)));
        let granted = waiting(&queue, Some(address(2)));
        drop(held); // goes to who does not look any more
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
}
