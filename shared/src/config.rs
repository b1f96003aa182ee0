//! Settings from a lookup, never from globals: the environment in `main`, a map in tests. All
//! faults are reported at once; no fault quotes a value.
//!
//! - `setting`: the row of a setting, written once beside what it configures; `values`: parsers
//! - `reader`: reads rows, and only rows; `faults`: what it found wrong
//! - `vars`: where values come from; `unread`: variables that are set and not read

mod faults;
mod reader;
mod setting;
mod unread;
mod values;
mod vars;

pub use self::{
    faults::{Fault, Faults},
    reader::Reader,
    setting::{Fallback, Parse, Row, Setting},
    unread::manual,
    values::{either, number, number_or_off, switch, time_span, time_span_or_off},
    vars::{Env, Unset, Vars},
};
