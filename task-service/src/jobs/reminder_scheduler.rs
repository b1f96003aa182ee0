//! The reminder scheduler. Every replica runs it; each reminder fires once (`store/reminders.rs`).

use std::time::Duration;

use crate::{
    domain::timestamp::Timestamp,
    jobs::backoff::Backoff,
    store::{EveryUser, Tasks},
};

/// The longest pause: a reminder may be set for the next moment.
const PERIOD: Duration = Duration::from_secs(1);

/// Fires reminders when they are due, and overdue ones at once.
pub async fn run(tasks: Tasks, all: EveryUser) {
    let mut backoff = Backoff::default();
    loop {
        match tasks.fire_due(all).await {
            Ok(next) => {
                backoff.succeeded("reminders fire again");
                tokio::time::sleep(pause(tasks.now(), next)).await;
            }
            Err(error) => backoff.failed(&error, "reminders cannot fire").await,
        }
    }
}

/// The pause at `now` before the next reminder at `next`. Never zero: another replica that fires it
/// needs a moment.
fn pause(now: Timestamp, next: Option<Timestamp>) -> Duration {
    let micros = next.map_or(i64::MAX, |next| next.micros().saturating_sub(now.micros()));
    let until = Duration::from_micros(u64::try_from(micros).unwrap_or(0));
    until.clamp(Duration::from_millis(10), PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sleeps_until_the_next_one_and_a_second_at_most() {
        let pause = |micros: Option<i64>| {
            pause(Timestamp::from_micros(1_000_000), micros.map(Timestamp::from_micros)).as_millis()
        };
        assert_eq!(pause(None), 1_000);
        assert_eq!(pause(Some(1_500_000)), 500);
        assert_eq!(pause(Some(9_000_000)), 1_000);
        assert_eq!([pause(Some(1_000_000)), pause(Some(0))], [10, 10]);
    }
}
