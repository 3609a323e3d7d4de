//! What a person sees: the choice of a provider, refusals, errors, sign-out; and RFC 9457 documents for programs.
//!
//! Pure functions from model types to a [`Page`]. Pages fetch nothing; whatever comes from outside is
//! escaped, links are checked, and no page may be framed or cached. A few small scripts, each allowed by its
//! hash, bring a form or a long address through a sign-in ([`Keep`], [`KeepAddress`], [`Resume`], [`Replay`]), take
//! the fragment of an address past the [`Chooser`], and go on or ask again by themselves.
//!
//! A form's answer must not redirect to another origin: browsers hold the page's `form-action` against every
//! redirect that follows (CSP Level 3, section 6.4.1). Answer with [`interstitial`] instead.

mod brand;
mod contrast;
mod csp;
mod error_page;
mod forbidden;
mod framed;
mod link;
mod look;
mod message;
mod page;
mod path_status;
mod person;
mod picture;
mod problem;
mod resume;
mod sign_in;
mod sign_out;
#[cfg(test)]
pub(crate) mod tests;
mod visible;

pub use brand::{Accent, Brand, BrandLink, BrandSettings, BrandTexts, LowContrast};
pub use contrast::{Colour, ColourError};
pub use csp::{Forms, Needs, STYLE, Script, Style};
pub use error_page::{ErrorKind, ErrorPage};
pub use forbidden::Forbidden;
pub use framed::Framed;
pub use link::{Link, safe_link};
pub use look::{Look, Looks};
pub use page::Page;
pub use person::{Person, clipped, initial, initials};
pub use picture::{LARGEST_PICTURE, PICTURES, Picture, PictureError};
pub use problem::problem;
pub use resume::{Enctype, Keep, KeepAddress, RESUME, Replay, Resume, SEALED};
use sign_in::FEW;
pub use sign_in::{
    Chooser, CrossSite, EndedElsewhere, EndedMeanwhile, HANDOVER, LOGIN_HINT, NotKept, PROVIDER,
    ProviderChoice, RETURN_TO, SignInFailed, UnmetStepUp, interstitial,
};
pub use sign_out::{GivenTokens, SignOut, SignedOut, Told};
pub use visible::{steers, visible};
