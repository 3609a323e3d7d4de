#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::authn::fuzzing::device_proofs(data));
