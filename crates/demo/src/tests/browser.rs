//! A browser without a window: keeps cookies, follows nothing by itself, and fills forms in as they stand.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use cookie::Cookie;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use url::Url;

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// Where a redirect leads, with its parameters.
    pub(super) fn location(&self) -> (Url, BTreeMap<String, String>) {
        assert_eq!(self.status, StatusCode::SEE_OTHER, "{}", self.body);
        let url = Url::parse(self.header("location")).unwrap();
        let parameters = url.query_pairs().into_owned().collect();
        (url, parameters)
    }

    /// The hidden fields of the form that is sent to `action`.
    pub(super) fn form(&self, action: &str) -> Vec<(String, String)> {
        let start =
            self.body.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("{}", self.body));
        let form = &self.body[start..][..self.body[start..].find("</form>").unwrap()];
        let inputs = form.split("<input type=\"hidden\"").skip(1);
        inputs.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
    }
}

fn attribute(tag: &str, name: &str) -> String {
    let start = tag.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
    tag[start..][..tag[start..].find('"').unwrap()].to_owned()
}

/// One browser at the origin of the provider.
pub(super) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    pub(super) origin: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    pub(super) fn new(origin: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { client, origin: origin.to_owned(), cookies: Mutex::default() }
    }

    /// A navigation.
    pub(super) async fn get(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &[("accept", "text/html")], Vec::new()).await
    }

    /// Follows a redirect within the origin.
    pub(super) async fn follow(&self, answer: &Answer) -> Answer {
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.get(answer.header("location")).await
    }

    /// Submits the form of `page` that is sent to `action`, filled in with `fields`.
    pub(super) async fn submit(&self, page: &Answer, action: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = page.form(action);
        form.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        self.post(action, &encoded(&form)).await
    }

    /// Posts a form as a page of the same origin does.
    pub(super) async fn post(&self, target: &str, body: &str) -> Answer {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("sec-fetch-site", "same-origin"),
            ("origin", self.origin.as_str()),
        ];
        self.send(Method::POST, target, &headers, body.as_bytes().to_vec()).await
    }

    /// Any request, with the cookies that are kept; `target` is a path of the origin.
    pub(super) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("{}{target}", self.origin));
        let cookies =
            self.cookies.lock().unwrap().iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>();
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies.join("; "));
        }
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = self.client.request(request.body(Full::from(body)).unwrap()).await.unwrap();
        let (head, body) = response.into_parts();
        self.keep(&head.headers);
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: head.status, headers: head.headers, body }
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap();
        for value in headers.get_all(header::SET_COOKIE) {
            let cookie = Cookie::parse(value.to_str().unwrap()).unwrap();
            assert!(
                cookie.http_only() == Some(true)
                    && cookie.same_site().is_some()
                    && cookie.path() == Some("/op")
            );
            match cookie.value() {
                "" => cookies.remove(cookie.name()),
                value => cookies.insert(cookie.name().to_owned(), value.to_owned()),
            };
        }
    }

    /// The names of all cookies.
    pub(super) fn cookie_names(&self) -> Vec<String> {
        self.cookies.lock().unwrap().keys().cloned().collect()
    }

    /// Keeps what the other browser has, too: both were windows of this one.
    pub(super) fn take_cookies_of(&self, other: &Self) {
        self.cookies.lock().unwrap().extend(other.cookies.lock().unwrap().clone());
    }

    /// The value of a cookie.
    pub(super) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// Puts a cookie in, or another value in its place.
    pub(super) fn put_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }
}

/// `fields` as a form.
pub(super) fn encoded<N: AsRef<str>, V: AsRef<str>>(fields: &[(N, V)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}
