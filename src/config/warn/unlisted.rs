//! `deny` rules that hold for people of whom the provider says too little.

use crate::authn::Accepted;
use crate::oidc::{AbsentGroups, AskUserInfo, ProviderSettings};
use crate::policy::RuleSettings;

use super::{LintedRoute, Lints};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw::Rule;

/// Routes that a warning names.
const NAMED: usize = 5;

impl<'a> Lints<'a> {
    /// A `deny` rule about something that a credential of the routes may not tell: then it holds (invariant 19).
    pub(super) fn unlisted(
        &self,
        at: Located<'a, Rule>,
        meant: &RuleSettings,
        routes: &[LintedRoute<'a>],
    ) -> Option<Diagnostic> {
        let providers = &self.settings.relying_party.providers;
        let mut met = providers
            .iter()
            .filter(|provider| meant.providers.is_empty() || meant.providers.contains(&provider.name));
        let (provider, (place, what), there) = met.find_map(|provider| {
            let asked = asked(at, provider)?;
            let there: Vec<_> = routes.iter().filter(|linted| may_be_silent(**linted, provider)).collect();
            (!there.is_empty()).then_some((provider, asked, there))
        })?;
        let name = quoted(provider.name.as_str());
        let names: Vec<_> =
            there.iter().take(NAMED).map(|linted| quoted(linted.meant.name.as_str()).to_string()).collect();
        let more = if there.len() > NAMED { " and others" } else { "" };
        let message =
            format!("whose token of {name} tells no {what} is refused on {}{more}", names.join(", "));
        Some(
            Diagnostic::new(place, message)
                .expected("a `deny` rule holds unless it is known not to")
                .help(help(what, provider)),
        )
    }
}

/// The first thing that the rule asks of a person and that the provider may not tell.
fn asked<'a>(at: Located<'a, Rule>, provider: &ProviderSettings) -> Option<(Place<'a>, &'static str)> {
    let rule = at.value;
    let groups = rule.groups.is_some() && provider.claims.absent_groups == AbsentGroups::Unknown;
    let asked = [
        (groups, at!(at.groups).place, "groups"),
        (rule.claims.is_some(), at!(at.claims).place, "such claim"),
        (rule.users.is_some(), at!(at.users).place, "user name"),
        (rule.user.is_some(), at!(at.user).place, "user name"),
        (rule.emails.is_some(), at!(at.emails).place, "e-mail address"),
        (rule.email_domains.is_some(), at!(at.email_domains).place, "e-mail address"),
    ];
    asked.into_iter().find(|(asked, ..)| *asked).map(|(_, place, what)| (place, what))
}

/// Whether a credential may come from the provider without anything else being asked of it.
fn may_be_silent(linted: LintedRoute<'_>, provider: &ProviderSettings) -> bool {
    let accept = linted.meant.accept;
    let never = provider.client.as_ref().is_some_and(|client| client.userinfo == AskUserInfo::Never);
    (accept.tokens() && !provider.audiences.is_empty()) || (accept.has(Accepted::Session) && never)
}

fn help(what: &str, provider: &ProviderSettings) -> String {
    let name = &provider.name;
    match what {
        "groups" => format!(
            "let the provider put them into its tokens; where it does so for whoever has some, say \
             `absent_groups = \"none\"` in `[providers.{name}.claims]`"
        ),
        _ => "let the provider put it into its tokens, or let in by an `allow` rule whom you know".to_owned(),
    }
}
