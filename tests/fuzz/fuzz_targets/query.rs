//! Query strings of the list.

#![no_main]

libfuzzer_sys::fuzz_target!(|query: &str| task_service::fuzz::list(query));
