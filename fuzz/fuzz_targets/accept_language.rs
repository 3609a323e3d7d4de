#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::words::fuzzing::accept_language(data));
