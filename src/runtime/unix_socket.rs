//! A unix socket at a path of the operator's.
//!
//! It is bound in a new folder that nobody else may enter, gets its mode there, and is then renamed to its
//! path. So it is never there with another mode, and a process that takes over replaces the socket of the one
//! before in one step. At the end its path is removed only where it still leads to this very socket.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::secret::random_bytes;

/// Why the socket cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum UnixSocketError {
    /// A process answers there.
    #[error("another process answers at {}; each gateway needs its own", .0.display())]
    InUse(PathBuf),
    /// What is there is no socket.
    #[error("{} is there and is no socket; it is left alone: move it away, or choose another path", .0.display())]
    Occupied(PathBuf),
    /// The system refuses.
    #[error("cannot make {path}: {1}", path = .0.display())]
    System(PathBuf, #[source] io::Error),
}

/// A socket that is listened on and that nobody finds yet. Removed when dropped.
#[derive(Debug)]
pub(super) struct PreparedSocket {
    path: PathBuf,
    folder: PathBuf,
}

/// A socket in its place. Removed when dropped, where it is still the one.
#[derive(Debug)]
pub(super) struct PublishedSocket {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

impl PreparedSocket {
    /// Binds a socket for `path`. One that nobody answers on any more will be replaced, and where a
    /// `predecessor` runs, one that somebody answers on.
    pub(super) fn bind(path: &Path, predecessor: bool) -> Result<(UnixListener, Self), UnixSocketError> {
        let failed = |error| UnixSocketError::System(path.to_owned(), error);
        check(path, predecessor)?;
        let name = format!(".{:08x}", u32::from_ne_bytes(random_bytes()));
        let folder = path.parent().unwrap_or_else(|| Path::new("")).join(name);
        DirBuilder::new().mode(0o700).create(&folder).map_err(failed)?;
        let prepared = Self { path: path.to_owned(), folder };
        let listener = UnixListener::bind(prepared.socket()).map_err(failed)?;
        let mode = Permissions::from_mode(mutant!(0o600, "admin-socket-open-to-all" => 0o666));
        fs::set_permissions(prepared.socket(), mode).map_err(failed)?;
        Ok((listener, prepared))
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("s")
    }

    /// Puts it in its place, whatever socket is there.
    pub(super) fn publish(self) -> io::Result<PublishedSocket> {
        let file = identity(&self.socket())?;
        fs::rename(self.socket(), &self.path)?;
        Ok(PublishedSocket { path: self.path.clone(), file })
    }
}

/// Whether the path is free for a socket of ours.
fn check(path: &Path, predecessor: bool) -> Result<(), UnixSocketError> {
    let failed = |error| UnixSocketError::System(path.to_owned(), error);
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(UnixSocketError::Occupied(path.to_owned()));
        }
        Ok(_) => {}
    }
    match UnixStream::connect(path) {
        Ok(_) if predecessor => Ok(()),
        Ok(_) => Err(UnixSocketError::InUse(path.to_owned())),
        // Left by a process that was killed, or gone in this moment.
        Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Ok(())
        }
        Err(error) => Err(failed(error)),
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

impl PublishedSocket {
    /// Leaves the path to the process that has taken over: whether its socket is there already, nobody could
    /// look at and act on in one step.
    pub(super) fn leave_to_successor(self) {
        std::mem::forget(self);
    }
}

impl Drop for PreparedSocket {
    fn drop(&mut self) {
        let _ = fs::remove_file(self.socket());
        let _ = fs::remove_dir(&self.folder);
    }
}

impl Drop for PublishedSocket {
    fn drop(&mut self) {
        let ours = identity(&self.path).is_ok_and(|file| file == self.file);
        if mutant!(ours, "unlinks-another-socket" => true) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().mode() & 0o7777
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[tokio::test]
    async fn it_is_there_for_its_user_alone_and_gone_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let (_listener, prepared) = PreparedSocket::bind(&path, false).unwrap();
        assert!(!path.exists(), "nobody finds it before it is published");
        let hidden = prepared.folder.clone();
        assert_eq!((mode(&hidden), mode(&hidden.join("s"))), (0o700, 0o600));
        let published = prepared.publish().unwrap();
        assert_eq!((names(folder.path()), mode(&path)), (vec!["admin.sock".to_owned()], 0o600));
        drop(published);
        assert!(names(folder.path()).is_empty());
    }

    #[tokio::test]
    async fn what_is_no_socket_and_what_somebody_answers_on_stay() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(PreparedSocket::bind(&path, true), Err(UnixSocketError::Occupied(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
        fs::remove_file(&path).unwrap();
        let other = std::os::unix::net::UnixListener::bind(&path).unwrap();
        assert!(matches!(PreparedSocket::bind(&path, false), Err(UnixSocketError::InUse(_))));
        assert!(PreparedSocket::bind(&path, true).is_ok(), "a predecessor's is replaced");
        drop(other);
        let (_listener, prepared) = PreparedSocket::bind(&path, false).unwrap();
        let _published = prepared.publish().unwrap();
        assert_eq!(names(folder.path()), ["admin.sock"], "a dead one is replaced");
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[tokio::test]
    async fn anothers_socket_at_the_path_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("admin.sock");
        let (_old, prepared) = PreparedSocket::bind(&path, false).unwrap();
        let old = prepared.publish().unwrap();
        let (_new, prepared) = PreparedSocket::bind(&path, true).unwrap();
        let _published = prepared.publish().unwrap();
        drop(old);
        assert!(UnixStream::connect(&path).is_ok());
    }
}
