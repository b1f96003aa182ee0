//! Page tokens and sync tokens.

#![no_main]

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use libfuzzer_sys::fuzz_target;
use task_service::fuzz::cursor;

fuzz_target!(|bytes: &[u8]| {
    cursor(&String::from_utf8_lossy(bytes));
    cursor(&URL_SAFE_NO_PAD.encode(bytes));
});
