//! The gateway's own keys in Redis. The first gateway makes them, all use the same: a sign-in that one has begun is
//! finished by another. They are never kept in the clear.

use std::sync::LazyLock;

use zeroize::Zeroizing;

use super::{RedisClient, Script, cmd};
use crate::secret::KeyRing;
use crate::storage::StorageError;
use crate::storage::keys::{Plain, is_sealed, open, seal};

/// Two gateways that begin at once write one key each, and the second finds that of the first.
const TRIES: usize = 3;

/// Writes the second argument where the first one stands, or nothing where that is empty; answers whether it did.
static REPLACE: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2])
        return 1",
    )
});

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
    let mut create = Some(create);
    for _ in 0..TRIES {
        if let Some(key) = load(client, ring, purpose).await? {
            return Ok(key);
        }
        let Some(create) = create.take() else { break };
        let made = seal(Some(ring), purpose, &create()).ok_or_else(|| sealed(client, purpose))?;
        let _: Option<String> =
            client.command(cmd("SET").arg(name(client, purpose)).arg(&made[..]).arg("NX")).await?;
    }
    let detail = format!("{} does not stay where it was written", name(client, purpose));
    Err(StorageError::of_shared(client, &detail))
}

/// The key kept under `purpose`; `None` where there is none. One that an older key of the ring has sealed is sealed
/// anew, unless somebody else writes it meanwhile.
///
/// # Errors
/// As [`load_or_create`].
pub(in crate::storage) async fn load(
    client: &RedisClient,
    ring: &KeyRing,
    purpose: &str,
) -> Result<Option<Plain>, StorageError> {
    let Some((kept, key, sealed_well)) = read(client, ring, purpose).await? else { return Ok(None) };
    if !sealed_well {
        write(client, ring, purpose, Some(&kept), &key).await?;
    }
    Ok(Some(key))
}

/// Puts `new` in the place of `seen`, unless something else is kept: whether it did.
///
/// # Errors
/// As [`load_or_create`].
pub(in crate::storage) async fn replace(
    client: &RedisClient,
    ring: &KeyRing,
    purpose: &str,
    seen: Option<Plain>,
    new: Plain,
) -> Result<bool, StorageError> {
    let (kept, key) = match read(client, ring, purpose).await? {
        Some((kept, key, _)) => (Some(kept), Some(key)),
        None => (None, None),
    };
    if mutant!(key != seen, "late-shared-rotation-wins" => false) {
        return Ok(false);
    }
    write(client, ring, purpose, kept.as_ref(), &new).await
}

/// What is kept, the key in it, and whether the first of the ring's keys has sealed it.
async fn read(
    client: &RedisClient,
    ring: &KeyRing,
    purpose: &str,
) -> Result<Option<(Plain, Plain, bool)>, StorageError> {
    let kept: Option<Vec<u8>> = client.command(cmd("GET").arg(name(client, purpose))).await?;
    let Some(kept) = kept.map(Zeroizing::new) else { return Ok(None) };
    let good = Some(kept.clone()).filter(|kept| mutant!(is_sealed(kept), "shared-keys-in-the-clear" => true));
    let opened = good.and_then(|good| open(Some(ring), purpose, good));
    let (key, sealed_well) = opened.ok_or_else(|| sealed(client, purpose))?;
    Ok(Some((kept, key, sealed_well)))
}

/// Writes `key` where `kept` stands: whether it did.
async fn write(
    client: &RedisClient,
    ring: &KeyRing,
    purpose: &str,
    kept: Option<&Plain>,
    key: &Plain,
) -> Result<bool, StorageError> {
    let new = seal(Some(ring), purpose, key).ok_or_else(|| sealed(client, purpose))?;
    let mut call = REPLACE.key(name(client, purpose));
    call.arg(kept.map_or(&[][..], |kept| kept.as_slice())).arg(new.as_slice());
    let written: u8 = client.run(&call).await?;
    Ok(written == 1)
}

fn name(client: &RedisClient, purpose: &str) -> String {
    client.key(&format!("key:{purpose}"))
}

fn sealed(client: &RedisClient, purpose: &str) -> StorageError {
    StorageError::SealedShared { server: client.name().to_string(), purpose: purpose.to_owned() }
}
