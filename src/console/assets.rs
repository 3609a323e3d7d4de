//! What pages fetch: the style sheet, and a script that they can do without. Each has a digest of itself in its name, so that
//! browsers keep it for good and never use another version's.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, header};

/// A file, and what it is called.
#[derive(Debug)]
pub(super) struct Asset {
    /// Below the console's own path.
    pub(super) path: String,
    content_type: &'static str,
    text: &'static str,
}

pub(super) static STYLE: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "css", "text/css; charset=utf-8", include_str!("templates/console/console.css"))
});
pub(super) static SCRIPT: LazyLock<Asset> = LazyLock::new(|| {
    Asset::new("console", "js", "text/javascript; charset=utf-8", include_str!("scripts/console.js"))
});

impl Asset {
    fn new(name: &str, ending: &str, content_type: &'static str, text: &'static str) -> Self {
        let hash = digest(&SHA256, text.as_bytes());
        let hex: String = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { path: format!("assets/{name}-{hex}.{ending}"), content_type, text }
    }

    /// The one at `path`, where there is one.
    pub(super) fn at(path: &str) -> Option<&'static Self> {
        [&*STYLE, &*SCRIPT].into_iter().find(|asset| asset.path == path)
    }

    pub(super) fn response(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from_static(self.text.as_bytes()));
        let fields = [
            (header::CONTENT_TYPE, self.content_type),
            (header::CACHE_CONTROL, "private, max-age=31536000, immutable"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        ];
        let fields = fields.map(|(name, value)| (name, HeaderValue::from_static(value)));
        response.headers_mut().extend(fields);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_found_by_its_digest_alone() {
        for asset in [&*STYLE, &*SCRIPT] {
            assert_eq!(Asset::at(&asset.path).unwrap().text, asset.text);
            let hex = asset.path.rsplit(['-', '.']).nth(1).unwrap();
            assert_eq!(hex.len(), 16, "{}", asset.path);
        }
        for other in ["assets/console.css", "assets/console-0000000000000000.css", "assets/"] {
            assert!(Asset::at(other).is_none(), "{other}");
        }
        assert!(STYLE.text.len() <= 40 * 1024 && SCRIPT.text.len() <= 20 * 1024);
    }
}
