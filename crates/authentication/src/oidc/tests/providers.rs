use super::world::{client, redirect_uri, settings};
use crate::clock::Clock;
use crate::oidc::{Choice, Hint, Provider, ProviderSettings, Providers};

fn providers(changes: &[(&str, &[&str], bool)]) -> Providers {
    let made = changes.iter().map(|(name, domains, signs_in)| {
        let mut settings: ProviderSettings = settings(name, "https://id.example");
        settings.email_domains = domains.iter().map(|domain| (*domain).to_owned()).collect();
        client(&mut settings).extra.clear();
        if !signs_in {
            settings.client = None;
        }
        Provider::new(settings, Some(redirect_uri()), Clock::system()).unwrap()
    });
    Providers::new(made.collect())
}

fn chosen(providers: &Providers, provider: Option<&str>, login_hint: Option<&str>) -> Vec<String> {
    match providers.choose(Hint { provider, login_hint }) {
        Choice::One(one) => vec![one.name().to_string()],
        Choice::Chooser(list) => list.iter().map(|one| format!("?{}", one.name())).collect(),
    }
}

#[test]
fn the_only_provider_needs_no_chooser() {
    let one = providers(&[("corp", &[], true), ("api", &[], false)]);
    assert_eq!(chosen(&one, None, None), ["corp"]);
    assert_eq!(chosen(&one, Some("api"), None), ["corp"], "nobody signs in with a provider without client");
    assert!(chosen(&providers(&[]), None, None).is_empty());
}

#[test]
fn name_then_domain_then_chooser() {
    let three = providers(&[
        ("corp", &["corp.example"], true),
        ("partner", &["partner.example"], true),
        ("x", &[], true),
    ]);
    assert_eq!(chosen(&three, Some("x"), Some("a@corp.example")), ["x"]);
    assert_eq!(chosen(&three, None, Some("a@Partner.Example")), ["partner"]);
    assert_eq!(chosen(&three, None, None), ["?corp", "?partner", "?x"]);
    assert_eq!(chosen(&three, Some("nobody"), None), ["?corp", "?partner", "?x"]);
}

#[test]
fn invariant_11_domains_are_whole() {
    let two = providers(&[("corp", &["corp.example"], true), ("x", &[], true)]);
    for hint in
        ["a@evilcorp.example", "a@corp.example.evil", "a@sub.corp.example", "corp.example", "@corp.example"]
    {
        assert_eq!(chosen(&two, None, Some(hint)), ["?corp", "?x"], "{hint}");
    }
    let shared =
        providers(&[("a", &["corp.example"], true), ("b", &["corp.example"], true), ("c", &[], true)]);
    assert_eq!(chosen(&shared, None, Some("u@corp.example")), ["?a", "?b"]);
}
