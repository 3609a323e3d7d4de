//! The tests.

mod layering;
mod support;
mod traffic;
