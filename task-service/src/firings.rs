//! The reminders of all users as they fire, for services that pass them on.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    error::Error,
    store::Tasks,
    task::{Fired, Task},
};

/// The first byte of a token; another layout gets another one.
const VERSION: u8 = 1;

/// A place among the firings of all users: behind one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FiringPlace(i64);

/// The text is no such token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a resume token as it came")]
pub struct InvalidResumeToken;

impl FiringPlace {
    /// The place as a caller carries it.
    pub fn token(self) -> String {
        let mut bytes = [VERSION; 9];
        bytes[1..].copy_from_slice(&self.0.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads what [`FiringPlace::token`] wrote.
    pub fn parse(token: &str) -> Result<Self, InvalidResumeToken> {
        let bytes = URL_SAFE_NO_PAD.decode(token).map_err(|_| InvalidResumeToken)?;
        match bytes.split_first_chunk::<1>() {
            Some((&[VERSION], number)) => {
                let number = number.try_into().map_err(|_| InvalidResumeToken)?;
                let number = i64::from_be_bytes(number);
                if number < 0 { Err(InvalidResumeToken) } else { Ok(Self(number)) }
            }
            _ => Err(InvalidResumeToken),
        }
    }
}

/// A service that wants to know of all reminders.
pub struct Firings {
    tasks: Tasks,
    period: Duration,
    news: watch::Receiver<()>,
    /// What has been read and not told.
    page: std::vec::IntoIter<Fired>,
    place: FiringPlace,
    /// When to say that nothing fired.
    beat: Instant,
}

impl Firings {
    /// Begins after `place`, and says something every `period` at least.
    pub async fn begin(tasks: Tasks, place: FiringPlace, period: Duration) -> Result<Self, Error> {
        // Before anything is read: what fires from now on wakes.
        let news = tasks.hub().watch_firings();
        // A number that nobody reached is of a database from before it was restored.
        if place.0 > tasks.last_firing().await? {
            return Err(Error::UnknownResumeToken);
        }
        let page = tasks.fired_after(place.0).await?.into_iter();
        let beat = Instant::now() + period;
        Ok(Self { tasks, period, news, page, place, beat })
    }

    /// The next reminder with its task, or none for a heartbeat; and the place behind it.
    pub async fn next(&mut self) -> Result<(Option<(Fired, Task)>, FiringPlace), Error> {
        loop {
            if let Some(fired) = self.page.next() {
                self.place = FiringPlace(fired.sequence);
                let Some(task) = self.tasks.task_of(&fired).await? else { continue };
                self.beat = Instant::now() + self.period;
                return Ok((Some((fired, task)), self.place));
            }
            self.page = self.tasks.fired_after(self.place.0).await?.into_iter();
            if self.page.len() > 0 {
                continue;
            }
            if Instant::now() >= self.beat {
                self.beat = Instant::now() + self.period;
                return Ok((None, self.place));
            }
            // Too early or not, the next thing is to look.
            let _ = timeout_at(self.beat, self.news.changed()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let token = FiringPlace(42).token();
        assert_eq!(FiringPlace::parse(&token), Ok(FiringPlace(42)));
        let (other, negative) = (format!("B{}", &token[1..]), FiringPlace(-1).token());
        for text in ["", "!", &token[1..], &other, &format!("{token}A"), &negative] {
            assert_eq!(FiringPlace::parse(text), Err(InvalidResumeToken), "{text:?}");
        }
    }
}
