//! The job that lets reminders fire in time. Every replica has it; each reminder fires once.

use std::time::Duration;

use crate::{
    domain::timestamp::Moment,
    jobs::backoff::Trouble,
    store::{EveryUser, Tasks},
};

/// How often to look at least: a reminder may have been set for the next moment.
const PERIOD: Duration = Duration::from_secs(1);

/// Fires what is due when it is, for as long as it is polled. What became due while nobody
/// looked fires at the first look.
pub async fn run(tasks: Tasks, all: EveryUser) {
    let mut trouble = Trouble::default();
    loop {
        match tasks.fire_due(all).await {
            Ok(next) => {
                trouble.is_over("reminders fire again");
                tokio::time::sleep(pause(tasks.now(), next)).await;
            }
            Err(error) => trouble.happened(&error, "reminders cannot fire").await,
        }
    }
}

/// How long to wait at `now`, when the next reminder is due at `next`. Not for nothing, even
/// where it is due already: whoever is at it needs a moment.
fn pause(now: Moment, next: Option<Moment>) -> Duration {
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
            pause(Moment::from_micros(1_000_000), micros.map(Moment::from_micros)).as_millis()
        };
        assert_eq!(pause(None), 1_000);
        assert_eq!(pause(Some(1_500_000)), 500);
        assert_eq!(pause(Some(9_000_000)), 1_000);
        assert_eq!([pause(Some(1_000_000)), pause(Some(0))], [10, 10]);
    }
}
