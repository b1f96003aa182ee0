//! One suite, run on SQLite and on PostgreSQL: both must behave alike.

mod changes;
mod lists;
mod migrations;
mod ownership;
mod requests;
mod world;
