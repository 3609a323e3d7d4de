//! Streams that hand every call on to the stream that they are made of.

/// Implements `AsyncRead` for a type by handing each call on to the stream that the matching pattern binds.
macro_rules! delegate_read {
    ($type:ty { $($pattern:pat => $stream:expr),+ $(,)? }) => {
        impl tokio::io::AsyncRead for $type {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                buf: &mut tokio::io::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                match self.get_mut() {
                    $($pattern => std::pin::Pin::new($stream).poll_read(cx, buf)),+
                }
            }
        }
    };
}

/// Implements `AsyncWrite` in the same way, also for a type with a parameter. With `after METHOD`, that
/// method of the type is called with the result of every write.
macro_rules! delegate_write {
    ($type:ty $(where $parameter:ident)? { $($pattern:pat => $stream:expr),+ $(,)? } $(, after $after:ident)?) => {
        impl$(<$parameter: tokio::io::AsyncWrite + Unpin>)? tokio::io::AsyncWrite for $type {
            fn poll_write(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                bytes: &[u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let this = self.get_mut();
                let written = match this {
                    $($pattern => std::pin::Pin::new($stream).poll_write(cx, bytes)),+
                };
                $(this.$after(&written);)?
                written
            }

            fn poll_write_vectored(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
                slices: &[std::io::IoSlice<'_>],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let this = self.get_mut();
                let written = match this {
                    $($pattern => std::pin::Pin::new($stream).poll_write_vectored(cx, slices)),+
                };
                $(this.$after(&written);)?
                written
            }

            fn is_write_vectored(&self) -> bool {
                match self {
                    $($pattern => $stream.is_write_vectored()),+
                }
            }

            fn poll_flush(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                match self.get_mut() {
                    $($pattern => std::pin::Pin::new($stream).poll_flush(cx)),+
                }
            }

            fn poll_shutdown(
                self: std::pin::Pin<&mut Self>,
                cx: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                match self.get_mut() {
                    $($pattern => std::pin::Pin::new($stream).poll_shutdown(cx)),+
                }
            }
        }
    };
}

pub(crate) use {delegate_read, delegate_write};
