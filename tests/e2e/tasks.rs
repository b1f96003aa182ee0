//! Tasks of one user: the eight rpcs, happy and sad.

mod create_once;
mod fields;
mod pages;
mod state;
mod update;
