//! Sources of settings: the environment, a map, or nothing at all.

use std::{collections::HashMap, hash::BuildHasher};

/// A source of settings, by name.
pub trait Vars {
    /// The value, or `None` where it is not set.
    fn var(&self, name: &str) -> Option<String>;

    /// The names of all variables that are set.
    fn names(&self) -> Vec<String>;
}

/// The process environment.
#[derive(Clone, Copy, Debug)]
pub struct Env;

impl Vars for Env {
    #[expect(clippy::disallowed_methods, reason = "the environment is read here, once")]
    fn var(&self, name: &str) -> Option<String> {
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn names(&self) -> Vec<String> {
        std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect()
    }
}

/// A source in which nothing is set: what is read from it has its default.
#[derive(Clone, Copy, Debug)]
pub struct Unset;

impl Vars for Unset {
    fn var(&self, _name: &str) -> Option<String> {
        None
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

impl<S: BuildHasher> Vars for HashMap<&str, String, S> {
    fn var(&self, name: &str) -> Option<String> {
        self.get(name).cloned()
    }

    fn names(&self) -> Vec<String> {
        self.keys().map(|name| (*name).to_owned()).collect()
    }
}
