//! The request's body on its way out (RFC 9112, sections 6.2 and 7.1).

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{BufMut, Bytes};
use http_body::{Body, Frame};

use super::super::body::RequestBody;
use super::Error;
use super::head::write_fields;
use super::outgoing::Outgoing;

/// What is left of a request's body.
#[derive(Debug)]
pub(super) struct Upload {
    body: RequestBody,
    /// What is left of the stated length; `None`: chunks.
    left: Option<u64>,
}

impl Upload {
    /// `None` where there is no body.
    pub(super) fn of(body: RequestBody) -> Option<Self> {
        let left = body.size_hint().exact();
        (!body.is_empty()).then_some(Self { body, left })
    }

    /// Hands what the body has to `outgoing`, as far as there is room; ready where all of it is there.
    pub(super) fn poll_fill(
        &mut self,
        outgoing: &mut Outgoing,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        while outgoing.has_room() {
            match ready!(Pin::new(&mut self.body).poll_frame(cx)).transpose().map_err(Error::Upload)? {
                None => return Poll::Ready(self.end(outgoing)),
                Some(frame) => {
                    let trailers = self.push(frame, outgoing)?;
                    if trailers || self.body.is_end_stream() {
                        return Poll::Ready(if trailers { Ok(()) } else { self.end(outgoing) });
                    }
                }
            }
        }
        Poll::Pending
    }

    /// Whether it was the trailers, behind which nothing comes.
    fn push(&mut self, frame: Frame<Bytes>, outgoing: &mut Outgoing) -> Result<bool, Error> {
        match frame.into_data() {
            Ok(data) => self.push_data(data, outgoing).map(|()| false),
            Err(frame) => {
                let trailers = frame.into_trailers().ok().filter(|_| self.left.is_none());
                if let Some(trailers) = &trailers {
                    outgoing.copied.extend_from_slice(b"0\r\n");
                    write_fields(trailers, &mut outgoing.copied);
                    outgoing.copied.extend_from_slice(b"\r\n");
                }
                Ok(trailers.is_some())
            }
        }
    }

    fn push_data(&mut self, data: Bytes, outgoing: &mut Outgoing) -> Result<(), Error> {
        let size = data.len() as u64;
        match &mut self.left {
            Some(left) => {
                *left = left.checked_sub(size).ok_or(Error::Length)?;
                outgoing.push(data, b"");
            }
            // An empty chunk would be the last.
            None if data.is_empty() => {}
            None => {
                // Writing to memory cannot fail.
                let _ = write!((&mut outgoing.copied).writer(), "{size:x}\r\n");
                outgoing.push(data, b"\r\n");
            }
        }
        Ok(())
    }

    /// A body shorter than it said must not be taken for whole: its connection ends instead.
    fn end(&self, outgoing: &mut Outgoing) -> Result<(), Error> {
        match self.left {
            Some(0) => Ok(()),
            Some(_) => Err(Error::Length),
            None => {
                outgoing.finish();
                Ok(())
            }
        }
    }
}
