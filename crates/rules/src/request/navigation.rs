//! Whether a browser is navigating, or a script or program is calling.

use http::{HeaderMap, HeaderName, Method, header};

const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_DEST: HeaderName = HeaderName::from_static("sec-fetch-dest");
const X_REQUESTED_WITH: HeaderName = HeaderName::from_static("x-requested-with");
const PORTCULLIS_AUTHORIZATION: HeaderName = HeaderName::from_static("x-portcullis-authorization");

/// Whether a refused request is better answered by a page or a redirect than by a status for programs.
///
/// What a browser says itself counts first (Fetch Metadata: `Sec-Fetch-Mode`, `Sec-Fetch-Dest`); where it says
/// nothing, somebody who asks for HTML by name is taken for one. Only `GET` and `HEAD` navigate: a redirect
/// would lose the body of anything else. A request with `X-Requested-With` comes from a program, and so does one
/// with a token in `Authorization`, and no script is redirected into an error of CORS.
#[must_use]
pub fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    // What only browsers say is asked first: most requests of programs say none of it, and are done.
    reads && said_by_the_browser(headers).unwrap_or_else(|| asks_for_html(headers)) && !is_program(headers)
}

/// Whether a browser sends a form that somebody has filled in and whose answer they will look at. Nothing here
/// says from which site.
#[must_use]
pub fn is_form_submission(method: &Method, headers: &HeaderMap) -> bool {
    let says = || said_by_the_browser(headers).unwrap_or_else(|| asks_for_html(headers) && is_form(headers));
    *method == Method::POST && says() && !is_program(headers)
}

/// Whether a browser says that a page of some site made it send the request.
#[must_use]
pub fn is_of_a_page(headers: &HeaderMap) -> bool {
    headers.contains_key(SEC_FETCH_MODE) || headers.contains_key(X_REQUESTED_WITH)
}

/// Whether the body is in one of the encodings of forms (HTML Standard, section 4.10.21.8).
fn is_form(headers: &HeaderMap) -> bool {
    let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = said.split(';').next().unwrap_or_default().trim();
    let forms = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];
    forms.iter().any(|form| media_type.eq_ignore_ascii_case(form))
}

fn is_program(headers: &HeaderMap) -> bool {
    headers.get_all(header::AUTHORIZATION).iter().any(|value| !is_sent_by_itself(value.as_bytes()))
        || headers.contains_key(PORTCULLIS_AUTHORIZATION)
        || headers.contains_key(X_REQUESTED_WITH)
}

/// Whether it is of a scheme that browsers answer by themselves: what one was once asked for, by whatever stood
/// here before, it goes on sending.
fn is_sent_by_itself(credential: &[u8]) -> bool {
    let scheme = credential.split(|byte| *byte == b' ').next().unwrap_or_default();
    ["Basic", "Digest", "Negotiate", "NTLM"].iter().any(|own| scheme.eq_ignore_ascii_case(own.as_bytes()))
}

fn said_by_the_browser(headers: &HeaderMap) -> Option<bool> {
    let mode = headers.get(SEC_FETCH_MODE)?;
    let destination = headers.get(SEC_FETCH_DEST);
    let page = destination
        .is_none_or(|value| [b"document".as_slice(), b"iframe", b"frame"].contains(&value.as_bytes()));
    Some(mode == "navigate" && page)
}

fn asks_for_html(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(header::ACCEPT).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b',')).any(is_html)
}

/// Whether a media range (RFC 9110, section 12.5.1) is HTML with a weight above 0; `*/*` asks for nothing.
fn is_html(range: &[u8]) -> bool {
    let mut parts = range.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().unwrap_or_default();
    let is = |known: &[u8]| name.eq_ignore_ascii_case(known);
    (is(b"text/html") || is(b"application/xhtml+xml")) && !parts.any(is_zero_weight)
}

