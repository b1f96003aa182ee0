//! The notification of other replicas: the users whose tasks changed, and whether reminders fired.
//! A hint to read, without content.

use std::collections::BTreeSet;

/// The most users in a notification; beyond, it is for all users.
const MAX_USERS: usize = 10_000;

/// Lines beside user ids, which have no control characters.
const REMINDERS: &str = "\tfired";
const ALL_USERS: &str = "\teverybody";

/// The notification of other replicas.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notification {
    /// The users whose tasks have changed.
    pub users: Users,
    /// Whether reminders have fired.
    pub reminders: bool,
}

/// Some users, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// These users.
    These(BTreeSet<String>),
    /// All users: the changed ones are unknown or too many.
    All,
}

impl Default for Users {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Notification {
    /// A notification for all users, and of reminders.
    pub fn for_all() -> Self {
        Self { users: Users::All, reminders: true }
    }

    /// Adds a user, or all users beyond the limit.
    pub fn add(&mut self, user: &str) {
        let Users::These(users) = &mut self.users else { return };
        if users.len() < MAX_USERS {
            users.insert(user.to_owned());
        } else {
            self.users = Users::All;
        }
    }

    /// Adds all of `other`.
    pub fn extend(&mut self, other: Self) {
        self.reminders |= other.reminders;
        match other.users {
            Users::All => self.users = Users::All,
            Users::These(users) => users.iter().for_each(|user| self.add(user)),
        }
    }

    /// The payloads of the notification from `replica`, of at most `limit` bytes each, in which one
    /// user fits at least.
    pub fn payloads(&self, replica: &str, limit: usize) -> Vec<String> {
        let reminders = self.reminders.then_some(REMINDERS);
        let (all, these) = match &self.users {
            Users::All => (Some(ALL_USERS), None),
            Users::These(users) => (None, Some(users)),
        };
        let users = these.into_iter().flatten().map(String::as_str);
        let mut texts: Vec<String> = Vec::new();
        for line in reminders.into_iter().chain(all).chain(users) {
            match texts.last_mut() {
                Some(text) if text.len() + 1 + line.len() <= limit => {
                    text.push('\n');
                    text.push_str(line);
                }
                _ => texts.push(format!("{replica}\n{line}")),
            }
        }
        texts
    }

    /// Decodes a payload: the sender and the notification.
    pub fn parse(text: &str) -> (&str, Self) {
        let (replica, lines) = text.split_once('\n').unwrap_or((text, ""));
        let mut notification = Self::default();
        for line in lines.lines() {
            match line {
                REMINDERS => notification.reminders = true,
                ALL_USERS => notification.users = Users::All,
                user => notification.add(user),
            }
        }
        (replica, notification)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(users: &[&str]) -> Notification {
        let mut notification = Notification::default();
        for user in users {
            notification.add(user);
        }
        notification
    }

    #[test]
    fn every_user_is_in_one_of_the_texts_and_none_is_too_long() {
        let users: Vec<_> = (0..500).map(|n| format!("{n}-ü{}", "x".repeat(n % 200))).collect();
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        let notification = Notification { reminders: true, ..of(&users) };
        let texts = notification.payloads("here", 1000);
        assert!(texts.len() > 10 && texts.iter().all(|text| text.len() <= 1000));
        let mut read = Notification::default();
        for text in &texts {
            let (replica, part) = Notification::parse(text);
            assert_eq!(replica, "here");
            read.extend(part);
        }
        assert_eq!(read, notification);
    }

    #[test]
    fn too_many_users_become_all_users() {
        let mut notification = Notification::default();
        assert!(notification.payloads("here", 1000).is_empty());
        for n in 0..=MAX_USERS {
            notification.add(&n.to_string());
        }
        assert_eq!(notification, Notification { users: Users::All, reminders: false });
        assert_eq!(
            Notification::parse(&notification.payloads("here", 1000)[0]),
            ("here", notification)
        );
    }

    #[test]
    fn a_user_id_is_never_read_as_a_keyword() {
        let notification = of(&["everybody", "fired", " everybody", "\\tfired"]);
        let (_, read) = Notification::parse(&notification.payloads("here", 1000)[0]);
        assert_eq!(read, notification);
    }
}
