#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| portcullis::trace::fuzzing::trace_context(data));
