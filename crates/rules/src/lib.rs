//! The pure rules of Portcullis: what they decide hangs on their arguments alone. No network, no disk, no global state.
//!
//! A request is read into values that have one meaning (`request`), which find their route (`route`), are held
//! against its rules (`policy`) and its limits (`limit`). Beside them stands what every room needs: identifiers, time,
//! secrets.

// First, so that its macro is known in every room.
#[macro_use]
pub mod mutants;

pub mod limit;
pub mod policy;
pub mod route;

pub mod request;

pub mod clock;
#[cfg(any(test, fuzzing, feature = "testing"))]
pub mod fuzzing;
pub mod identity;
pub mod secret;