fn is_zero_weight(parameter: &[u8]) -> bool {
    let weight = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q="));
    weight.is_some_and(|weight| weight.iter().all(|byte| matches!(byte, b'0' | b'.')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn navigates(method: Method, fields: &[(&'static str, &'static str)]) -> bool {
        let fields =
            fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
        is_navigation(&method, &fields.collect())
    }

    const MODE: &str = "sec-fetch-mode";
    const DEST: &str = "sec-fetch-dest";
    const BROWSER: (&str, &str) =
        ("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8");

    #[test]
    fn browsers_that_say_so_navigate() {
        for fields in [
            &[(MODE, "navigate"), (DEST, "document"), BROWSER][..],
            &[(MODE, "navigate"), (DEST, "iframe")],
            &[(MODE, "navigate")],
            &[BROWSER],
            &[("accept", "Text/HTML;q=0.1")],
            &[("accept", "image/png, application/xhtml+xml")],
            &[(MODE, "navigate"), (DEST, "document"), ("authorization", "Basic YTpi")],
            &[(MODE, "navigate"), ("authorization", "Negotiate YII=")],
            &[BROWSER, ("authorization", "digest username=\"a\"")],
        ] {
            assert!(navigates(Method::GET, fields), "{fields:?}");
            assert!(navigates(Method::HEAD, fields), "{fields:?}");
            assert!(!navigates(Method::POST, fields), "{fields:?}");
        }
    }

    #[test]
    fn scripts_and_programs_do_not() {
        for fields in [
            &[][..],
            &[("accept", "*/*")],
            &[("accept", "application/json")],
            &[("accept", "text/html;q=0, application/json")],
            &[("accept", "text/html; q=0.000")],
            &[("accept", "text/htmlx, xtext/html")],
            &[(MODE, "cors"), (DEST, "empty"), BROWSER],
            &[(MODE, "no-cors"), (DEST, "image"), BROWSER],
            &[(MODE, "websocket"), BROWSER],
            &[(MODE, "navigate"), (DEST, "empty"), BROWSER],
            &[(MODE, "navigate"), (DEST, "object"), BROWSER],
            &[BROWSER, ("x-requested-with", "XMLHttpRequest")],
            &[(MODE, "navigate"), (DEST, "document"), ("authorization", "Bearer x")],
            &[(MODE, "navigate"), (DEST, "document"), ("authorization", "")],
            &[(MODE, "navigate"), ("authorization", "BasicX YTpi")],
            &[(MODE, "navigate"), ("x-portcullis-authorization", "Basic YTpi")],
            &[("accept", "*/*"), ("authorization", "Basic YTpi")],
        ] {
            assert!(!navigates(Method::GET, fields), "{fields:?}");
        }
    }

    #[test]
    fn a_form_is_sent_by_a_person_and_other_bodies_by_programs() {
        let sent = |method: Method, fields: &[(&'static str, &'static str)]| {
            let fields =
                fields.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()));
            is_form_submission(&method, &fields.collect())
        };
        const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=x");
        for fields in [
            &[(MODE, "navigate"), (DEST, "document"), FORM][..],
            &[(MODE, "navigate"), (DEST, "document"), ("authorization", "Basic YTpi")],
            &[BROWSER, FORM],
            &[BROWSER, ("content-type", "Text/Plain")],
        ] {
            assert!(sent(Method::POST, fields), "{fields:?}");
            assert!(!sent(Method::GET, fields) && !sent(Method::PUT, fields), "{fields:?}");
        }
        for fields in [
            &[FORM][..],
            &[BROWSER, ("content-type", "application/json")],
            &[BROWSER],
            &[(MODE, "cors"), (DEST, "empty"), BROWSER, FORM],
            &[(MODE, "navigate"), (DEST, "document"), FORM, ("authorization", "Bearer x")],
            &[BROWSER, FORM, ("x-requested-with", "XMLHttpRequest")],
        ] {
            assert!(!sent(Method::POST, fields), "{fields:?}");
        }
    }
}
