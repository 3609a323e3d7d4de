//! The portal: what everybody who signs in sees of the gateway. Their apps, where they are signed in, and what their provider
//! says of them.
//!
//! Pure functions from what the endpoints have found to a [`Page`](crate::pages::Page), as in `pages`; the pages are complete
//! without scripts. Which apps are somebody's is not decided here: the gate asks the rules of every route, and hands on those
//! that let the person in.

mod account;
mod apps;
mod icon;
mod list;
mod moment;
mod search;
mod sessions;
mod shell;
#[cfg(test)]
mod tests;
mod tile;

pub use account::{AccountPage, SignedIn};
pub use apps::{AppsPage, QUERY};
pub use icon::Icons;
pub use list::{App, Hosts, listed, written};
pub use moment::Moment;
pub use sessions::{SessionsEnded, SessionsPage, SignInShown};
pub use shell::Shell;
pub use tile::Tile;
