//! Room: pages.
