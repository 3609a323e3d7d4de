#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::oidc::fuzzing::logout_tokens(data));
