//! Lines of an import.

#![no_main]

libfuzzer_sys::fuzz_target!(|line: &[u8]| task_service::fuzz::import_line(line));
