//! How many sockets the process may have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::admin;
use crate::listener::ConnectionLimits;

/// Descriptors of the process itself: state file, logs, signals, watches, calls to providers.
const OWN: usize = 32;

/// Descriptors of each worker beside its sockets, and of each of its listeners: the socket, and a newcomer who
/// waits.
const WORKER: usize = 6;
const LISTENER: usize = 2;

/// Descriptors of a connection: the client's, and the upstream's.
const CONNECTION: usize = 2;

/// Connections that each listener gets however few descriptors there are.
const LEAST: usize = 4;

/// Raises the soft limit of open files to the hard one and returns what holds then; `None`: no limit.
///
/// systemd and shells give 1024, which is for programs that use `select(2)`; a gateway needs two
/// descriptors a connection.
pub fn raise_open_files() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => limit.maximum,
        Err(error) => {
            tracing::warn!(%error, "the limit of open files stays as it is");
            limit.current
        }
    }
}

/// As many connections as descriptors allow, and no more than `limits` says. With more of them, accepting
/// would use up the descriptors that connections already there, and operators, need to be answered
/// (invariant 14).
pub(super) fn within_open_files(
    limits: ConnectionLimits,
    listeners: usize,
    workers: usize,
) -> ConnectionLimits {
    let Some(open_files) = getrlimit(Resource::Nofile).current else { return limits };
    let allowed = allowed(usize::try_from(open_files).unwrap_or(usize::MAX), listeners, workers);
    if allowed < limits.max_connections {
        tracing::warn!(
            open_files,
            max_connections = allowed,
            wanted = limits.max_connections,
            "the limit of open files allows fewer connections on each listener than `max_connections` says; raise it \
             (LimitNOFILE= of the unit, `ulimit -n`), or lower `max_connections`"
        );
    }
    ConnectionLimits { max_connections: allowed.min(limits.max_connections), ..limits }
}

/// Connections of each listener. Some descriptors are kept for the admin listener, the state and the providers.
fn allowed(open_files: usize, listeners: usize, workers: usize) -> usize {
    let kept = OWN + admin::CONNECTIONS + workers * (WORKER + LISTENER * listeners);
    (open_files.saturating_sub(kept) / CONNECTION / listeners.max(1)).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_becomes_the_hard_one() {
        let raised = raise_open_files();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!((limit.current, limit.maximum), (raised, raised));
    }

    #[test]
    fn clients_upstreams_and_what_is_kept_fit_into_the_descriptors() {
        for (open_files, listeners, workers) in [(256, 1, 2), (1024, 2, 8), (65_536, 3, 64)] {
            let clients = allowed(open_files, listeners, workers) * listeners;
            assert!(clients >= open_files / 4, "{clients} of {open_files}");
            assert!(
                2 * clients + admin::CONNECTIONS + workers * listeners < open_files,
                "{clients} of {open_files}"
            );
        }
        assert_eq!(allowed(64, 1, 2), LEAST);
    }
}
