#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::session::fuzzing::shared_rows(data));
