//! Who is at the other end of a connection.

use rustix::process::geteuid;
use tokio::net::unix::UCred;

use crate::events::{ManagementRefused, Recorder};

/// Who is at the other end of a connection to the admin listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// Whoever reaches the address; what they may is said by the token that they show.
    Network,
    /// This user of this machine, by the kernel's word (`SO_PEERCRED`).
    LocalUser(u32),
}

impl Peer {
    /// The peer of a connection to the socket, where that is root or the gateway's own user. The socket's
    /// mode lets nobody else connect; this holds as well where somebody has changed the mode.
    pub(super) fn admitted(credentials: UCred, recorder: &Recorder) -> Option<Self> {
        Self::admitted_user(credentials.uid()).or_else(|| {
            recorder.emit(&ManagementRefused {
                operator: Some(&format!("uid {}", credentials.uid())),
                operation: None,
                client: None,
                status: None,
                reason: "another user was refused at the admin socket",
            });
            None
        })
    }

    fn admitted_user(user: u32) -> Option<Self> {
        let ours = mutant!([0, geteuid().as_raw()].contains(&user), "admin-socket-for-anybody" => true);
        ours.then_some(Self::LocalUser(user))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_and_our_own_user_may_ask_and_nobody_else() {
        let ours = geteuid().as_raw();
        for user in [0, ours] {
            assert_eq!(Peer::admitted_user(user), Some(Peer::LocalUser(user)));
        }
        for other in [ours + 1, 65534, u32::MAX].into_iter().filter(|user| *user != ours) {
            assert_eq!(Peer::admitted_user(other), None, "{other}");
        }
    }
}
