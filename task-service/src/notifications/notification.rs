//! What one replica tells the others: whose tasks have changed, and whether reminders have
//! fired. Hints to look, nothing of what changed.

use std::collections::BTreeSet;

/// More users than this are not named one by one.
const MAX_USERS: usize = 10_000;

/// Words beside user ids, which have no control characters.
const FIRED: &str = "\tfired";
const EVERYBODY: &str = "\teverybody";

/// Where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notice {
    /// Whose tasks have changed.
    pub users: Users,
    /// Whether reminders have fired.
    pub fired: bool,
}

/// Some users, or all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Users {
    /// These.
    These(BTreeSet<String>),
    /// Everybody: who changed is not known, or they are too many to name.
    All,
}

impl Default for Users {
    fn default() -> Self {
        Self::These(BTreeSet::new())
    }
}

impl Notice {
    /// Look everywhere.
    pub fn everything() -> Self {
        Self { users: Users::All, fired: true }
    }

    /// Adds a user, or everybody where there are too many.
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
        self.fired |= other.fired;
        match other.users {
            Users::All => self.users = Users::All,
            Users::These(users) => users.iter().for_each(|user| self.add(user)),
        }
    }

    /// The notice of `replica` as texts of at most `limit` bytes each, in which one user
    /// fits at least.
    pub fn texts(&self, replica: &str, limit: usize) -> Vec<String> {
        let fired = self.fired.then_some(FIRED);
        let (all, these) = match &self.users {
            Users::All => (Some(EVERYBODY), None),
            Users::These(users) => (None, Some(users)),
        };
        let users = these.into_iter().flatten().map(String::as_str);
        let mut texts: Vec<String> = Vec::new();
        for line in fired.into_iter().chain(all).chain(users) {
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

    /// Reads one of the texts: which replica says so, and what.
    pub fn parse(text: &str) -> (&str, Self) {
        let (replica, lines) = text.split_once('\n').unwrap_or((text, ""));
        let mut notice = Self::default();
        for line in lines.lines() {
            match line {
                FIRED => notice.fired = true,
                EVERYBODY => notice.users = Users::All,
                user => notice.add(user),
            }
        }
        (replica, notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(users: &[&str]) -> Notice {
        let mut notice = Notice::default();
        for user in users {
            notice.add(user);
        }
        notice
    }

    #[test]
    fn every_user_is_in_one_of_the_texts_and_none_is_too_long() {
        let users: Vec<_> = (0..500).map(|n| format!("{n}-ü{}", "x".repeat(n % 200))).collect();
        let users: Vec<_> = users.iter().map(String::as_str).collect();
        let notice = Notice { fired: true, ..of(&users) };
        let texts = notice.texts("here", 1000);
        assert!(texts.len() > 10 && texts.iter().all(|text| text.len() <= 1000));
        let mut read = Notice::default();
        for text in &texts {
            let (replica, part) = Notice::parse(text);
            assert_eq!(replica, "here");
            read.extend(part);
        }
        assert_eq!(read, notice);
    }

    #[test]
    fn users_who_are_too_many_are_everybody() {
        let mut notice = Notice::default();
        assert!(notice.texts("here", 1000).is_empty());
        for n in 0..=MAX_USERS {
            notice.add(&n.to_string());
        }
        assert_eq!(notice, Notice { users: Users::All, fired: false });
        assert_eq!(Notice::parse(&notice.texts("here", 1000)[0]), ("here", notice));
    }

    #[test]
    fn a_user_cannot_be_taken_for_a_word() {
        let notice = of(&["everybody", "fired", " everybody", "\\tfired"]);
        let (_, read) = Notice::parse(&notice.texts("here", 1000)[0]);
        assert_eq!(read, notice);
    }
}
