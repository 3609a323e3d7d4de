//! The tests.

mod browser;
mod layering;
mod support;
mod terminal;
