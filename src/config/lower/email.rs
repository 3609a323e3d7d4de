//! What counts as a verified e-mail address (invariants 11 and 29).

use url::Url;

use crate::oidc::EmailVerification;

use super::Lowering;
use super::value::domain;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{EmailVerified, OneOrMany, Provider};

/// Issuers at which anybody gets an account.
const FOR_ANYBODY: [&str; 9] = [
    "accounts.google.com",
    "appleid.apple.com",
    "gitlab.com",
    "www.linkedin.com",
    "slack.com",
    "login.salesforce.com",
    "login.yahoo.com",
    "api.login.yahoo.com",
    "id.twitch.tv",
];

/// Hosts of Microsoft Entra ID, and what stands in place of a tenant where all are served; the last is the tenant
/// of private accounts.
const ENTRA: [&str; 5] = [
    "login.microsoftonline.com",
    "login.microsoftonline.us",
    "login.partner.microsoftonline.cn",
    "login.chinacloudapi.cn",
    "sts.windows.net",
];
const ALL_TENANTS: [&str; 5] =
    ["common", "organizations", "consumers", "{tenantid}", "9188040d-6c67-4c5b-b112-36a304b66dad"];

impl Lowering<'_> {
    pub(super) fn email_verified(&mut self, at: Located<'_, Provider>) -> EmailVerification {
        let written = at!(at.email_verified);
        match written.value {
            None => EmailVerification::AsSaid,
            Some(EmailVerified::Word(_)) => EmailVerification::Require,
            Some(EmailVerified::Assumed(domains)) => {
                if serves_anybody(&at.value.issuer) {
                    self.fault(
                        Diagnostic::new(
                            written.place,
                            "addresses are assumed at an issuer that serves anybody",
                        )
                        .expected("expected no `assume` here: whoever has an account may say any address")
                        .help("name groups or users in rules, or take an issuer of your own organisation"),
                    );
                }
                let domains = Located::new(domains, written.place);
                EmailVerification::Assume(self.assumed(at!(domains.assume)))
            }
        }
    }

    fn assumed(&mut self, at: Located<'_, OneOrMany<String>>) -> Vec<String> {
        let written = at.items();
        if written.is_empty() {
            self.fault(
                Diagnostic::new(at.place, "no domain is assumed").expected("expected at least one domain"),
            );
        }
        written.into_iter().filter_map(|at| self.keep(domain(at))).collect()
    }
}

fn serves_anybody(issuer: &str) -> bool {
    let Ok(url) = Url::parse(issuer) else { return false };
    let host = url.host_str().unwrap_or_default();
    let tenant = url.path_segments().and_then(|mut segments| segments.next()).unwrap_or_default();
    let tenant = tenant.replace("%7B", "{").replace("%7D", "}");
    FOR_ANYBODY.contains(&host)
        || (ENTRA.contains(&host) && ALL_TENANTS.iter().any(|all| all.eq_ignore_ascii_case(&tenant)))
}

/// Whether the issuer is known to hand on addresses that tenants choose and nobody has verified, and not to
/// say so.
pub(in crate::config) fn lets_tenants_choose(issuer: &str) -> bool {
    let url = Url::parse(issuer).ok();
    let host = url.as_ref().and_then(Url::host_str).unwrap_or_default();
    ENTRA.contains(&host) || host.ends_with(".ciamlogin.com")
}
