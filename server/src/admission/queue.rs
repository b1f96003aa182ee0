//! The queue of calls beyond the limits: a short wait rides out a burst, and what is refused then
//! is refused cheaply (load shedding).

use std::time::Duration;

use tokio::time::timeout;
use tonic::Status;

use super::{
    permits::{Admission, Permit, Permits, too_many_calls},
    refusal_log::Limit,
};

/// The longest wait for a permit.
const MAX_WAIT: Duration = Duration::from_millis(500);

impl Admission {
    /// A permit for one call, in the order of arrival. As many calls may wait as may run, of one
    /// client and in all, for half a second; others are refused at once.
    pub async fn acquire_in_order(&self) -> Result<Permit, Status> {
        let entry = self.enter()?;
        let permits = match self.running_now() {
            Some(permits) => permits,
            None => self.wait().await?,
        };
        Ok(self.permit(permits, entry))
    }

    async fn wait(&self) -> Result<Permits, Status> {
        let limits = (Limit::Calls, Limit::CallsPerAddress);
        let place = self.acquire_from(|pools| &pools.queued, limits).ok_or_else(too_many_calls)?;
        let (of_client, total) = self.running_pools();
        let permits = async {
            let of_client = of_client.clone().acquire_owned().await.ok()?;
            Some([total.clone().acquire_owned().await.ok()?, of_client])
        };
        let permits = timeout(MAX_WAIT, permits).await;
        drop(place);
        permits.ok().flatten().ok_or_else(|| {
            let is_client_busy = of_client.available_permits() == 0;
            self.record(if is_client_busy { Limit::CallsPerAddress } else { Limit::Calls });
            too_many_calls()
        })
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::Instant;

    use super::*;
    use crate::admission::{fair_share::ClientShare, limits::Limits, refusal_log::RefusalLog};

    #[tokio::test(start_paused = true)]
    async fn calls_wait_in_order_up_to_a_number_and_a_time() {
        let limits = Limits { calls: 4, calls_per_address: 1, ..Limits::default() };
        let all = Admission::new(&limits, RefusalLog::default());
        let here = all.of(&ClientShare::new(&limits));
        let first = here.acquire_in_order().await.expect("a permit");
        let second = tokio::spawn({
            let here = here.clone();
            async move { here.acquire_in_order().await }
        });
        tokio::task::yield_now().await;
        let start = Instant::now();
        assert!(here.acquire_in_order().await.is_err(), "one waits already");
        assert_eq!(start.elapsed(), Duration::ZERO);
        let there = all.of(&ClientShare::new(&limits));
        assert!(there.acquire_in_order().await.is_ok(), "another client waits for nobody");
        drop(first);
        let second = second.await.expect("no panic").expect("a permit");
        let start = Instant::now();
        assert!(here.acquire_in_order().await.is_err(), "none becomes free");
        assert_eq!(start.elapsed(), MAX_WAIT);
        drop(second);
        assert!(here.acquire_in_order().await.is_ok(), "nothing is kept");
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_of_all_has_a_queue_too() {
        let limits = Limits { calls: 1, calls_per_address: 1, ..Limits::default() };
        let all = Admission::new(&limits, RefusalLog::default());
        let clients = [(); 3].map(|()| all.of(&ClientShare::new(&limits)));
        let first = clients[0].acquire_in_order().await.expect("a permit");
        let second = tokio::spawn({
            let client = clients[1].clone();
            async move { client.acquire_in_order().await.map(drop) }
        });
        tokio::task::yield_now().await;
        assert!(clients[2].acquire_in_order().await.is_err(), "one waits already");
        drop(first);
        second.await.expect("no panic").expect("a permit");
    }
}
