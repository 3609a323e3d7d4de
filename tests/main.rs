//! The tests.

mod choosing_a_provider;
mod layering;
mod refreshing_tokens;
mod sign_in;
mod sign_in_cannot_be_taken_over;
mod support;
