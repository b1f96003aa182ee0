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
#[path = "fair_queue_tests.rs"]
mod tests;
