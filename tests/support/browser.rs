//! A browser without a window: a cookie jar that follows redirects as people's browsers do.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use cookie::Cookie;
use http::{HeaderMap, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use url::{Position, Url};

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

    /// Where it redirects to.
    pub(crate) fn next(&self) -> Option<String> {
        let next = self.headers.get(header::LOCATION).filter(|_| (300..400).contains(&self.status))?;
        Some(self.url.join(next.to_str().unwrap()).unwrap().into())
    }

    /// Every `Set-Cookie`.
    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {} {}", self.status, self.body))
    }
}

/// One browser. Clones share the cookies, as tabs do. `localhost` and what is below it is 127.0.0.1.
#[derive(Clone)]
pub(crate) struct Browser {
    client: Client<HttpConnector, Full<Bytes>>,
    jar: Arc<Mutex<Vec<(String, Cookie<'static>)>>>,
    /// Where a proxy that ends TLS would hand on what is asked of any `https` address.
    behind_tls: Option<u16>,
    /// Its `User-Agent`.
    agent: Option<&'static str>,
    /// The address that a proxy would say it is at.
    address: Option<&'static str>,
}

impl Browser {
    pub(crate) fn new() -> Self {
        // No connection is kept: a gateway that restarts must not look like one that breaks off.
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(0).build_http();
        Self { client, jar: Arc::default(), behind_tls: None, agent: None, address: None }
    }

    /// One that says so of itself.
    pub(crate) fn with_agent(agent: &'static str) -> Self {
        Self { agent: Some(agent), ..Self::new() }
    }

    /// One whose `https` addresses all lead to `port` in clear text with `X-Forwarded-Proto: https`, as a
    /// load balancer hands them on.
    pub(crate) fn behind_tls(port: u16) -> Self {
        Self { behind_tls: Some(port), ..Self::new() }
    }

    /// The same browser at another address, as a proxy would say (`X-Forwarded-For`).
    pub(crate) fn moved_to(&self, address: &'static str) -> Self {
        Self { address: Some(address), ..self.clone() }
    }

    /// Goes to `url` as a person does and follows redirects to the end.
    pub(crate) async fn visit(&self, url: &str) -> Answer {
        self.follow(self.get(url).await).await
    }

    /// Follows redirects from `answer` to the end.
    pub(crate) async fn follow(&self, mut answer: Answer) -> Answer {
        for _ in 0..20 {
            let Some(next) = answer.next() else { return answer };
            answer = self.get(&next).await;
        }
        panic!("more than 20 redirects, the last one to {}", answer.url);
    }

    /// Follows redirects from `url` until one leads to an address with `mark` in it: that address, not
    /// visited.
    pub(crate) async fn stop_before(&self, url: &str, mark: &str) -> Url {
        let mut answer = self.get(url).await;
        for _ in 0..20 {
            let next =
                answer.next().unwrap_or_else(|| panic!("{} {}: {}", answer.url, answer.status, answer.body));
            if next.contains(mark) {
                return Url::parse(&next).unwrap();
            }
            answer = self.get(&next).await;
        }
        panic!("no redirect to {mark}");
    }

    /// One navigation, no redirect followed.
    pub(crate) async fn get(&self, url: &str) -> Answer {
        let navigation = [
            ("accept", "text/html,*/*;q=0.8"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
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
    pub(crate) async fn send(
        &self,
        method: Method,
        url: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let url = Url::parse(url).unwrap();
        let mut request = Request::builder().method(method).uri(self.reached_at(&url).as_str());
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(header::HOST, &url[Position::BeforeHost..Position::AfterPort]);
        }
        if url.scheme() == "https" {
            request = request.header("x-forwarded-proto", "https");
        }
        if let Some(agent) = self.agent {
            request = request.header(header::USER_AGENT, agent);
        }
        if let Some(address) = self.address {
            request = request.header("x-forwarded-for", address);
        }
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

    fn reached_at(&self, url: &Url) -> Url {
        let mut at = url.clone();
        let host = url.host_str().unwrap();
        if url.scheme() == "https" {
            at.set_scheme("http").unwrap();
            at.set_port(self.behind_tls).unwrap();
        }
        if url.scheme() == "https" || host.ends_with("localhost") {
            at.set_host(Some("127.0.0.1")).unwrap();
        }
        at
    }

    /// The names of the cookies that `url` would be sent.
    pub(crate) fn cookie_names(&self, url: &str) -> Vec<String> {
        let url = Url::parse(url).unwrap();
        self.matching(&url).iter().map(|cookie| cookie.name().to_owned()).collect()
    }

    /// Puts a cookie into the jar, or takes it out where the value is empty.
    pub(crate) fn set_cookie(&self, url: &str, name: &str, value: &str) {
        let url = Url::parse(url).unwrap();
        let path = if url.path().starts_with("/.portcullis") { "/.portcullis" } else { "/" };
        let cookie = Cookie::build((name.to_owned(), value.to_owned())).path(path);
        self.put(&url, cookie.secure(url.scheme() == "https").build());
    }

    /// A cookie's value.
    pub(crate) fn cookie(&self, url: &str, name: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        self.matching(&url)
            .iter()
            .find(|cookie| cookie.name() == name)
            .map(|cookie| cookie.value().to_owned())
    }

    fn cookies(&self, url: &Url) -> Option<String> {
        let pairs: Vec<String> =
            self.matching(url).iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }

    fn matching(&self, url: &Url) -> Vec<Cookie<'static>> {
        let jar = self.jar.lock().unwrap();
        let host = url.host_str().unwrap();
        let fits = |cookie: &Cookie<'_>| {
            let safe = cookie.secure() != Some(true) || url.scheme() == "https";
            safe && url.path().starts_with(cookie.path().unwrap_or("/"))
        };
        jar.iter()
            .filter(|(at, cookie)| at == host && fits(cookie))
            .map(|(_, cookie)| cookie.clone())
            .collect()
    }

    fn keep(&self, url: &Url, headers: &HeaderMap) {
        for value in headers.get_all(header::SET_COOKIE) {
            self.put(url, Cookie::parse(value.to_str().unwrap().to_owned()).unwrap().into_owned());
        }
    }

    fn put(&self, url: &Url, cookie: Cookie<'static>) {
        let host = url.host_str().unwrap();
        let whole = cookie.secure() == Some(true) && cookie.path() == Some("/") && cookie.domain().is_none();
        if cookie.name().starts_with("__Host-") && !(whole && url.scheme() == "https") {
            return;
        }
        let gone = cookie.value().is_empty() || cookie.max_age().is_some_and(|age| age.is_zero());
        let mut jar = self.jar.lock().unwrap();
        let path = cookie.path().map(str::to_owned);
        jar.retain(|(at, old)| at != host || old.name() != cookie.name() || old.path() != path.as_deref());
        if !gone {
            jar.push((host.to_owned(), cookie));
        }
    }
}
