#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::listener::fuzzing::proxy_protocol(data));
