//! Which provider signs somebody in, and what it is asked for.

use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, EncodingKey};
use rcgen::KeyPair;
use url::Url;

use crate::support::{
    Answer, App, Browser, Gateway, Impostor, Provider, World, between, free_port, onward, told,
};

const WIKI: &str = r#"
[[routes]]
name = "wiki"
upstream = "{app}"
access = "signed-in"
identity = { headers = { X-User = "user", X-Provider = "provider", X-Groups = "groups" } }
"#;

/// A gateway with the providers `corp` and `partner`.
async fn two() -> (World, Provider) {
    let port = free_port();
    let ours = format!("http://127.0.0.1:{port}");
    let (corp, partner) = (Provider::start(&ours), Provider::start(&ours));
    let more = format!(
        "email_domains = [\"corp.example\"]\ndisplay_name = \"Corp <Inc>\"\n{}email_domains = [\"partner.example\"]\n",
        partner.configuration_of("partner")
    );
    (World::before(corp, port, &ours, "", &more, WIKI).await, partner)
}

fn parameter(answer: &Answer, name: &str) -> Option<String> {
    let url = Url::parse(&answer.next().unwrap_or_else(|| panic!("{}", answer.body))).unwrap();
    let mut pairs = url.query_pairs();
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[tokio::test]
async fn with_two_providers_a_page_asks_and_the_choice_keeps_the_way() {
    let (world, partner) = two().await;
    let browser = Browser::new();
    let page = browser.visit(&world.gateway.url("/page?a=1&b=%26")).await;
    assert_eq!(page.status, 401, "nobody is signed in");
    assert!(page.header("www-authenticate").starts_with("Bearer"), "{:?}", page.headers);
    assert!(
        page.body.contains("Corp &#60;Inc&#62;") || page.body.contains("Corp &lt;Inc&gt;"),
        "{}",
        page.body
    );
    assert!(page.header("cache-control").contains("no-store"));
    let link = page.body.split("href=\"").find(|part| part.contains("provider=partner")).unwrap();
    let link = between(&format!("\"{link}"), "\"", "\"");
    let arrived = browser.visit(page.url.join(&link).unwrap().as_str()).await;
    assert_eq!(arrived.json()["target"], "/page?a=1&b=%26");
    assert_eq!(told(&arrived, "x-provider"), ["partner"]);
    assert_eq!((world.provider.asked("/token").await, partner.asked("/token").await), (0, 1));
}

#[tokio::test]
async fn an_e_mail_address_finds_its_provider() {
    let (world, partner) = two().await;
    let ask = async |email: &str| {
        let url = world.gateway.url(&format!("/.portcullis/sign-in?login_hint={email}"));
        Browser::new().get(&url).await
    };
    for (email, provider) in [("bob@corp.example", &world.provider), ("bob@PARTNER.example", &partner)] {
        let sent = onward(&ask(email).await);
        assert!(sent.as_str().starts_with(&provider.issuer()), "{email}");
        assert!(sent.query_pairs().any(|(name, value)| name == "login_hint" && value == email), "{sent}");
    }
    // Neither a part of a domain nor a longer one is that domain (invariant 11).
    for email in
        ["bob@evilcorp.example", "bob@sub.corp.example", "bob@corp.example.evil.example", "corp.example"]
    {
        let page = ask(email).await;
        assert!(page.body.contains("provider=partner"), "{email} is asked to choose");
    }
}

#[tokio::test]
async fn a_hint_names_the_person_who_signs_in() {
    let world = World::open(WIKI).await;
    let browser = Browser::new();
    let url = world.gateway.url("/.portcullis/sign-in?login_hint=bob@corp.example");
    browser.visit(onward(&browser.get(&url).await).as_str()).await;
    let answer = browser.get(&world.gateway.url("/")).await;
    assert_eq!(told(&answer, "x-user"), ["bob"]);
}

#[tokio::test]
async fn a_provider_that_is_not_there_is_no_way_in() {
    let (world, _partner) = two().await;
    let page = Browser::new().get(&world.gateway.url("/.portcullis/sign-in?provider=nobody")).await;
    assert_eq!(page.status, 401, "the chooser");
    assert!(page.body.contains("provider=partner"));
}

#[tokio::test]
async fn the_authorization_request_says_what_is_configured() {
    let configured = "prompt = \"select_account\"\nacr_values = [\"urn:mfa\", \"urn:pwd\"]\nmax_age = \"10m\"\n\
                      extra_params = { hd = \"corp.example\", ui_locales = \"de en\" }\n";
    let world = World::with(configured, WIKI).await;
    let sent = Browser::new().get(&world.gateway.url("/")).await;
    let asked = |name: &str| parameter(&sent, name);
    assert_eq!(asked("prompt").as_deref(), Some("select_account"));
    assert_eq!(asked("acr_values").as_deref(), Some("urn:mfa urn:pwd"));
    assert_eq!(asked("max_age").as_deref(), Some("600"));
    assert_eq!(asked("hd").as_deref(), Some("corp.example"));
    assert_eq!(asked("ui_locales").as_deref(), Some("de en"));
    assert_eq!(asked("response_type").as_deref(), Some("code"));
    assert_eq!(asked("code_challenge_method").as_deref(), Some("S256"));
    assert_eq!(asked("scope").as_deref(), Some("openid offline_access email profile groups"));
    assert_eq!(asked("redirect_uri"), Some(world.gateway.url("/.portcullis/callback")));
    for fresh in ["state", "nonce", "code_challenge"] {
        let again = Browser::new().get(&world.gateway.url("/")).await;
        assert!(asked(fresh).is_some_and(|value| value.len() >= 43), "{fresh}");
        assert_ne!(asked(fresh), parameter(&again, fresh), "{fresh} is fresh each time");
    }
}

#[tokio::test]
async fn who_must_have_signed_in_lately_signs_in() {
    let world = World::with("max_age = \"10m\"\n", WIKI).await;
    let answer = Browser::new().visit(&world.gateway.url("/")).await;
    assert_eq!(answer.status, 200, "{}", world.gateway.log());
}

#[tokio::test]
async fn the_gateway_shows_the_provider_who_it_is_in_each_way() {
    let key = KeyPair::generate().unwrap();
    let jwk =
        Jwk::from_encoding_key(&EncodingKey::from_ec_der(&key.serialize_der()), Algorithm::ES256).unwrap();
    let named = |kid: Option<String>| {
        let mut jwk = jwk.clone();
        jwk.common.key_id = kid;
        jwk
    };
    let thumbprint = jwk.thumbprint(ThumbprintHash::SHA256).unwrap();
    for (method, line, kid) in [
        ("client_secret_basic", "client_auth = \"basic\"\n", None),
        ("client_secret_post", "client_auth = \"post\"\n", None),
        ("private_key_jwt", "private_key = { file = \"client.pem\" }\n", Some(thumbprint)),
        (
            "private_key_jwt",
            "private_key = { file = \"client.pem\" }\nclient_assertion_kid = \"ours\"\nclient_assertion_audience = \"token-endpoint\"\n",
            Some("ours".to_owned()),
        ),
        ("private_key_jwt", "private_key = { file = \"client.pem\" }\nclient_assertion_kid = \"\"\n", None),
    ] {
        let port = free_port();
        let ours = format!("http://127.0.0.1:{port}");
        let mut provider = Provider::stopped(&ours)
            .with_client("token_endpoint_auth_method", method.into())
            .with_client("jwks", serde_json::json!({ "keys": [named(kid)] }));
        provider.resume();
        let app = App::start().await;
        let secret = "client_secret = { env = \"CLIENT_SECRET\" }\n";
        let mut configured = provider.configuration();
        if method == "private_key_jwt" {
            configured = configured.replace(secret, "");
        }
        let rest = format!("{configured}{line}{}", WIKI.replace("{app}", &app.url()));
        let gateway = Gateway::with_files(port, &rest, &[("client.pem", &key.serialize_pem())]);
        let answer = Browser::new().visit(&gateway.url("/")).await;
        assert_eq!(answer.status, 200, "{method}: {}", gateway.log());
    }
}

#[tokio::test]
async fn claims_that_the_id_token_lacks_come_from_userinfo() {
    let port = free_port();
    let ours = format!("http://127.0.0.1:{port}");
    let mut provider = Provider::stopped(&ours).with("USERINFO_ONLY", "1").with("OPAQUE", "1");
    provider.resume();
    let world = World::before(provider, port, &ours, "", "", WIKI).await;
    let answer = Browser::new().visit(&world.gateway.url("/")).await;
    assert_eq!(told(&answer, "x-user"), ["alice"]);
    assert_eq!(told(&answer, "x-groups"), ["staff"]);
    assert_eq!(world.provider.asked("/me").await, 1);
}

#[tokio::test]
async fn every_signature_algorithm_of_the_provider_signs_people_in() {
    let sign_in = async |algorithm: &'static str| {
        let port = free_port();
        let ours = format!("http://127.0.0.1:{port}");
        let mut provider = Provider::stopped(&ours).with("ALGORITHM", algorithm);
        provider.resume();
        let world = World::before(provider, port, &ours, "", "", WIKI).await;
        let answer = Browser::new().visit(&world.gateway.url("/")).await;
        assert_eq!(answer.status, 200, "{algorithm}: {}", world.gateway.log());
        assert_eq!(told(&answer, "x-user"), ["alice"], "{algorithm}");
    };
    for algorithm in ["PS256", "ES256", "ES384", "EdDSA"] {
        sign_in(algorithm).await;
    }
}

