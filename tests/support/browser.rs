//! A browser without a window: a cookie jar that follows redirects as people's browsers do.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cookie::Cookie;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use url::Url;

/// An answer and where it was found.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) url: Url,
}

impl Answer {
    /// A header's text; empty where it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }
}

/// One browser. Clones share the cookies, as tabs do.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    jar: Arc<Mutex<Vec<(String, Cookie<'static>)>>>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        Self { client: Client::builder(TokioExecutor::new()).build_http(), jar: Arc::default() }
    }

    /// Goes to `url` as a person does and follows redirects to the end.
    pub(crate) async fn visit(&self, url: &str) -> Answer {
        let mut answer = self.get(url).await;
        for _ in 0..20 {
            let Some(next) = answer.headers.get(header::LOCATION).filter(|_| (300..400).contains(&answer.status)) else {
                return answer;
            };
            let next = answer.url.join(next.to_str().unwrap()).unwrap();
            answer = self.get(next.as_str()).await;
        }
        panic!("more than 20 redirects, the last one to {}", answer.url);
    }

    /// One navigation, no redirect followed.
    pub(crate) async fn get(&self, url: &str) -> Answer {
        let navigation = [("accept", "text/html,*/*;q=0.8"), ("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "document")];
        self.send(Method::GET, url, &navigation, "").await
    }

    /// Submits a form from a page of the same origin.
    pub(crate) async fn submit(&self, url: &str, form: &str) -> Answer {
        let origin = Url::parse(url).unwrap().origin().ascii_serialization();
        let headers = [
            ("accept", "text/html"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-site", "same-origin"),
            ("origin", origin.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        self.send(Method::POST, url, &headers, form).await
    }

    /// Any request, with the cookies that belong to it.
    pub(crate) async fn send(&self, method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let url = Url::parse(url).unwrap();
        let mut request = Request::builder().method(method).uri(url.as_str());
        if let Some(cookies) = self.cookies(&url) {
            request = request.header(header::COOKIE, cookies);
        }
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let response = self.client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        self.keep(&url, &parts.headers);
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8_lossy(&body).into_owned(),
            url,
        }
    }

    /// The names of the cookies that `url` would be sent.
    pub(crate) fn cookie_names(&self, url: &str) -> Vec<String> {
        let url = Url::parse(url).unwrap();
        self.matching(&url).iter().map(|cookie| cookie.name().to_owned()).collect()
    }

    /// Puts a cookie into the jar, or takes it out where the value is empty.
    pub(crate) fn set_cookie(&self, url: &str, name: &str, value: &str) {
        let url = Url::parse(url).unwrap();
        self.put(&url, Cookie::new(name.to_owned(), value.to_owned()));
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        self.matching(&url).iter().find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
    }

    fn cookies(&self, url: &Url) -> Option<String> {
        let pairs: Vec<String> = self.matching(url).iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn matching(&self, url: &Url) -> Vec<Cookie<'static>> {
        let jar = self.jar.lock().unwrap();
        let host = url.host_str().unwrap();
        let fits = |cookie: &Cookie<'_>| url.path().starts_with(cookie.path().unwrap_or("/"));
        jar.iter().filter(|(at, cookie)| at == host && fits(cookie)).map(|(_, cookie)| cookie.clone()).collect()
    }

    fn keep(&self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            self.put(url, Cookie::parse(value.to_str().unwrap().to_owned()).unwrap().into_owned());
        }
    }

    fn put(&self, url: &Url, cookie: Cookie<'static>) {
        let host = url.host_str().unwrap();
        let gone = cookie.value().is_empty() || cookie.max_age().is_some_and(|age| age.is_zero());
        let mut jar = self.jar.lock().unwrap();
        let path = cookie.path().map(str::to_owned);
        jar.retain(|(at, old)| at != host || old.name() != cookie.name() || old.path() != path.as_deref());
        if !gone {
            jar.push((host.to_owned(), cookie));
        }
    }
}
