//! A body on its way out (RFC 9112, sections 6.2 and 7.1).

use std::io::{self, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes};
use http_body::{Body, Frame};

use super::fields::write_fields;
use super::outgoing::Outgoing;

/// Frames a body as the head before it has said, and knows what is left of it.
///
/// `Length` counts down; `Chunked` and `Close` stay what they are until the body ends. [`BodyEncoder::poll_fill`]
/// alone moves it, always to `Done`: where the body has ended, or with the trailers, behind which nothing comes. A
/// `Length` that has not come down to 0 by then, or would go below, is an error: the peer would take what follows
/// for a part of the body, or wait for the rest of it (invariant 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyEncoder {
    /// So many bytes, as the head says.
    Length(u64),
    /// Chunks, and trailers behind them where the peer takes some.
    Chunked {
        /// Whether the peer takes trailers.
        trailers: bool,
    },
    /// Until the connection ends.
    Close,
    /// Nothing is left, or there is none.
    Done,
}

/// Why a body cannot be sent to its end.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError<E> {
    /// The body gave an error instead of a frame.
    #[error("the body broke off")]
    Body(E),
    /// It ended before its stated length or went beyond it: the peer would take what follows for a part of
    /// it, or a part of it for what follows.
    #[error("the body is not of the length it stated")]
    Length,
}

impl BodyEncoder {
    /// Whether nothing is left to be handed on.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Done)
    }

    /// Hands `body` on until all of it has left: fills `outgoing`, has `write` write it, and is pending where neither can
    /// go on.
    ///
    /// # Errors
    /// Those of [`BodyEncoder::poll_fill`] and of `write`.
    pub fn poll_send<B, E>(
        &mut self,
        body: &mut B,
        outgoing: &mut Outgoing,
        cx: &mut Context<'_>,
        mut write: impl FnMut(&mut Outgoing, &mut Context<'_>) -> Poll<io::Result<()>>,
    ) -> Poll<Result<(), E>>
    where
        B: Body<Data = Bytes> + Unpin,
        E: From<EncodeError<B::Error>> + From<io::Error>,
    {
        while !self.is_done() {
            let all = self.poll_fill(body, outgoing, cx)?.is_ready();
            let full = !outgoing.has_room();
            ready!(write(outgoing, cx))?;
            // Where it was full it has room again, and the body is asked for more; otherwise the body has
            // nothing for now.
            if !all && !full {
                return Poll::Pending;
            }
        }
        write(outgoing, cx).map_err(E::from)
    }

    /// Hands what `body` has to `outgoing`, as far as there is room; ready where all of it is there.
    ///
    /// # Errors
    /// Where the body broke off, or has another length: the connection cannot be used any more.
    pub fn poll_fill<B: Body<Data = Bytes> + Unpin>(
        &mut self,
        body: &mut B,
        outgoing: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), EncodeError<B::Error>>> {
        while outgoing.has_room() {
            let frame = ready!(Pin::new(&mut *body).poll_frame(cx)).transpose().map_err(EncodeError::Body)?;
            let last = match frame {
                Some(frame) => self.push(frame, outgoing)? || body.is_end_stream(),
                None => true,
            };
            if last {
                return Poll::Ready(self.end(outgoing));
            }
        }
        Poll::Pending
    }

    /// Writes a frame; whether it was the trailers, behind which nothing comes.
    fn push<E>(&mut self, frame: Frame<Bytes>, outgoing: &mut Outgoing) -> Result<bool, EncodeError<E>> {
        match frame.into_data() {
            Ok(data) => self.push_data(data, outgoing).map(|()| false),
            Err(frame) => {
                let wanted = *self == Self::Chunked { trailers: true };
                let trailers = frame.into_trailers().ok().filter(|_| wanted);
                if let Some(trailers) = &trailers {
                    outgoing.copied.extend_from_slice(b"0\r\n");
                    write_fields(trailers, &mut outgoing.copied);
                    outgoing.copied.extend_from_slice(b"\r\n");
                    *self = Self::Done;
                }
                Ok(trailers.is_some())
            }
        }
    }

    fn push_data<E>(&mut self, data: Bytes, outgoing: &mut Outgoing) -> Result<(), EncodeError<E>> {
        match self {
            Self::Length(left) => {
                *left = left.checked_sub(data.len() as u64).ok_or(EncodeError::Length)?;
                outgoing.push(data, b"");
            }
            Self::Close | Self::Done => outgoing.push(data, b""),
            // An empty chunk would be the last.
            Self::Chunked { .. } if data.is_empty() => {}
            Self::Chunked { .. } => {
                // Writing to memory cannot fail.
                let _ = write!((&mut outgoing.copied).writer(), "{:x}\r\n", data.len());
                outgoing.push(data, b"\r\n");
            }
        }
        Ok(())
    }

    /// A body shorter than it said must not be taken for whole: its connection ends instead.
    fn end<E>(&mut self, outgoing: &mut Outgoing) -> Result<(), EncodeError<E>> {
        match std::mem::replace(self, Self::Done) {
            Self::Length(0) | Self::Close | Self::Done => {}
            Self::Length(_) => return Err(EncodeError::Length),
            Self::Chunked { .. } => outgoing.finish(),
        }
        Ok(())
    }
}
