#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::gate::fuzzing::return_addresses(data));
