#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::forward::fuzzing::written_requests(data));
