#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::session::fuzzing::sealed_sessions(data));
