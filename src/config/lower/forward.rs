//! What a route does to requests and responses on their way.

use http::HeaderValue;
use http::uri::PathAndQuery;

use crate::forward::{ForwardSettings, PathRewrite, UpstreamHost};
use crate::request::{Authority, RequestPath};
use crate::route::PathPrefix;

use super::Lowering;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::Route;

impl Lowering<'_> {
    pub(super) fn forward(
        &mut self,
        route: Located<'_, Route>,
        path: Option<&PathPrefix>,
    ) -> ForwardSettings {
        ForwardSettings {
            rewrite: self.rewrite(route, path),
            prefix: path.map(ToString::to_string).filter(|path| path != "/").unwrap_or_default(),
            rewrite_location: route.value.rewrite_location.unwrap_or(false),
            host: at!(route.host_header)
                .given()
                .and_then(|at| self.keep(host(at)))
                .unwrap_or(UpstreamHost::Keep),
            identity: self.identity(at!(route.identity)),
            request_headers: self.request_headers(route),
            response_headers: self.response_headers(route),
            max_body: self.size(at!(route.max_body)),
            min_body_rate: self.size(at!(route.min_body_rate)),
        }
    }

    fn rewrite(&mut self, route: Located<'_, Route>, path: Option<&PathPrefix>) -> PathRewrite {
        let strip = at!(route.strip_path).given().filter(|at| *at.value);
        let replace = at!(route.replace_path).given();
        if let (Some(_), Some(at)) = (strip, replace) {
            self.fault(
                Diagnostic::new(at.place, "both `strip_path` and `replace_path`")
                    .expected("expected one of the two"),
            );
        }
        let segments = path.map(PathPrefix::segments);
        if let (Some(at), Some(0)) = (strip, segments) {
            self.fault(
                Diagnostic::new(at.place, "`strip_path` without a `path` to take off")
                    .expected("expected `path = \"/…\"` on this route"),
            );
        }
        let with = match (strip, replace) {
            (Some(_), _) => Some("/".to_owned()),
            (None, Some(at)) => self.keep(written_path(at)),
            (None, None) => None,
        };
        with.map_or(PathRewrite::Keep, |with| PathRewrite::Replace {
            segments: segments.unwrap_or_default(),
            with,
        })
    }
}

/// A path as it stands in a request line: percent-encoded, and read in one way only (invariant 2).
pub(super) fn written_path(at: Located<'_, String>) -> Result<String, Diagnostic> {
    let clear = RequestPath::parse(at.value).is_ok_and(|path| path.exceptions().is_empty());
    let target = at.value.parse::<PathAndQuery>().is_ok_and(|target| target.as_str() == at.value);
    if clear && target {
        return Ok(at.value.clone());
    }
    Err(Diagnostic::new(at.place, "not a path")
        .expected("expected a path such as \"/app\", percent-encoded, without dot segments and query"))
}

fn host(at: Located<'_, String>) -> Result<UpstreamHost, Diagnostic> {
    match at.value.as_str() {
        "keep" => Ok(UpstreamHost::Keep),
        "upstream" => Ok(UpstreamHost::Upstream),
        text => fixed(text).map(UpstreamHost::Fixed).ok_or_else(|| {
            Diagnostic::new(at.place, "not a host")
                .expected("expected \"keep\", \"upstream\" or a host such as \"app.internal\"")
        }),
    }
}

fn fixed(text: &str) -> Option<HeaderValue> {
    let authority = Authority::parse(text).ok()?;
    HeaderValue::from_str(&authority.to_string()).ok()
}
