//! The life of the process, on real threads and loopback sockets.

mod events;
mod listeners;
