//! What every page promises.
use super::*;
