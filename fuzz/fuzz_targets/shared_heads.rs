#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::replicas::fuzzing::shared_heads(data));
