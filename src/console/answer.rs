//! Which page is asked for.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Request, Response};

use super::overview;
use super::process::Process;
use super::role::Role;
use crate::endpoints::{Answer, EndpointError, RequestContext};
use crate::identity::Principal;
use crate::listener::RequestBody;
use crate::pages::Page;
use crate::route::PathPrefix;

/// The console of a process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Console(Arc<OnceLock<Arc<dyn Process>>>);

/// A request that the gate has let in.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Where the console stands on its host.
    pub mount: &'a PathPrefix,
    /// Who asks.
    pub person: &'a Arc<Principal>,
    /// What they may do.
    pub role: Role,
    /// The request as the gate has read it.
    pub context: RequestContext<'a>,
}

impl Console {
    /// Has it show `process` from now on; a second one changes nothing.
    pub fn show(&self, process: Arc<dyn Process>) {
        drop(self.0.set(process));
    }

    /// Answers a request to the console's route. A form has been sent by a page of this very origin; the gate has seen to
    /// that.
    pub async fn answer(&self, visit: Visit<'_>, request: Request<RequestBody>) -> Answer {
        let Some(process) = self.0.get() else {
            return EndpointError::Internal("the console has been asked before the process is ready").into();
        };
        drop(request);
        match below(visit.mount, visit.context.path.decoded()) {
            Some("") => page(overview::page(visit, &process.overview())).into(),
            Some(_) | None => EndpointError::NotFound.into(),
        }
    }
}

/// What of `path` is below `mount`, without slashes at its ends.
fn below<'p>(mount: &PathPrefix, path: &'p str) -> Option<&'p str> {
    let mount = mount.to_string();
    Some(path.strip_prefix(mount.trim_end_matches('/'))?.trim_matches('/'))
}

fn page(page: Page) -> Response<Bytes> {
    page.into_response().map(Bytes::from)
}
