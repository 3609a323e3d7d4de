#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::http1::fuzzing::chunked_bodies(data));
