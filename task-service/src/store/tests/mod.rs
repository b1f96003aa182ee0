//! One suite, run on SQLite and on PostgreSQL: both must behave alike.

mod batches;
mod changes;
mod counts;
mod departed;
mod exports;
mod filters;
mod firing;
mod full_disk;
mod imports;
mod lists;
mod migrations;
mod model;
mod order;
mod ownership;
mod plans;
mod reindex;
mod requests;
mod scripts;
mod search;
mod series;
mod sync;
mod trash;
mod variety;
mod watch;
mod world;
