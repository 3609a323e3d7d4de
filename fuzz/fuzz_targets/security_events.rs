#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::signals::fuzzing::security_events(data));
