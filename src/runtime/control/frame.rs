//! Frames on the control socket: four bytes of length, most significant first, and so many bytes of JSON.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// No frame is longer, in bytes: a session's record with all claims and tokens fits several times.
const LONGEST: usize = 4 << 20;

/// Writes one frame.
///
/// # Errors
/// The peer is gone, or the message is longer than a frame may be.
pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), message: &impl Serialize) -> io::Result<()> {
    let body = serde_json::to_vec(message)?;
    if body.len() > LONGEST {
        return Err(too_long());
    }
    let length = u32::try_from(body.len()).map_err(|_| too_long())?;
    to.write_all(&[&length.to_be_bytes(), body.as_slice()].concat()).await?;
    to.flush().await
}

/// Reads one frame, and no byte beyond it: descriptors may be lying there.
///
/// # Errors
/// `UnexpectedEof` where the peer is gone, `InvalidData` for what is no such message.
pub(super) async fn read<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<T> {
    let mut length = [0; 4];
    from.read_exact(&mut length).await?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| too_long())?;
    if length > LONGEST {
        return Err(too_long());
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body).await?;
    Ok(serde_json::from_slice(&body)?)
}

fn too_long() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "a frame on the control socket is too long")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_message_reads_back_and_what_follows_is_left() {
        let mut bytes = Vec::new();
        write(&mut bytes, &vec!["a", "b"]).await.unwrap();
        bytes.push(b'!');
        let mut rest = bytes.as_slice();
        assert_eq!(read::<Vec<String>>(&mut rest).await.unwrap(), ["a", "b"]);
        assert_eq!(rest, b"!");
    }

    #[tokio::test]
    async fn invariant_14_nobody_can_ask_for_more_memory_than_a_frame() {
        let mut bytes: &[u8] = &[0xff, 0xff, 0xff, 0xff, b'1'];
        assert_eq!(read::<u8>(&mut bytes).await.unwrap_err().kind(), io::ErrorKind::InvalidData);
        for bad in [&[0, 0, 0, 1, b'{'][..], &[0, 0], &[0, 0, 0, 9, b'1'], &[0, 0, 0, 0]] {
            let mut bytes = bad;
            assert!(read::<u8>(&mut bytes).await.is_err());
        }
    }
}
