//! Promises and threats, tested on the real program over real sockets with real counterparts.
//! One binary; each file is named for the promise it keeps or the threat it meets.

mod layering;
mod sign_in;
mod support;
