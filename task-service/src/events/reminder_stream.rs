//! The reminders of all users as they fire, for services that pass them on.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    domain::task::{Fired, Task},
    error::Error,
    query::cursor::{Kind, Reader, Writer, is_of_version_1},
    store::{EveryUser, Tasks},
};

/// The length of a token of version 1, which did not say of which database it was.
const LENGTH_1: usize = 9;

/// No database has this epoch.
const NO_EPOCH: i64 = -1;

/// A place among the firings of all users: behind one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FiringPlace {
    number: i64,
    /// The epoch of the database whose number it is; `None`: of any, at the beginning.
    epoch: Option<i64>,
}

/// The text is no such token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a resume token as it came")]
pub struct InvalidResumeToken;

impl FiringPlace {
    /// The place as a caller carries it.
    pub fn token(self) -> String {
        let cursor = Writer::new(Kind::Reminders, b"").number(self.epoch.unwrap_or(NO_EPOCH));
        cursor.number(self.number).token()
    }

    /// Reads what [`FiringPlace::token`] wrote, in this version or in 2. A token of version 1
    /// is one of no database that there is.
    pub fn parse(token: &str) -> Result<Self, InvalidResumeToken> {
        if is_of_version_1(token, LENGTH_1) {
            return Ok(Self { number: 0, epoch: Some(NO_EPOCH) });
        }
        let cursor = Reader::open(token, Kind::Reminders, Some(b""));
        let cursor = cursor.or_else(|| Reader::open_version_2(token, None));
        cursor.and_then(Self::read).ok_or(InvalidResumeToken)
    }

    fn read(mut cursor: Reader) -> Option<Self> {
        let (epoch, number) = (cursor.count()?, cursor.count()?);
        cursor.finish(Self { number, epoch: Some(epoch) })
    }
}

/// A service that wants to know of all reminders.
pub struct Firings {
    tasks: Tasks,
    all: EveryUser,
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
    pub async fn begin(
        tasks: Tasks,
        all: EveryUser,
        mut place: FiringPlace,
        period: Duration,
    ) -> Result<Self, Error> {
        // Before anything is read: what fires from now on wakes.
        let news = tasks.hub().watch_firings();
        let epoch = tasks.read_epoch().await?.id;
        if *place.epoch.get_or_insert(epoch) != epoch
            || place.number > tasks.last_firing(all).await?
        {
            return Err(Error::UnknownResumeToken);
        }
        let page = tasks.fired_after(all, place.number).await?.into_iter();
        let beat = Instant::now() + period;
        Ok(Self { tasks, all, period, news, page, place, beat })
    }

    /// The next reminder with its task, or none for a heartbeat; and the place behind it.
    pub async fn next(&mut self) -> Result<(Option<(Fired, Task)>, FiringPlace), Error> {
        loop {
            if let Some(fired) = self.page.next() {
                self.place.number = fired.sequence;
                let Some(task) = self.tasks.task_of(self.all, &fired).await? else { continue };
                self.beat = Instant::now() + self.period;
                return Ok((Some((fired, task)), self.place));
            }
            if self.place.epoch != Some(self.tasks.epoch().id) {
                return Err(Error::UnknownResumeToken);
            }
            self.page = self.tasks.fired_after(self.all, self.place.number).await?.into_iter();
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
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let place = FiringPlace { number: 42, epoch: Some(9) };
        let token = place.token();
        assert_eq!(FiringPlace::parse(&token), Ok(place));
        let other = format!("C{}", &token[1..]);
        let negative = FiringPlace { number: -1, ..place }.token();
        let of_none = FiringPlace { epoch: None, ..place }.token();
        let longer = format!("{token}A");
        for text in ["", "!", &token[1..], &other, &longer, &negative, &of_none] {
            assert_eq!(FiringPlace::parse(text), Err(InvalidResumeToken), "{text:?}");
        }
        let before = [[2].as_slice(), &9_u64.to_be_bytes(), &42_u64.to_be_bytes()].concat();
        assert_eq!(FiringPlace::parse(&URL_SAFE_NO_PAD.encode(before)), Ok(place));
        let before = FiringPlace::parse(&URL_SAFE_NO_PAD.encode([1; 9])).expect("a token");
        assert_eq!(before.epoch, Some(NO_EPOCH));
    }
}
