#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::words::fuzzing::language_files(data));
