//! The tests.

mod layering;
