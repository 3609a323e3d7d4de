//! `cors` and `origin` of routes.

use super::{changed, each_is_told, settings};
use crate::gate::{Preflight, SentFrom};

#[test]
fn origins_are_written_as_browsers_write_them() {
    let route = |line: &str| settings(&changed("routes", line)).routes.remove(0).origins;
    let said = route(
        "cors = { origins = [\"https://SPA.corp.example:443\", \"http://a.example:8080\"], preflight = \"pass\" }",
    );
    assert_eq!(said.readers, ["https://spa.corp.example", "http://a.example:8080"]);
    assert_eq!((said.preflight, said.sent_from), (Preflight::Pass, SentFrom::Anywhere));
    let silent = route("origin = \"same-host\"");
    assert_eq!((silent.preflight, silent.sent_from), (Preflight::Judge, SentFrom::SameHost));
    assert!(silent.readers.is_empty());
}

#[test]
fn what_is_no_origin_does_not_load() {
    let cors = |origin: &str| changed("routes", &format!("cors = {{ origins = \"{origin}\" }}"));
    each_is_told(&[
        (cors("*"), "refusals are not for everybody's scripts", "such as \"https://spa.corp.example\""),
        (cors("https://a.example/"), "an origin has no path", "scheme, host and port alone"),
        (cors("https://a.example/app"), "an origin has no path", "scheme, host and port alone"),
        (cors("a.example"), "the scheme of the URL is missing", "such as \"https://spa.corp.example\""),
        (cors("ftp://a.example"), "not a URL of a scheme that works here", ""),
        (changed("routes", "origin = \"samehost\""), "unknown word `samehost`", "\"any\" or \"same-host\""),
    ]);
}
