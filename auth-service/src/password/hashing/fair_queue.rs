//! A fair queue of permits, by client.
//!
//! A free permit is taken at once. When all are taken, the next one goes to the waiting client
//! with the fewest permits, and among equals to the one whose turn was longest ago: a client with
//! a hundred requests delays itself alone. No permit is idle while a client waits.

use std::{
    collections::{HashMap, VecDeque},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::oneshot;

/// The most waiting requests of one client. A frontend's server that signs its users in is one
/// client, unless it is a trusted proxy.
const MAX_WAITING_PER_CLIENT: usize = 16;

/// The most waiting requests per permit: about as many as can be served within their timeout.
const MAX_WAITING_PER_PERMIT: usize = 16;

/// The client prefix; clients without an address count as one.
type Client = Option<IpAddr>;

/// The fair queue.
#[derive(Clone)]
pub struct FairQueue(Arc<Mutex<State>>);

struct State {
    free: usize,
    max_waiting: usize,
    held: HashMap<Client, usize>,
    waiting: HashMap<Client, VecDeque<Waiting>>,
    /// The waiting clients, the one whose turn was longest ago first.
    turns: VecDeque<Client>,
    next_ticket: u64,
}

struct Waiting {
    ticket: u64,
    turn: oneshot::Sender<Permit>,
}

/// A permit, released when dropped.
pub struct Permit {
    queue: FairQueue,
    client: Client,
}

/// A position in the queue, left when dropped.
struct Ticket {
    queue: FairQueue,
    client: Client,
    number: u64,
}

impl FairQueue {
    pub fn new(permits: usize) -> Self {
        Self(Arc::new(Mutex::new(State {
            free: permits,
            max_waiting: permits * MAX_WAITING_PER_PERMIT,
            held: HashMap::new(),
            waiting: HashMap::new(),
            turns: VecDeque::new(),
            next_ticket: 0,
        })))
    }

    /// A permit for a client. `None` if the queue is full: with the requests of this client, or
    /// with those of all while no other client has more.
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
        if own >= MAX_WAITING_PER_CLIENT {
            return None;
        }
        if self.waiting.values().map(VecDeque::len).sum::<usize>() >= self.max_waiting {
            self.shed(own)?;
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

    /// Refuses the last request of the client with the most, if that is more than a client with
    /// `own` requests will have.
    fn shed(&mut self, own: usize) -> Option<()> {
        let (client, line) = self.waiting.iter_mut().max_by_key(|(_, line)| line.len())?;
        if line.len() <= own + 1 {
            return None;
        }
        let client = *client;
        line.pop_back();
        self.remove_if_empty(client);
        Some(())
    }

    /// Removes a request that no longer waits.
    fn leave(&mut self, client: Client, ticket: u64) {
        if let Some(line) = self.waiting.get_mut(&client) {
            line.retain(|waiting| waiting.ticket != ticket);
            self.remove_if_empty(client);
        }
    }

    fn remove_if_empty(&mut self, client: Client) {
        if self.waiting.get(&client).is_some_and(VecDeque::is_empty) {
            self.waiting.remove(&client);
            self.turns.retain(|waits| *waits != client);
        }
    }

    /// The next request, counted as holding a permit.
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

    fn release(&mut self, client: Client) {
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
            state.release(self.client);
            let next = state.next();
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some((client, waiting)) = next {
            // If the receiver is gone, the permit is dropped and passed on.
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
}
