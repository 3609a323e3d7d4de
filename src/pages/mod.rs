//! What a person sees: the chooser, the refusal, errors, sign-out; and RFC 9457 documents for programs.
//!
//! Pure functions from model types to a [`Page`]. Pages hold no script and fetch nothing; whatever
//! comes from outside is escaped, links are checked, and no page may be framed or cached.

mod fault;
mod form;
mod page;
mod person;
mod problem;
mod refusal;
mod sign_in;
mod sign_out;
#[cfg(test)]
mod tests;
mod way;

pub use fault::{ErrorPage, Fault};
pub use form::Form;
pub use page::{Page, STYLE};
pub use problem::problem;
pub use refusal::Refusal;
pub use sign_in::{Choice, Chooser, HOP, LOGIN_HINT, PROVIDER, RETURN_TO, SignInFailed, onward};
pub use sign_out::{SignOut, SignedOut};
