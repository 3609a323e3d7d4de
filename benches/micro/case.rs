//! A step that is counted, and what several of them need.

use std::sync::Arc;

use portcullis::identity::{Issuer, Principal, ProviderName, Subject};

/// One step of a request, ready to be done any number of times.
pub(crate) struct Case(Box<dyn FnMut()>);

impl Case {
    pub(crate) fn new(step: impl FnMut() + 'static) -> Self {
        Self(Box::new(step))
    }

    /// Does the step once. By this name the counting begins and ends (`benches/counting.py`).
    #[inline(never)]
    pub(crate) fn step(&mut self) {
        (self.0)();
    }
}

pub(crate) fn principal() -> Arc<Principal> {
    Arc::new(Principal {
        provider: ProviderName::new("corp"),
        issuer: Issuer::new("https://id.corp.example"),
        subject: Subject::new("4711"),
        user: "alice".to_owned(),
        email: None,
        groups: ["staff", "dev", "ops"].map(str::to_owned).to_vec(),
        scopes: Vec::new(),
        auth_time: None,
        acr: None,
        claims: portcullis::identity::Claims::default(),
        gaps: portcullis::identity::Gaps::default(),
    })
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
