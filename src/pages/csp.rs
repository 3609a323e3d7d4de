//! Content Security Policy (Level 3): what a page may do, which is next to nothing.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use url::Url;

/// The one style sheet of all pages. It stands inline, allowed by its hash alone.
pub const STYLE: &str = include_str!("templates/style.css");

/// A script that stands inline, allowed by its hash alone: data reaches it through attributes, never through
/// its text.
#[derive(Debug)]
pub struct Script {
    /// The script, as it stands in the page.
    pub text: &'static str,
    source: String,
}

pub(super) static KEEP: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/keep.js")));
pub(super) static KEEP_ADDRESS: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/keep_address.js")));
pub(super) static CHOOSER: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/chooser.js")));
pub(super) static INTERSTITIAL: LazyLock<Script> =
    LazyLock::new(|| Script::new(include_str!("scripts/interstitial.js")));
pub(super) static AGAIN: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/again.js")));
pub(super) static RESUME: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/resume.js")));
pub(super) static REPLAY: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/replay.js")));

/// A style sheet in the place of [`STYLE`], inline as well and allowed by its hash alone.
#[derive(Clone, Debug)]
pub struct Style {
    text: Cow<'static, str>,
    source: String,
}

impl Style {
    /// The sheet `text`, to the letter.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self { text: text.into(), source: hash_source(text) }
    }

    /// The same for a sheet that is put together.
    #[must_use]
    pub fn owned(text: String) -> Self {
        Self { source: hash_source(&text), text: text.into() }
    }

    /// The sheet, as it stands in the page.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Script {
    /// The script `text`, to the letter.
    #[must_use]
    pub fn new(text: &'static str) -> Self {
        Self { text, source: hash_source(text) }
    }
}

/// The page's own origin (CSP Level 3, section 2.3.1).
const OWN: &str = "'self'";

/// The hash source of an inline text (CSP Level 3, section 2.3.1).
fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// Where the forms of a page may lead, redirects of the answer included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forms<'a> {
    /// The page has none.
    #[default]
    None,
    /// To one address: the origin of the page where that is a path, else the origin of the address.
    To(&'a str),
    /// A form of the app's own: its answer may lead wherever the app sends people over HTTPS.
    OfTheApp,
}

/// What a page needs beyond its style.
#[derive(Clone, Copy, Debug, Default)]
pub struct Needs<'a> {
    /// Whether its style sheet and its script are files of its own origin, which the script may ask for more.
    pub own_files: bool,
    /// Its style sheet; without one it has none.
    pub style: Option<&'a Style>,
    /// The script that it runs.
    pub script: Option<&'static Script>,
    /// Where its forms lead.
    pub forms: Forms<'a>,
    /// Whether it shows pictures of the same host.
    pub pictures: bool,
    /// Whose pages may show it in a frame: nobody's, as a rule.
    pub ancestors: &'a [Url],
}

impl Needs<'_> {
    pub(super) fn policy(&self) -> HeaderValue {
        let nothing =
            HeaderValue::from_static("default-src 'none'; form-action 'none'; frame-ancestors 'none'");
        HeaderValue::try_from(self.to_string()).unwrap_or(nothing)
    }
}

impl fmt::Display for Needs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inline = self.style.map_or("'none'", |style| &style.source);
        let style = if self.own_files { OWN } else { inline };
        // The icon of the tab is a `data:` URL.
        let pictures = if self.pictures { "'self' data:" } else { "data:" };
        write!(f, "default-src 'none'; img-src {pictures}; style-src {style}")?;
        if self.own_files {
            write!(f, "; script-src {OWN}; connect-src {OWN}")?;
        } else if let Some(script) = self.script {
            write!(f, "; script-src {}", script.source)?;
        }
        write!(f, "; form-action {}; frame-ancestors", self.forms)?;
        let mut ancestors: Vec<_> = self.ancestors.iter().filter_map(|url| origin(url.as_str())).collect();
        ancestors.dedup();
        let ancestors = if ancestors.is_empty() { "'none'".to_owned() } else { ancestors.join(" ") };
        write!(f, " {ancestors}; base-uri 'none'")
    }
}

impl fmt::Display for Forms<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("'none'"),
            Self::To(action) => f.write_str(origin(action).as_deref().unwrap_or("'self'")),
            Self::OfTheApp => f.write_str("'self' https:"),
        }
    }
}

/// The origin of an absolute address. A host may hold `;` and `,` (URL Standard, forbidden host code points),
/// which would end the directive: such a one is no source.
fn origin(address: &str) -> Option<String> {
    let origin = Url::parse(address).ok()?.origin();
    let text = origin.ascii_serialization();
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:/[]".contains(&byte));
    (origin.is_tuple() && plain).then_some(text)
}