#[tokio::test]
async fn two_registrations_at_one_issuer_are_told_apart_by_their_client() {
    let (provider, app) = (Impostor::start().await, App::start().await);
    let twin = provider
        .configuration()
        .replace("[providers.corp]", "[providers.twin]")
        .replace("client_id = \"portcullis\"", "client_id = \"other\"")
        .replace("audiences = [\"https://api.corp.example\"]\n", "");
    let routes = WIKI.replace("{app}", &app.url());
    let gateway = Gateway::start(&format!("{}{twin}{routes}", provider.configuration()));
    let at = |name: &str| {
        let back: String = url::form_urlencoded::byte_serialize(gateway.url("/").as_bytes()).collect();
        gateway.url(&format!("/.portcullis/sign-in?provider={name}&return_to={back}"))
    };
    for (name, client) in [("twin", "other"), ("corp", "portcullis")] {
        provider.now(|now| now.id_token = serde_json::json!({"aud": client}));
        let asked = Browser::new().get(&at(name)).await;
        assert_eq!(parameter(&asked, "client_id").as_deref(), Some(client));
        let arrived = Browser::new().visit(&at(name)).await;
        assert_eq!(told(&arrived, "x-provider"), [name]);
    }
    assert_eq!(Browser::new().visit(&at("twin")).await.status, 502, "the other registration's ID token");
}
