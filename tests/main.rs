//! The tests.

mod docs;
mod layering;
mod support;
