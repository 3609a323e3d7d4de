//! The path that the upstream is asked for.

use http::Uri;
use http::uri::PathAndQuery;

use super::{ForwardError, ForwardFault, PathRewrite};
use crate::request::RequestPath;

/// What stands in the request line, made of the path that was judged and never of another
/// (invariant 2): the target's own path only saves the copying where it is the same bytes.
pub(super) fn target(
    uri: Uri,
    path: &RequestPath,
    rewrite: &PathRewrite,
) -> Result<PathAndQuery, ForwardError> {
    let written = uri.into_parts().path_and_query;
    let (raw, query) = written.as_ref().map_or(("", None), |target| (target.path(), target.query()));
    // `http://host?query` has no path, though its type says that it is `/`.
    let pathless = written.as_ref().is_some_and(|target| target.as_str().starts_with('?'));
    match rewrite {
        PathRewrite::Keep if !pathless && (raw == path.raw() || (raw == "*" && path.raw() == "/")) => {
            written.ok_or_else(|| ForwardFault::BadTarget.into())
        }
        PathRewrite::Keep => compose("", path.raw(), query),
        PathRewrite::Replace { .. } if raw == "*" => written.ok_or_else(|| ForwardFault::BadTarget.into()),
        PathRewrite::Replace { segments, with } => {
            let (base, rest) = replace(path, *segments, with);
            compose(base, rest, query)
        }
    }
}

/// `path` without its first `segments` segments, as two pieces to be written one after the other. They are counted as
/// they were judged (invariant 2): a slash that is encoded separates in neither, and what is empty is no segment.
pub(super) fn replace<'a>(path: &'a RequestPath, segments: usize, with: &'a str) -> (&'a str, &'a str) {
    let rest = path.behind(segments);
    match (with.trim_end_matches('/'), rest) {
        ("", "") => ("", "/"),
        (_, "") => ("", with),
        (base, rest) => (base, rest),
    }
}

fn compose(base: &str, path: &str, query: Option<&str>) -> Result<PathAndQuery, ForwardError> {
    let mut text = String::with_capacity(base.len() + path.len() + query.map_or(0, |q| q.len() + 1));
    text.push_str(base);
    text.push_str(path);
    if let Some(query) = query {
        text.push('?');
        text.push_str(query);
    }
    PathAndQuery::from_maybe_shared(bytes::Bytes::from(text))
        .map_err(|error| ForwardError::new(ForwardFault::BadTarget, error))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rewritten(uri: &str, rewrite: &PathRewrite) -> String {
        let uri: Uri = uri.parse().unwrap();
        let path = RequestPath::parse(if uri.path() == "*" { "/" } else { uri.path() }).unwrap();
        target(uri, &path, rewrite).unwrap().to_string()
    }

    fn replaced(uri: &str, segments: usize, with: &str) -> String {
        rewritten(uri, &PathRewrite::Replace { segments, with: with.into() })
    }

    #[test]
    fn a_kept_target_is_the_same_bytes() {
        for uri in ["/", "/a%2Fb;x=1/?q=%41&&", "/caf%C3%A9?", "*"] {
            assert_eq!(rewritten(uri, &PathRewrite::Keep), uri);
        }
        assert_eq!(rewritten("https://h.example/a?b", &PathRewrite::Keep), "/a?b");
        assert_eq!(rewritten("https://h.example", &PathRewrite::Keep), "/");
        assert_eq!(
            rewritten("https://h.example?b", &PathRewrite::Keep),
            "/?b",
            "a request line needs a path"
        );
    }

    #[test]
    fn prefixes_are_stripped_and_replaced_on_segment_borders() {
        assert_eq!(replaced("/app/x?q", 1, "/"), "/x?q");
        assert_eq!(replaced("/app", 1, "/"), "/");
        assert_eq!(replaced("/app/", 1, "/"), "/");
        assert_eq!(replaced("/app?q=/x/y", 1, "/"), "/?q=/x/y");
        assert_eq!(replaced("/app", 1, "/v2"), "/v2");
        assert_eq!(replaced("/app/", 1, "/v2"), "/v2/");
        assert_eq!(replaced("/a/b/c", 2, "/v2/"), "/v2/c");
        assert_eq!(replaced("/a%2Fb/c", 1, "/"), "/c");
        assert_eq!(replaced("/x", 0, "/base"), "/base/x");
        assert_eq!(replaced("//app/x", 1, "/"), "/x", "an empty segment is none, as it was judged");
        assert_eq!(replaced("*", 1, "/"), "*");
    }

    #[test]
    fn the_path_judged_is_the_path_forwarded() {
        let judged = RequestPath::parse("/public").unwrap();
        let sent = target("/admin?q".parse().unwrap(), &judged, &PathRewrite::Keep).unwrap();
        assert_eq!(sent, "/public?q");
    }

    proptest! {
        #[test]
        fn a_replaced_path_is_the_rest_behind_the_new_prefix(
            parts in prop::collection::vec("[a-z%2F;.]{0,4}", 1..6), strip in 0usize..4, with in "/|(/[a-z]{1,3}){1,2}/?",
        ) {
            let Ok(path) = RequestPath::parse(&format!("/{}", parts.join("/"))) else { return Ok(()) };
            let (base, rest) = replace(&path, strip, &with);
            let whole = format!("{base}{rest}");
            prop_assert!(whole.starts_with('/'));
            let mut left = parts.iter().map(String::as_str);
            for _ in 0..strip {
                left.by_ref().find(|part| !part.is_empty() && !part.starts_with(';'));
            }
            let left: Vec<&str> = left.collect();
            let slow = match left.as_slice() {
                [] => with.clone(),
                left => format!("{}/{}", with.trim_end_matches('/'), left.join("/")),
            };
            prop_assert_eq!(whole, slow);
        }
    }
}
