//! What credentials are read from.

use http::{HeaderMap, Method, Uri};

use crate::identity::RequestId;
use crate::request::{Authority, Scheme, Transport};

/// The parts of a request that some kind of credential may speak of, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct RequestView<'a> {
    /// The request's method.
    pub method: &'a Method,
    /// The scheme that the client used.
    pub scheme: Scheme,
    /// The host that the client asked for.
    pub authority: &'a Authority,
    /// Its target as it came.
    pub uri: &'a Uri,
    /// Its fields as they came.
    pub headers: &'a HeaderMap,
    /// The connection that it came on.
    pub transport: &'a Transport,
    /// Its identifier, for the log.
    pub id: &'a RequestId,
}

impl<'a> RequestView<'a> {
    /// The host alone, lower-case: cookies know no ports.
    pub(super) fn host(&self) -> &'a str {
        self.authority.host()
    }
}
