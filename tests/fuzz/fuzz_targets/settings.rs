//! Settings of both services, a line each: `NAME=value`.

#![no_main]

use std::collections::HashMap;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let settings: HashMap<&str, String> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name, value.to_owned()))
        .collect();
    for faults in [
        auth_service::Config::from_vars(&settings).err(),
        task_service::Config::from_vars(&settings).err(),
    ] {
        assert!(faults.is_none_or(|faults| !faults.0.is_empty()), "refused without a fault");
    }
});
