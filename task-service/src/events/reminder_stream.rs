//! The reminder stream: the reminders of all users as they fire, for other services.

use std::{collections::VecDeque, time::Duration};

use server::cursor::{Kind, Reader, Writer, is_of_version_1};
use shared::error::Refusal;
use tokio::{
    sync::watch,
    time::{Instant, timeout_at},
};

use crate::{
    domain::task::{ReminderEvent, Task},
    error::Error,
    events::outage::Outage,
    store::{EveryUser, Tasks},
};

/// The length of a cursor of version 1, which had no epoch.
const LENGTH_1: usize = 9;

/// An epoch that no database has.
const NO_EPOCH: i64 = -1;

/// A reminder cursor: right after one of the reminder events of all users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReminderCursor {
    number: i64,
    /// The epoch of the database; `None` for any, at the beginning.
    epoch: Option<i64>,
}

/// The error of an invalid resume token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be empty or a resume token as it came")]
pub struct InvalidResumeToken;

impl ReminderCursor {
    /// The resume token.
    pub fn token(self) -> String {
        let cursor = Writer::new(Kind::Reminders, b"").number(self.epoch.unwrap_or(NO_EPOCH));
        cursor.number(self.number).token()
    }

    /// Parses a resume token of this version or 2. One of version 1 is of an unknown database.
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

/// A stream of the reminders of all users.
pub struct ReminderStream {
    tasks: Tasks,
    all: EveryUser,
    period: Duration,
    wakeups: watch::Receiver<()>,
    /// Events that have been read and not sent.
    page: VecDeque<ReminderEvent>,
    cursor: ReminderCursor,
    /// The time of the next heartbeat.
    beat: Instant,
    outage: Outage,
}

impl ReminderStream {
    /// A stream from `cursor` that sends something every `period` at least. It outlasts an outage of
    /// the database of a minute.
    pub async fn begin(
        tasks: Tasks,
        all: EveryUser,
        mut cursor: ReminderCursor,
        period: Duration,
    ) -> Result<Self, Error> {
        // Subscribed before the first read, so no reminder is missed.
        let wakeups = tasks.pubsub().subscribe_reminders();
        let epoch = tasks.read_epoch().await?.id;
        if *cursor.epoch.get_or_insert(epoch) != epoch
            || cursor.number > tasks.last_reminder_event(all).await?
        {
            return Err(Refusal::ResumeTokenUnknown.into());
        }
        let page = tasks.reminder_events_after(all, cursor.number).await?.into();
        let (beat, outage) = (Instant::now() + period, Outage::default());
        Ok(Self { tasks, all, period, wakeups, page, cursor, beat, outage })
    }

    /// The next reminder with its task, or none for a heartbeat; and the cursor after it.
    pub async fn next(&mut self) -> Result<(Option<(ReminderEvent, Task)>, ReminderCursor), Error> {
        loop {
            if let Some(fired) = self.page.pop_front() {
                let read = self.tasks.task_of_event(self.all, &fired);
                match self.outage.read(self.beat, read).await? {
                    Some(task) => {
                        self.cursor.number = fired.sequence;
                        let Some(task) = task else { continue };
                        self.beat = Instant::now() + self.period;
                        return Ok((Some((fired, task)), self.cursor));
                    }
                    None => self.page.push_front(fired),
                }
            } else if self.cursor.epoch == Some(self.tasks.epoch().id) {
                let read = self.tasks.reminder_events_after(self.all, self.cursor.number);
                if let Some(page) = self.outage.read(self.beat, read).await? {
                    self.page = page.into();
                }
            } else {
                return Err(Refusal::ResumeTokenUnknown.into());
            }
            if !self.page.is_empty() && !self.outage.is_on() {
                continue;
            }
            if Instant::now() >= self.beat {
                self.beat = Instant::now() + self.period;
                return Ok((None, self.cursor));
            }
            if !self.outage.is_on() {
                // A notification or the heartbeat, the next step is to read.
                let _ = timeout_at(self.beat, self.wakeups.changed()).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

    use super::*;

    #[test]
    fn a_token_is_read_back_and_nothing_else_is_one() {
        let cursor = ReminderCursor { number: 42, epoch: Some(9) };
        let token = cursor.token();
        assert_eq!(ReminderCursor::parse(&token), Ok(cursor));
        let other = format!("C{}", &token[1..]);
        let negative = ReminderCursor { number: -1, ..cursor }.token();
        let of_none = ReminderCursor { epoch: None, ..cursor }.token();
        let longer = format!("{token}A");
        for text in ["", "!", &token[1..], &other, &longer, &negative, &of_none] {
            assert_eq!(ReminderCursor::parse(text), Err(InvalidResumeToken), "{text:?}");
        }
        let before = [[2].as_slice(), &9_u64.to_be_bytes(), &42_u64.to_be_bytes()].concat();
        assert_eq!(ReminderCursor::parse(&URL_SAFE_NO_PAD.encode(before)), Ok(cursor));
        let before = ReminderCursor::parse(&URL_SAFE_NO_PAD.encode([1; 9])).expect("a token");
        assert_eq!(before.epoch, Some(NO_EPOCH));
    }
}
