//! The keys of a store: what stands for people and addresses in rows, and what the keys of people are sealed under.

use std::fs;
use std::io::{self, Write as _};
use std::net::IpAddr;
use std::path::Path;

use aws_lc_rs::hmac;

use super::error::StoreError;
use super::{names, schema};
use crate::secret::{SealingKey, random_bytes};

/// Bytes of the file.
const LENGTH: usize = 64;

/// Who somebody is, without a name: the same for one person in all segments of a store, and in no other store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym(pub(super) [u8; 16]);

impl Pseudonym {
    /// The one of these 32 hexadecimal digits.
    #[must_use]
    pub fn of_hex(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(text, 16).ok().filter(|_| digits)?;
        Some(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
impl Pseudonym {
    pub(crate) const fn for_tests(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Clone)]
pub(super) struct StoreKeys {
    hashes: hmac::Key,
    wrapping: SealingKey,
}

impl StoreKeys {
    /// Those of a folder; they are made where there are none.
    pub(super) fn load_or_create(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(names::KEY);
        if !path.exists() {
            make(folder, &path).map_err(StoreError::io(&path))?;
        }
        Self::load(folder)
    }

    pub(super) fn load(folder: &Path) -> Result<Self, StoreError> {
        let path = folder.join(names::KEY);
        let bytes = fs::read(&path).map_err(StoreError::io(&path))?;
        let bits: [u8; LENGTH] =
            bytes.try_into().map_err(|_| StoreError::foreign(&path, format!("expected {LENGTH} bytes")))?;
        Ok(Self::of(&bits))
    }

    pub(super) fn of(bits: &[u8; LENGTH]) -> Self {
        let hashes = hmac::Key::new(hmac::HMAC_SHA256, &bits[..LENGTH / 2]);
        Self { hashes, wrapping: SealingKey::of_server_key(bits) }
    }

    /// What stands for a person.
    pub(super) fn pseudonym(&self, provider: &str, subject: &str) -> Pseudonym {
        let mut short = [0; 16];
        short.copy_from_slice(&self.hash(b"person", &[provider.as_bytes(), subject.as_bytes()])[..16]);
        Pseudonym(short)
    }

    /// What stands for somebody who comes back after they were erased.
    pub(super) fn after(&self, erased: Pseudonym) -> Pseudonym {
        let mut short = [0; 16];
        short.copy_from_slice(&self.hash(b"person after", &[&erased.0])[..16]);
        Pseudonym(short)
    }

    /// What a name is looked up by.
    pub(super) fn name(&self, name: &str) -> i64 {
        self.short(b"name", name.as_bytes())
    }

    /// What stands for an address.
    pub(super) fn address(&self, address: IpAddr) -> i64 {
        match address.to_canonical() {
            IpAddr::V4(four) => self.short(b"address", &four.octets()),
            IpAddr::V6(six) => self.short(b"address", &six.octets()),
        }
    }

    /// What stands for the network of an address: /24, or /48.
    pub(super) fn network(&self, address: IpAddr) -> i64 {
        match address.to_canonical() {
            IpAddr::V4(four) => self.short(b"network", &four.octets()[..3]),
            IpAddr::V6(six) => self.short(b"network", &six.octets()[..6]),
        }
    }

    pub(super) fn wrap(&self, place: &[u8], key: &SealingKey) -> Option<Vec<u8>> {
        self.wrapping.wrap(place, key)
    }

    pub(super) fn unwrap(&self, place: &[u8], wrapped: &[u8]) -> Option<SealingKey> {
        self.wrapping.unwrap(place, wrapped)
    }

    fn short(&self, purpose: &[u8], text: &[u8]) -> i64 {
        let mut short = [0; 8];
        short.copy_from_slice(&self.hash(purpose, &[text])[..8]);
        i64::from_be_bytes(short)
    }

    /// Each part with its length before it, so that no two lists of parts are one text.
    fn hash(&self, purpose: &[u8], parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.hashes);
        for part in std::iter::once(&purpose).chain(parts) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.sign().as_ref());
        hash
    }
}

impl std::fmt::Debug for StoreKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKeys(…)")
    }
}

/// Makes the file whole, under another name at first; where somebody else was faster, theirs stays.
fn make(folder: &Path, path: &Path) -> io::Result<()> {
    let fresh = folder.join(format!("{}.{:016x}", names::KEY, u64::from_be_bytes(random_bytes())));
    let mut file = schema::make_file(&fresh)?;
    let made = file.write_all(&random_bytes::<LENGTH>()).and_then(|()| file.sync_all());
    let made = made.and_then(|()| match fs::hard_link(&fresh, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    fs::remove_file(&fresh)?;
    made
}
