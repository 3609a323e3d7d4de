//! Pictures that the configuration names: of apps, and a logo.
//!
//! A picture is shown by `<img>` alone, in which nothing of an SVG runs; and whoever opens its address by itself gets it with
//! a policy under which nothing does either.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Response};

/// Below this path pictures are, each under its digest.
pub const PICTURES: &str = "/.portcullis/icon";

/// The most bytes of a picture.
pub const LARGEST_PICTURE: usize = 64 * 1024;

/// A picture, read and found to be one.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    digest: String,
    format: Format,
    bytes: Bytes,
}

/// What browsers show everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
    WebP,
}

/// Why bytes are no picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PictureError {
    /// More than [`LARGEST_PICTURE`].
    #[error("the picture is larger than 64 KiB")]
    TooLarge,
    /// Something else.
    #[error("not a picture: expected a PNG, an SVG or a WebP")]
    NoPicture,
}

impl Picture {
    /// The picture in `bytes`.
    ///
    /// # Errors
    /// Where it is too large, or none of a format that is shown.
    pub fn read(bytes: Vec<u8>) -> Result<Self, PictureError> {
        if bytes.len() > LARGEST_PICTURE {
            return Err(PictureError::TooLarge);
        }
        let format = Format::of(&bytes).ok_or(PictureError::NoPicture)?;
        let digest =
            digest(&SHA256, &bytes).as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { digest, format, bytes: bytes.into() })
    }

    /// What its address ends in: the beginning of its SHA-256.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// Its address: a path of every host that the gateway serves.
    #[must_use]
    pub fn href(&self) -> String {
        format!("{PICTURES}/{}", self.digest)
    }

    /// How many bytes it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// An address that holds the picture itself (`data:`), for pages that fetch nothing.
    #[must_use]
    pub fn inline(&self) -> String {
        format!("data:{};base64,{}", self.format.media_type(), STANDARD.encode(&self.bytes))
    }

    /// The picture as a response that caches may keep for ever.
    #[must_use]
    pub fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(self.bytes.clone());
        let fields = [
            (CONTENT_TYPE, self.format.media_type()),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // An SVG that is opened by itself is a document: without this its scripts would be those of the host.
            (
                CONTENT_SECURITY_POLICY,
                mutant!("default-src 'none'; style-src 'unsafe-inline'; sandbox", "icon-runs-script" => "default-src *"),
            ),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        response.headers_mut().extend(fields.map(|(name, value)| (name, HeaderValue::from_static(value))));
        response
    }
}

impl fmt::Debug for Picture {
    /// Without its bytes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("digest", &self.digest)
            .field("format", &self.format)
            .finish_non_exhaustive()
    }
}

impl Format {
    /// By how the bytes begin.
    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            return Some(Self::Png);
        }
        if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
            return Some(Self::WebP);
        }
        std::str::from_utf8(bytes).is_ok_and(is_svg).then_some(Self::Svg)
    }

    const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Svg => "image/svg+xml",
            Self::WebP => "image/webp",
        }
    }
}

/// Whether the first element of the document is `svg`, whatever stands before it.
fn is_svg(text: &str) -> bool {
    let mut rest = text.trim_start_matches('\u{feff}').trim_start();
    loop {
        let end = if rest.starts_with("<!--") {
            "-->"
        } else if rest.starts_with("<?") {
            "?>"
        } else if rest.starts_with("<!DOCTYPE") {
            ">"
        } else {
            break;
        };
        let Some((_, behind)) = rest.split_once(end) else { return false };
        rest = behind.trim_start();
    }
    rest.strip_prefix("<svg").is_some_and(|rest| rest.starts_with([' ', '>', '\t', '\r', '\n', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(bytes: &[u8]) -> Result<Format, PictureError> {
        Picture::read(bytes.to_vec()).map(|picture| picture.format)
    }

    #[test]
    fn pictures_are_known_by_what_they_are() {
        assert_eq!(format(b"\x89PNG\r\n\x1a\n..."), Ok(Format::Png));
        assert_eq!(format(b"RIFF\x10\0\0\0WEBPVP8 "), Ok(Format::WebP));
        for svg in [
            "<svg xmlns='http://www.w3.org/2000/svg'/>",
            "\u{feff}<?xml version='1.0'?>\n<!-- a > b --><!DOCTYPE svg PUBLIC 'x'>\n<svg>",
        ] {
            assert_eq!(format(svg.as_bytes()), Ok(Format::Svg), "{svg}");
        }
        for other in ["", "<html><svg>", "<svgx>", "GIF89a", "<!-- <svg>", "RIFF\0\0\0\0WAVE", "hello <svg>"]
        {
            assert_eq!(format(other.as_bytes()), Err(PictureError::NoPicture), "{other}");
        }
        assert_eq!(format(&vec![b' '; LARGEST_PICTURE + 1]), Err(PictureError::TooLarge));
    }

    #[test]
    fn invariant_16_a_picture_that_is_opened_runs_nothing() {
        let picture = Picture::read(b"<svg onload='alert(1)'/>".to_vec()).unwrap();
        let response = picture.response();
        let field = |name: &str| response.headers()[name].to_str().unwrap();
        assert!(field("content-security-policy").ends_with("; sandbox"));
        assert!(field("content-security-policy").starts_with("default-src 'none'"));
        assert_eq!((field("x-content-type-options"), field("content-type")), ("nosniff", "image/svg+xml"));
        assert!(field("cache-control").contains("immutable"));
        assert_eq!(picture.href().len(), PICTURES.len() + 1 + 32);
        assert!(!format!("{picture:?}").contains("alert"));
    }
}
