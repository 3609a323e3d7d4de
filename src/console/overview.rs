//! The first page: how the gateway is.

use askama::Template;
use http::StatusCode;

use super::answer::Visit;
use super::process::ProcessOverview;
use super::shell::Shell;
use crate::pages::{Needs, Page};

pub(super) fn page(visit: Visit<'_>, overview: &ProcessOverview) -> Page {
    Page::new(StatusCode::OK, &View { shell: Shell::of(visit), overview }, Needs::default())
}

#[derive(Template)]
#[template(path = "overview.html")]
struct View<'a> {
    shell: Shell,
    overview: &'a ProcessOverview,
}
