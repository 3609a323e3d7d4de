//! `[providers.NAME]`.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::identity::{ClaimPath, Issuer, ProviderName};
use crate::oidc::{
    AbsentGroups, AskUserInfo, ClaimMapping, ClientAuthentication, ClientSettings, LogoutEnds,
    LogoutSettings, ProviderSettings, ResponseMode, is_own_parameter,
};

use super::Lowering;
use super::policy::ANY;
use super::value::{DAY, HOUR, MINUTE, filled, is_loopback, is_name, url};
use crate::config::diagnostic::{Diagnostic, quoted};
use crate::config::located::{Located, Place, at};
use crate::config::raw::{self, Claims, ClientAuth, OneOrMany, Provider, ResponseMode as RawMode, Userinfo};

impl Lowering<'_> {
    pub(super) fn providers(
        &mut self,
        at: Located<'_, Option<BTreeMap<String, Provider>>>,
    ) -> Vec<ProviderSettings> {
        let entries = at.given().map(Located::entries).unwrap_or_default();
        let mut providers: Vec<ProviderSettings> = Vec::new();
        for (name, at) in entries {
            let Some(provider) = self.provider(name, at) else { continue };
            self.registrations(at, &provider, &providers);
            providers.push(provider);
        }
        providers
    }

    fn provider(&mut self, name: &str, at: Located<'_, Provider>) -> Option<ProviderSettings> {
        if !is_name(name) || name == ANY {
            self.fault(
                Diagnostic::new(at.place, format!("{} is no name for a provider", quoted(name)))
                    .expected("expected letters, digits, `-` and `_`, at most 64, and not \"any\""),
            );
        }
        let issuer = self.keep(issuer(at!(at.issuer)));
        let display_name = at!(at.display_name).given().and_then(|at| self.keep(filled(at)));
        let settings = ProviderSettings {
            name: ProviderName::new(name),
            display_name: display_name.unwrap_or_else(|| name.to_owned()),
            discovery: at!(at.discovery).given().and_then(|at| self.keep(discovery(at))),
            client: issuer.as_ref().and_then(|issuer| self.client(at, issuer)),
            issuer: issuer.unwrap_or_else(|| Issuer::new("")),
            audiences: self.texts(at!(at.audiences)),
            trusted_audiences: self.texts(at!(at.trusted_audiences)),
            claims: self.claims(at)?,
            email_domains: self.domains(at!(at.email_domains)),
            leeway: self.span(
                at!(at.leeway),
                Duration::from_secs(60),
                Duration::ZERO..=Duration::from_secs(5 * MINUTE),
            ),
            require_at_jwt: at.value.require_at_jwt.unwrap_or_default(),
            ca: at!(at.ca).given().and_then(|ca| {
                let pem = self.certificates(ca);
                self.keep(pem)
            }),
            timeout: self.span(
                at!(at.timeout),
                Duration::from_secs(10),
                Duration::from_millis(100)..=Duration::from_secs(MINUTE),
            ),
        };
        (!settings.issuer.as_str().is_empty()).then_some(settings)
    }

    fn client(&mut self, at: Located<'_, Provider>, issuer: &Issuer) -> Option<ClientSettings> {
        let authentication = self.authentication(at);
        let Some(id) = at!(at.client_id).given() else {
            let useless = [
                ("client_secret", at.value.client_secret.is_some(), at!(at.client_secret).place),
                ("private_key", at.value.private_key.is_some(), at!(at.private_key).place),
            ];
            let incomplete = self.diagnostics.is_incomplete(&at.place.span());
            for (key, _, place) in useless.into_iter().filter(|(_, given, _)| *given && !incomplete) {
                self.fault(
                    Diagnostic::new(place, format!("`{key}` without `client_id`"))
                        .expected("expected `client_id`"),
                );
            }
            return None;
        };
        Some(ClientSettings {
            id: self.keep(filled(id)).unwrap_or_default(),
            assertion: self.assertion(at, &authentication, issuer),
            authentication,
            response_mode: match at.value.response_mode {
                None | Some(RawMode::Query) => ResponseMode::Query,
                Some(RawMode::FormPost) => ResponseMode::FormPost,
            },
            scopes: self.scopes(at!(at.scopes)),
            prompt: self.prompt(at!(at.prompt)),
            acr_values: self.texts(at!(at.acr_values)),
            levels_of_rules: Vec::new(),
            max_age: at.value.max_age.is_some().then(|| {
                let range = Duration::ZERO..=Duration::from_secs(366 * DAY);
                self.span(at!(at.max_age), Duration::ZERO, range)
            }),
            extra: self.extra(at!(at.extra_params)),
            userinfo: match at.value.userinfo {
                None | Some(Userinfo::WhenNeeded) => AskUserInfo::WhenNeeded,
                Some(Userinfo::Always) => AskUserInfo::Always,
                Some(Userinfo::Never) => AskUserInfo::Never,
            },
            refresh_every: at.value.refresh_every.is_some().then(|| {
                let range = Duration::from_secs(MINUTE)..=Duration::from_secs(30 * DAY);
                self.span(at!(at.refresh_every), Duration::from_secs(HOUR), range)
            }),
            logout: LogoutSettings {
                ends: match at.value.logout_ends {
                    None | Some(raw::LogoutEnds::Session) => LogoutEnds::Session,
                    Some(raw::LogoutEnds::Subject) => LogoutEnds::Subject,
                },
                without_exp: at.value.logout_without_exp.is_some().then(|| {
                    let range = Duration::from_secs(1)..=Duration::from_secs(10 * MINUTE);
                    self.span(at!(at.logout_without_exp), Duration::from_secs(2 * MINUTE), range)
                }),
            },
        })
    }

    fn authentication(&mut self, at: Located<'_, Provider>) -> ClientAuthentication {
        let secret = at!(at.client_secret).given().map(|at| self.secret(at));
        let key = at!(at.private_key).given().map(|at| self.private_key(at));
        if secret.is_some() && key.is_some() {
            self.fault(
                Diagnostic::new(at!(at.private_key).place, "both `client_secret` and `private_key`")
                    .expected("expected one of them: whichever the provider knows"),
            );
        }
        if at.value.client_auth.is_some() && secret.is_none() {
            self.fault(
                Diagnostic::new(at!(at.client_auth).place, "`client_auth` without `client_secret`")
                    .expected("expected `client_secret` beside it"),
            );
        }
        let (secret, key) = (secret.and_then(|secret| self.keep(secret)), key.and_then(|key| self.keep(key)));
        match (secret, key, at.value.client_auth.as_ref()) {
            (Some(secret), _, Some(ClientAuth::Post)) => ClientAuthentication::SecretPost(secret),
            (Some(secret), _, None | Some(ClientAuth::Basic)) => ClientAuthentication::SecretBasic(secret),
            (None, Some(key), _) => ClientAuthentication::PrivateKey(key),
            (None, None, _) => ClientAuthentication::None,
        }
    }

    /// As written, separated by blanks or as an array, with `openid` among them.
    fn scopes(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Vec<String> {
        if at.value.is_none() {
            return ["openid", "profile", "email"].map(str::to_owned).to_vec();
        }
        let texts = self.texts(at);
        let mut scopes = vec!["openid".to_owned()];
        for scope in texts.iter().flat_map(|text| text.split_whitespace()) {
            if !scopes.iter().any(|known| known == scope) {
                scopes.push(scope.to_owned());
            }
        }
        scopes
    }

    fn prompt(&mut self, at: Located<'_, Option<OneOrMany<String>>>) -> Option<String> {
        let words = self.texts(at);
        if words.iter().any(|word| word == "none") {
            self.fault(
                Diagnostic::new(at.place, "with `prompt` \"none\" nobody could sign in").expected(
                    "expected \"login\", \"consent\", \"select_account\" or what the provider knows",
                ),
            );
        }
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn extra(&mut self, at: Located<'_, Option<BTreeMap<String, String>>>) -> Vec<(String, String)> {
        let entries = at.given().map(Located::entries).unwrap_or_default();
        for (name, at) in &entries {
            if name.is_empty() || is_own_parameter(name) {
                self.fault(
                    Diagnostic::new(
                        at.place,
                        format!("the parameter {} is set by the gateway", quoted(name)),
                    )
                    .expected("expected parameters of the provider's own")
                    .help("scopes, prompt, acr_values and max_age have keys of their own"),
                );
            }
        }
        entries.into_iter().map(|(name, at)| (name.to_owned(), at.value.clone())).collect()
    }

    fn claims(&mut self, provider: Located<'_, Provider>) -> Option<ClaimMapping> {
        let at: Located<'_, Option<Claims>> = at!(provider.claims);
        let mut path =
            |at: Option<Located<'_, String>>| at.and_then(|at| self.claim_path(at.value, at.place));
        let given = at.given();
        let user = path(given.and_then(|at| at!(at.user).given()));
        let email = path(given.and_then(|at| at!(at.email).given()));
        let groups = path(given.and_then(|at| at!(at.groups).given()));
        let or = |path: Option<ClaimPath>, name| path.or_else(|| ClaimPath::parse(name));
        let absent_groups = match given.and_then(|at| at.value.absent_groups.as_ref()) {
            None | Some(raw::AbsentGroups::Unknown) => AbsentGroups::Unknown,
            Some(raw::AbsentGroups::None) => AbsentGroups::None,
        };
        Some(ClaimMapping {
            user,
            email: or(email, "email")?,
            email_verified: self.email_verified(provider),
            groups: or(groups, "groups")?,
            absent_groups,
            named_by_rules: Vec::new(),
        })
    }

    /// The path that `text` writes.
    pub(super) fn claim_path(&mut self, text: &str, place: Place<'_>) -> Option<ClaimPath> {
        let path = ClaimPath::parse(text).ok_or_else(|| {
            Diagnostic::new(place, "not the path of a claim")
                .expected("expected a path such as \"groups\", \"realm_access.roles\" or \"/a.b/c\"")
        });
        self.keep(path)
    }
}

/// An address below which metadata are looked for, or where they are.
pub(super) fn provider_url(text: &str, place: Place<'_>, what: &str) -> Result<Url, Diagnostic> {
    let url = url(text, place, &["https", "http"], "https://id.corp.example")?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(Diagnostic::new(place, format!("the {what} is clear text"))
            .expected("expected `https://`; `http://` is for loopback addresses"));
    }
    Ok(url)
}

/// The address of a discovery document. It may have a query: some providers tell applications or policies
/// apart by it.
fn discovery(at: Located<'_, String>) -> Result<Url, Diagnostic> {
    let (address, query) = at.value.split_once('?').map_or((at.value.as_str(), None), |(a, q)| (a, Some(q)));
    let mut url = provider_url(address, at.place, "discovery document")?;
    url.set_query(query);
    Ok(url)
}

fn issuer(at: Located<'_, String>) -> Result<Issuer, Diagnostic> {
    provider_url(at.value, at.place, "issuer")?;
    if let Some((issuer, _)) = at.value.split_once("/.well-known/") {
        return Err(Diagnostic::new(at.place, "the issuer is the address of a discovery document")
            .expected(format!("expected \"{}\" or the like, as `issuer` stands in that document", quoted(issuer).trim_matches('`')))
            .help("`/.well-known/openid-configuration` is added by itself; for another place there is `discovery`"));
    }
    Ok(Issuer::new(at.value))
}
