#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::forward::fuzzing::app_cookies(data));
