//! What is said of a provider, once it is lowered.

use std::time::Duration;

use super::{Machine, changed, longer, settings};
use crate::oidc::{
    AssertionAudience, ClientSettings, LogoutEnds, LogoutSettings, ProviderSettings, ResponseMode,
};

fn provider(line: &str) -> ProviderSettings {
    settings(&changed("providers.corp", line)).relying_party.providers.remove(0)
}

fn client(line: &str) -> ClientSettings {
    provider(line).client.unwrap()
}

#[test]
fn two_registrations_at_one_issuer_are_told_apart_by_their_client() {
    let twin = "[providers.twin]\nissuer = \"https://id.corp.example\"\nclient_id = \"other\"\nclient_secret = { env = \"SECRET\" }";
    let providers = settings(&longer(twin)).relying_party.providers;
    let clients: Vec<_> = providers.iter().map(|it| it.client.as_ref().unwrap().id.as_str()).collect();
    assert_eq!(
        (providers[0].issuer == providers[1].issuer, &clients[..]),
        (true, &["portcullis", "other"][..])
    );
}

#[test]
fn a_provider_may_post_its_response_and_keep_its_metadata_elsewhere() {
    assert_eq!(client("client_id = \"x\"").response_mode, ResponseMode::Query);
    assert_eq!(client("response_mode = \"form_post\"").response_mode, ResponseMode::FormPost);
    assert_eq!(provider("display_name = \"x\"").discovery, None);
    let elsewhere = provider("discovery = \"https://id.corp.example/b2c/metadata?p=x\"").discovery;
    assert_eq!(elsewhere.map(String::from).as_deref(), Some("https://id.corp.example/b2c/metadata?p=x"));
}

#[test]
fn what_a_sign_out_at_the_provider_ends_is_its_session_unless_the_file_says_otherwise() {
    assert_eq!(
        client("display_name = \"x\"").logout,
        LogoutSettings { ends: LogoutEnds::Session, without_exp: None }
    );
    assert_eq!(client("logout_ends = \"session\"").logout.ends, LogoutEnds::Session);
    assert_eq!(client("logout_ends = \"subject\"").logout.ends, LogoutEnds::Subject);
    assert_eq!(client("logout_without_exp = \"2m\"").logout.without_exp, Some(Duration::from_secs(120)));
}

#[test]
fn assertions_are_for_the_issuer_or_for_the_endpoint_where_that_is_known_to_be_demanded() {
    let key = "private_key = { file = \"tls.key\" }";
    let said = |issuer: &str, more: &str| {
        let file = changed("providers.corp", &format!("{key}\n{more}"))
            .replace("client_secret = { env = \"SECRET\" }\n", "")
            .replace("https://id.corp.example", issuer);
        settings(&file).relying_party.providers.remove(0).client.unwrap().assertion
    };
    let plain = said("https://id.corp.example", "");
    assert_eq!((plain.audience, plain.kid), (AssertionAudience::Issuer, None));
    assert_eq!(said("https://corp.okta.com", "").audience, AssertionAudience::TokenEndpoint);
    let issuer = "client_assertion_audience = \"issuer\"";
    assert_eq!(said("https://corp.okta.com", issuer).audience, AssertionAudience::Issuer);
    let endpoint = "client_assertion_audience = \"token-endpoint\"\nclient_assertion_kid = \"k\"";
    let chosen = said("https://id.corp.example", endpoint);
    assert_eq!((chosen.audience, chosen.kid.as_deref()), (AssertionAudience::TokenEndpoint, Some("k")));
    let certificate =
        said("https://id.corp.example", "client_assertion_certificate = { file = \"tls.crt\" }").certificate;
    assert!(certificate.is_some_and(|pem| pem.starts_with(b"-----BEGIN CERTIFICATE-----")));
}

#[test]
fn a_certificate_that_is_not_the_keys_is_refused() {
    let line = "private_key = { file = \"tls.key\" }\nclient_assertion_certificate = { file = \"odd.crt\" }";
    let file = changed("providers.corp", line).replace("client_secret = { env = \"SECRET\" }\n", "");
    let odd = rcgen::generate_simple_self_signed(vec!["corp.example".into()]).unwrap().cert.pem();
    let report = Machine::furnished(&file).file("odd.crt", odd).load().unwrap_err().to_string();
    assert!(report.contains("the key belongs to another certificate"), "{report}");
}
