//! JSON bodies: new tasks and changes of tasks.

#![no_main]

libfuzzer_sys::fuzz_target!(|body: &[u8]| task_service::fuzz::body(body));
