//! Recurrence rules.

#![no_main]

libfuzzer_sys::fuzz_target!(|rule: &str| task_service::fuzz::rule(rule));
