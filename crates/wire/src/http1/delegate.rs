//! Streams that hand every call on to the stream that they are made of.

/// `AsyncRead` for a type, whose calls go on to the stream that the pattern which fits it binds.
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

/// The same for `AsyncWrite`, of a type with a parameter too. Its method `after`, where one is named, is told of
/// every write how it went.
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
