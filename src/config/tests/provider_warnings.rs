//! What is doubted of providers, and of rules about what they say.

use super::warnings::{each_is_warned_of, nothing_is_said_of, route};
use super::{changed, longer};

#[test]
fn providers() {
    let second = "[providers.second]\nissuer = \"https://b.example\"\n";
    each_is_warned_of(&[
        (
            changed("providers.corp", "issuer = \"http://127.0.0.1:9000\""),
            "the provider is asked in clear text",
            "on this machine",
        ),
        (longer(second), "the provider `second` is of no use", "neither `client_id` nor `audiences`"),
        (
            changed("providers.corp", "audiences = [\"https://api.corp.example\", \"portcullis\"]"),
            "the audience is our own `client_id`: ID tokens have it, too",
            "could pass for an access token",
        ),
        (
            changed("providers.corp", "email_domains = [\"corp.example\"]")
                + &format!("\n{second}client_id = \"a\"\nemail_domains = \"Corp.example\"\n"),
            "two providers claim the e-mail domain `Corp.example`",
            "have to choose",
        ),
    ]);
    nothing_is_said_of(&[changed("providers.corp", "audiences = [\"portcullis\"]\nrequire_at_jwt = true")]);
}

#[test]
fn access_tokens_that_nobody_can_renew() {
    let handed_on = |provider: &str| {
        route("identity = { token = \"access\" }").replace("client_id", &format!("{provider}\nclient_id"))
    };
    let message = "access tokens go to apps, but `offline_access` is not asked for";
    let label = "sent to sign in whenever the token expires";
    each_is_warned_of(&[
        (handed_on(""), message, label),
        (handed_on("scopes = [\"openid\", \"email\"]"), message, label),
    ]);
    nothing_is_said_of(&[
        handed_on("scopes = [\"openid\", \"offline_access\"]"),
        handed_on("extra_params = { access_type = \"offline\" }"),
        handed_on("") + "accept = \"bearer\"\n",
        handed_on("").replace("https://id.corp.example", "https://id.corp.example/realms/corp"),
        route("identity = { token = \"id\" }"),
    ]);
}

#[test]
fn deny_rules_that_hold_for_whoever_the_provider_says_too_little_of() {
    let label = "holds unless it is known not to";
    let deny = |rule: &str| longer(&format!("[policies.barred]\ndeny = {{ {rule} }}"));
    let used = |rule: &str| deny(rule).replace("policy = \"staff\"", "policy = [\"staff\", \"barred\"]");
    let message =
        |what: &str| format!("whose token of `corp` tells no {what} is refused on `wiki.corp.example/wiki`");
    for (rule, what) in [
        ("groups = \"banned\"", "groups"),
        ("user = \"mallory\"", "user name"),
        ("users = [\"mallory\"]", "user name"),
        ("emails = \"mallory@corp.example\"", "e-mail address"),
        ("email_domains = \"evil.example\"", "e-mail address"),
        ("claims = { suspended = true }", "such claim"),
    ] {
        each_is_warned_of(&[(used(rule), &message(what), label)]);
    }
    let relaxed = |file: String| {
        file.replace("[policies.staff]", "claims = { absent_groups = \"none\" }\n[policies.staff]")
    };
    let sessions = |file: String| file.replace("audiences = ", "# audiences = ");
    nothing_is_said_of(&[
        relaxed(used("groups = \"banned\"")),
        sessions(used("groups = \"banned\"")),
        sessions(used("claims = { suspended = true }")),
        used("networks = \"192.0.2.0/24\""),
    ]);
    let never = |file: String| file.replace("[policies.staff]", "userinfo = \"never\"\n[policies.staff]");
    each_is_warned_of(&[(never(sessions(used("groups = \"banned\""))), &message("groups"), label)]);
}
