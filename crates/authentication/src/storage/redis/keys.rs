//! The gateway's own keys in Redis. The first gateway makes them, all use the same: a sign-in that one has begun is
//! finished by another. They are never kept in the clear.

use zeroize::Zeroizing;

use super::{RedisClient, cmd};
use crate::secret::KeyRing;
use crate::storage::StorageError;
use crate::storage::keys::{Plain, is_sealed, open, seal};

/// Two gateways that begin at once write one key each, and the second finds that of the first.
const TRIES: usize = 3;

/// The key kept under `purpose`, made where there is none.
///
/// # Errors
/// `SealedShared` where none of the ring's keys opens it, or it is not sealed at all; `Shared` of Redis.
pub(in crate::storage) async fn load_or_create(
    client: &RedisClient,
    ring: &KeyRing,
    purpose: &str,
    create: impl FnOnce() -> Plain + Send,
) -> Result<Plain, StorageError> {
    let name = client.key(&format!("key:{purpose}"));
    let sealed =
        || StorageError::SealedShared { server: client.name().to_string(), purpose: purpose.to_owned() };
    let mut create = Some(create);
    for _ in 0..TRIES {
        let kept: Option<Vec<u8>> = client.command(cmd("GET").arg(&name)).await?;
        if let Some(kept) = kept.map(Zeroizing::new) {
            let kept = Some(kept).filter(|kept| mutant!(is_sealed(kept), "shared-keys-in-the-clear" => true));
            let (key, sealed_well) =
                kept.and_then(|kept| open(Some(ring), purpose, kept)).ok_or_else(sealed)?;
            if !sealed_well {
                let again = seal(Some(ring), purpose, &key).ok_or_else(sealed)?;
                let _: Option<String> =
                    client.command(cmd("SET").arg(&name).arg(&again[..]).arg("XX")).await?;
            }
            return Ok(key);
        }
        let Some(create) = create.take() else { break };
        let made = seal(Some(ring), purpose, &create()).ok_or_else(sealed)?;
        let _: Option<String> = client.command(cmd("SET").arg(&name).arg(&made[..]).arg("NX")).await?;
    }
    Err(StorageError::of_shared(client, &format!("{name} does not stay where it was written")))
}
