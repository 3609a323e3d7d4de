//! What a request says about itself, parsed once: every later step sees these values and no others.

mod authority;
mod client;
mod connection_cache;
mod field_names;
mod forwarding;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod interim;
mod link;
mod navigation;
mod path;
mod single;
mod transport;

pub use authority::{Authority, AuthorityError};
pub use client::{ClientAddress, TrustedProxies};
pub use connection_cache::{ConnectionCache, Origin, OriginFields};
pub use field_names::{FieldNameError, check_field_name, check_field_names, could_be};
pub use forwarding::{Forwarding, ForwardingError};
pub use interim::InterimAnswers;
pub use link::{Link, LinkOrigin};
pub use navigation::{is_form_submission, is_navigation, is_of_a_page};
pub use path::{PathError, PathException, PathExceptions, RequestPath};
pub use single::{only, single};
pub use transport::{Scheme, Transport, WorkerId};
