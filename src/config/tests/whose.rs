//! Rules that must say whose user or group they mean (invariant 29).

use super::{GOOD, Machine, longer};

const PARTNER: &str = "[providers.partner]\nissuer = \"https://id.partner.example\"\nclient_id = \"portcullis\"\n\
                       email_domains = \"partner.example\"\n";

/// The good file with a second provider and this rule in its policy.
fn with(rule: &str) -> String {
    longer(PARTNER).replace(
        "allow = [{ groups = [\"staff\"], provider = \"corp\" }]",
        &format!("allow = [{{ {rule} }}]"),
    )
}

fn report(file: &str) -> String {
    Machine::furnished(file).load().map_or_else(|report| report.to_string(), |_| String::new())
}

#[test]
fn invariant_29_a_rule_that_two_providers_could_meet_says_whose_it_means() {
    for (rule, line) in [
        ("groups = [\"staff\", \"ops\"]", "write `groups = [\"staff\", \"ops\"], provider = \"corp\"`"),
        ("users = \"alice\"", "write `users = [\"alice\"], provider = \"corp\"`"),
        ("user = \"alice\"", "write `user = [\"alice\"], provider = \"corp\"`"),
        ("emails = \"a@corp.example\"", "write `emails = [\"a@corp.example\"], provider = \"corp\"`"),
        (
            "emails = \"a@partner.example\"",
            "write `emails = [\"a@partner.example\"], provider = \"partner\"`",
        ),
        (
            "email_domains = \"Partner.Example\"",
            "write `email_domains = [\"Partner.Example\"], provider = \"partner\"`",
        ),
        (
            "groups = \"a\", methods = \"GET\", scopes = \"x\"",
            "write `groups = [\"a\"], provider = \"corp\"`",
        ),
    ] {
        let report = report(&with(rule));
        for part in ["does not say whose", line, "provider = [\"corp\", \"partner\"]", "provider = \"any\""] {
            assert!(report.contains(part), "{part}\n{report}");
        }
    }
}

#[test]
fn invariant_29_what_the_report_tells_to_write_loads() {
    for rule in [
        "groups = [\"staff\", \"ops\"], provider = \"corp\"",
        "groups = [\"staff\"], provider = [\"corp\", \"partner\"]",
        "users = \"alice\", providers = \"partner\"",
        "users = \"alice\", provider = \"any\"",
        "email_domains = \"corp.example\", providers = [\"any\"]",
    ] {
        assert_eq!(report(&with(rule)), "", "{rule}");
    }
}

#[test]
fn a_rule_need_not_say_whose_where_nobody_else_could_meet_it() {
    assert_eq!(report(GOOD), "", "one provider");
    for rule in ["scopes = \"read\"", "claims = { department = \"x\" }", "networks = \"10.0.0.0/8\""] {
        assert_eq!(report(&with(rule)), "", "{rule}");
    }
    let group = "groups = \"staff\"";
    let deny =
        with(&format!("{group}, provider = \"corp\"")) + "\n[policies.barred]\ndeny = { groups = \"x\" }\n";
    assert_eq!(
        report(&deny.replace("\"staff\"\n", "[\"staff\", \"barred\"]\n")),
        "",
        "denied with the namesakes"
    );
    let bearer = with(group).replace("policy = \"staff\"", "policy = \"staff\"\naccept = \"bearer\"");
    assert_eq!(report(&bearer), "", "of the other one no tokens are accepted");
    let unused = with(group).replace("policy = \"staff\"", "access = \"signed-in\"");
    assert_eq!(report(&unused), "", "no route asks it");
    let own = with(group).replace("policy = \"staff\"", "allow = { groups = \"staff\" }");
    assert!(report(&own).contains("does not say whose"), "a route's own rules");
    let idle = with(group).replace(
        "issuer = \"https://id.partner.example\"\nclient_id = \"portcullis\"",
        "issuer = \"https://id.partner.example\"",
    );
    assert_eq!(report(&idle), "", "nobody comes from there");
}

#[test]
fn any_is_no_provider_and_stands_alone() {
    let named = with("groups = \"a\", provider = \"corp\"").replace("[providers.partner]", "[providers.any]");
    assert!(report(&named).contains("not \"any\""), "{}", report(&named));
    let beside = report(&with("groups = \"a\", provider = [\"any\", \"corp\"]"));
    assert!(beside.contains("`corp` beside \"any\""), "{beside}");
    let alone = report(&with("provider = \"any\""));
    assert!(alone.contains("a rule without conditions"), "{alone}");
}

#[test]
fn invariant_29_addresses_are_assumed_only_where_the_issuer_is_an_organisations_own() {
    let at = |issuer: &str, value: &str| {
        GOOD.replace("https://id.corp.example", issuer)
            .replace("audiences = ", &format!("email_verified = {value}\naudiences = "))
    };
    let assume = "{ assume = [\"corp.example\"] }";
    for issuer in [
        "https://accounts.google.com",
        "https://gitlab.com",
        "https://login.microsoftonline.com/common/v2.0",
        "https://login.microsoftonline.com/organizations/v2.0",
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    ] {
        let report = report(&at(issuer, assume));
        assert!(report.contains("an issuer that serves anybody"), "{issuer}: {report}");
    }
    let tenant = "https://login.microsoftonline.com/833ced3d-cb2e-41de-92f1-29e2af035ddc/v2.0";
    for (issuer, value) in [
        (tenant, assume),
        ("https://id.corp.example", assume),
        ("https://accounts.google.com", "\"require\""),
    ] {
        assert_eq!(report(&at(issuer, value)), "", "{issuer}");
    }
    for value in ["{ assume = [] }", "{ assume = [\"@corp.example\"] }", "\"always\"", "{}"] {
        assert_ne!(report(&at("https://id.corp.example", value)), "", "{value}");
    }
}

#[test]
fn apps_that_are_told_addresses_which_tenants_choose_are_warned_of() {
    let tenant = "https://login.microsoftonline.com/833ced3d-cb2e-41de-92f1-29e2af035ddc/v2.0";
    let told = |key: &str, identity: &str| {
        let file = GOOD
            .replace("https://id.corp.example", tenant)
            .replace("audiences = ", &format!("{key}\naudiences = "));
        let file = file.replace("policy = \"staff\"", &format!("policy = \"staff\"\n{identity}"));
        super::warnings(&file).render(false)
    };
    let headers = "identity = { headers = \"x-auth-request\" }";
    assert!(
        told("", headers).contains("addresses of `corp` that nobody has verified"),
        "{}",
        told("", headers)
    );
    assert!(told("", "identity = { assertion = true }").contains("nobody has verified"));
    for key in ["email_verified = \"require\"", "email_verified = { assume = \"corp.example\" }"] {
        assert_eq!(told(key, headers), "");
    }
    assert_eq!(told("", "identity = { headers = { X-User = \"user\" } }"), "");
}
