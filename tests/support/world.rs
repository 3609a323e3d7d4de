//! A gateway, its provider and its app, all running.

use url::Url;

use super::{Answer, App, Browser, Gateway, Provider, free_port};

/// A gateway in front of one app, with one certified provider called `corp`.
pub(crate) struct World {
    pub(crate) gateway: Gateway,
    pub(crate) provider: Provider,
    pub(crate) app: App,
}

impl World {
    /// One with these routes; `{app}` stands for the app's address.
    pub(crate) async fn open(routes: &str) -> Self {
        Self::with("", routes).await
    }

    /// The same with further lines in `[providers.corp]`, and tables behind them.
    pub(crate) async fn with(providers: &str, routes: &str) -> Self {
        Self::at("http://127.0.0.1:{port}", "", providers, routes).await
    }

    /// The same where people sign in at `public_url`, with further lines in `[server]`. `{port}` stands for
    /// the gateway's port.
    pub(crate) async fn at(public_url: &str, server: &str, providers: &str, routes: &str) -> Self {
        let port = free_port();
        let public_url = public_url.replace("{port}", &port.to_string());
        let provider = Provider::start(&public_url);
        Self::before(provider, port, &public_url, server, providers, routes).await
    }

    /// The same with a provider of one's own.
    pub(crate) async fn before(
        provider: Provider,
        port: u16,
        public_url: &str,
        server: &str,
        providers: &str,
        routes: &str,
    ) -> Self {
        let app = App::start().await;
        let rest = format!("{}{providers}\n{routes}", provider.configuration());
        let gateway = Gateway::at(port, public_url, server, &rest.replace("{app}", &app.url()));
        Self { gateway, provider, app }
    }

    /// A browser in which alice is signed in, or whoever the provider has been told.
    pub(crate) async fn signed_in(&self) -> Browser {
        let browser = Browser::new();
        let answer = browser.visit(&self.gateway.url("/")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        browser
    }
}

/// The value of an attribute or a parameter that stands between `before` and `after`, with HTML's `&` read.
pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}")).1;
    rest.split_once(after).unwrap().0.replace("&amp;", "&").replace("&#38;", "&")
}

/// Where a page of ours goes on to by itself.
pub(crate) fn onward(page: &Answer) -> Url {
    Url::parse(&between(&page.body, "id=\"onward\" href=\"", "\"")).unwrap()
}

/// The headers that an app was sent under `name`.
pub(crate) fn told(answer: &Answer, name: &str) -> Vec<String> {
    let headers = answer.json()["headers"].clone();
    let pairs = headers.as_array().unwrap_or_else(|| panic!("{}", answer.body)).iter();
    let named = pairs.filter(|pair| pair[0] == name);
    named.map(|pair| pair[1].as_str().unwrap().to_owned()).collect()
}
