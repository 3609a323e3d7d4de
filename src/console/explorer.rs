//! What would become of a request: the very judgement that a live one gets, step by step.

use std::net::IpAddr;

use askama::Template;
use http::{Method, StatusCode};
use url::form_urlencoded;

use super::answer::Visit;
use super::fields::Fields;
use super::message::Message;
use super::place::Section;
use super::process::{Asked, Judged, Judgement, PersonAsked, Process};
use super::role::Role;
use super::shell::Shell;
use super::sign_in;
use super::text;
use crate::endpoints::EndpointError;
use crate::identity::Principal;
use crate::pages::Page;
use crate::policy::{RuleResult, Truth, Verdict};
use crate::session::SessionId;

/// Characters of an address at most.
const LONGEST: usize = 2_048;

const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The form as it was filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Form {
    url: String,
    method: String,
    client: String,
    provider: String,
    user: String,
    email: String,
    groups: String,
    acr: String,
    bound: bool,
    session: Option<SessionId>,
}

impl Form {
    fn read(fields: &Fields, visitor: IpAddr) -> Result<Self, String> {
        let text = |name: &str| Ok::<_, String>(fields.text(name)?.unwrap_or_default());
        let url = fields.raw("url").unwrap_or_default().trim();
        if url.chars().count() > LONGEST || url.chars().any(char::is_control) {
            return Err(format!("“url” must have {LONGEST} characters at most, and no control characters."));
        }
        let session = fields.text("session")?.map(|id| {
            SessionId::from_hex(&id)
                .ok_or("“session” must be the whole identifier of a sign-in: 64 hexadecimal digits.")
        });
        Ok(Self {
            url: url.to_owned(),
            method: fields.text("method")?.unwrap_or_else(|| "GET".to_owned()),
            client: fields.text("client")?.unwrap_or_else(|| visitor.to_string()),
            provider: text("provider")?,
            user: text("user")?,
            email: text("email")?,
            groups: text("groups")?,
            acr: text("acr")?,
            bound: fields.raw("bound").is_some(),
            session: session.transpose()?,
        })
    }

    fn asked(&self, known: Option<PersonAsked>) -> Result<Asked, String> {
        let method = Method::from_bytes(self.method.as_bytes()).map_err(|_| "“method” is no method.")?;
        let client = self.client.parse().map_err(|_| "“address” must be an IP address.")?;
        let person = known.unwrap_or_else(|| self.imagined());
        Ok(Asked { url: self.url.clone(), method, client, person, bound: self.bound })
    }

    fn imagined(&self) -> PersonAsked {
        let given = |text: &String| (!text.is_empty()).then(|| text.clone());
        let groups = self.groups.split(',').map(str::trim).filter(|group| !group.is_empty());
        PersonAsked::Imagined {
            provider: given(&self.provider),
            user: given(&self.user),
            email: given(&self.email),
            groups: groups.map(str::to_owned).collect(),
            acr: given(&self.acr),
        }
    }
}

pub(super) async fn page(
    visit: Visit<'_>,
    process: &dyn Process,
    query: &str,
) -> Result<Page, EndpointError> {
    let told = |message: Message| Ok(message.page(visit, Some(Section::Explain)));
    let visitor = visit.context.forwarding.client.ip();
    let form = match Fields::read(query.as_bytes()).and_then(|fields| Form::read(&fields, visitor)) {
        Ok(form) => form,
        Err(why) => return told(Message::Unclear(why)),
    };
    // The claims of somebody who has signed in are no less theirs than their sign-ins are.
    let may_see = mutant!(visit.role >= Role::Auditor, "viewers-explain-people" => true);
    if form.session.is_some() && !may_see {
        return told(Message::Forbidden(Role::Auditor));
    }
    let known = match form.session {
        None => None,
        Some(id) => match known(process, id).await? {
            Some(known) => Some(known),
            None => return told(Message::NoSignIn),
        },
    };
    Ok(shown(visit, process, &form, known))
}

/// Whoever has signed in, with the claims that their provider gave last.
async fn known(process: &dyn Process, id: SessionId) -> Result<Option<PersonAsked>, EndpointError> {
    let found = sign_in::find(process.sessions(), id).await?;
    Ok(found.and_then(|found| found.card).map(|card| PersonAsked::Known(card.principal)))
}

fn shown(visit: Visit<'_>, process: &dyn Process, form: &Form, known: Option<PersonAsked>) -> Page {
    let shell = Shell::of(visit, Some(Section::Explain));
    let result = (!form.url.is_empty()).then(|| form.asked(known).and_then(|asked| process.judge(&asked)));
    let (judged, fault) = match result {
        Some(Ok(judged)) => (Some(Told::new(judged)), None),
        Some(Err(fault)) => (None, Some(text::long(&fault))),
        None => (None, None),
    };
    let status = if fault.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let providers = process.providers().into_iter().map(|provider| provider.name).collect();
    let session = form.session.map(|id| id.to_hex());
    shell.page(status, &View { shell: &shell, form, session, providers, judged, fault })
}

#[derive(Template)]
#[template(path = "console/explain.html")]
struct View<'a> {
    shell: &'a Shell,
    form: &'a Form,
    session: Option<String>,
    providers: Vec<String>,
    judged: Option<Told>,
    fault: Option<String>,
}

impl View<'_> {
    #[expect(clippy::unused_self, reason = "templates reach it through the view")]
    const fn methods(&self) -> [&'static str; 7] {
        METHODS
    }

    /// One that is not in the list is asked for all the same.
    fn other_method(&self) -> Option<&str> {
        Some(self.form.method.as_str()).filter(|method| !METHODS.contains(method))
    }
}

/// The judgement as it is told.
struct Told {
    who: Option<Who>,
    outcome: Outcome,
    /// `good`, `warn` or `bad`.
    class: &'static str,
    word: String,
    summary: String,
}

enum Outcome {
    Refused,
    Own,
    Route(Box<RouteTold>),
}

struct RouteTold {
    route: String,
    /// The query of the report that says who can reach it.
    reach: String,
    pattern: String,
    session: Option<String>,
    policies: Vec<PolicyTold>,
    next: Option<String>,
    headers: Vec<String>,
}

struct Who {
    user: String,
    provider: String,
    email: Option<(String, bool)>,
    groups: Vec<String>,
    unknown: Option<String>,
}

struct PolicyTold {
    name: String,
    rules: Vec<RuleTold>,
}

struct RuleTold {
    effect: &'static str,
    number: usize,
    class: &'static str,
    word: &'static str,
    conditions: Vec<ConditionTold>,
}

struct ConditionTold {
    class: &'static str,
    word: &'static str,
    wanted: String,
    found: String,
}

impl Told {
    fn new(judged: Judged) -> Self {
        let who = judged.principal.as_deref().map(Who::new);
        match judged.judgement {
            Judgement::Refused(why) => {
                let (word, summary) = ("refused".to_owned(), text::long(&why));
                Self { who, outcome: Outcome::Refused, class: "bad", word, summary }
            }
            Judgement::Own => {
                let summary = "the gateway answers this itself".to_owned();
                Self { who, outcome: Outcome::Own, class: "good", word: "permitted".to_owned(), summary }
            }
            Judgement::Route { route, pattern, session, decision, next, headers } => {
                let let_in = decision.verdict == Verdict::Permitted;
                let told = RouteTold {
                    reach: form_urlencoded::Serializer::new(String::new())
                        .append_pair("route", &route)
                        .finish(),
                    route: text::short(&route),
                    pattern: text::short(&pattern),
                    session,
                    policies: decision.policies.iter().map(policy).collect(),
                    next: let_in.then(|| text::long(&next)),
                    headers: headers.iter().map(|header| text::long(header)).filter(|_| let_in).collect(),
                };
                let (class, word) = (class(decision.verdict), decision.verdict.to_string());
                let (outcome, summary) = (Outcome::Route(Box::new(told)), text::long(&decision.summary));
                Self { who, outcome, class, word, summary }
            }
        }
    }
}

const fn class(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Permitted => "good",
        Verdict::SignIn | Verdict::StepUp => "warn",
        Verdict::Forbidden => "bad",
    }
}

impl Who {
    fn new(principal: &Principal) -> Self {
        const MOST: usize = 50;
        Self {
            user: text::short(&principal.user),
            provider: text::short(principal.provider.as_str()),
            email: principal.email.as_ref().map(|email| (text::short(&email.address), email.verified)),
            groups: principal.groups.iter().take(MOST).map(|group| text::short(group)).collect(),
            unknown: sign_in::unknown(principal),
        }
    }
}

fn policy(policy: &crate::policy::PolicyResult) -> PolicyTold {
    let rules = |effect: &'static str, rules: &[RuleResult]| {
        rules.iter().enumerate().map(move |(at, rule)| told(effect, at + 1, rule)).collect::<Vec<_>>()
    };
    let rules = rules("deny", &policy.deny).into_iter().chain(rules("allow", &policy.allow)).collect();
    PolicyTold { name: text::short(&policy.name), rules }
}

fn told(effect: &'static str, number: usize, rule: &RuleResult) -> RuleTold {
    // A `deny` rule refuses where it holds.
    let (class, word) = match (rule.holds(), effect) {
        (true, "deny") => ("bad", "holds"),
        (true, _) => ("good", "holds"),
        (false, _) => ("off", "does not hold"),
    };
    let conditions = rule.conditions.iter().map(|condition| {
        let (class, word) = match condition.truth {
            Truth::Yes => ("good", "met"),
            Truth::No => ("off", "not met"),
            Truth::Unknown(_) => ("warn", "not known"),
        };
        let (wanted, found) = (text::long(&condition.wanted), text::long(&condition.found));
        ConditionTold { class, word, wanted, found }
    });
    RuleTold { effect, number, class, word, conditions: conditions.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_filled_in() {
        let read = |query: &str| Form::read(&Fields::read(query.as_bytes()).unwrap(), [192, 0, 2, 7].into());
        let form = read("url=https%3A%2F%2Fwiki.example%2F&groups=a%2C+b%2C%2C").unwrap();
        assert_eq!((form.method.as_str(), form.client.as_str()), ("GET", "192.0.2.7"));
        let PersonAsked::Imagined { groups, user, .. } = form.imagined() else { panic!() };
        assert_eq!((groups, user), (vec!["a".to_owned(), "b".to_owned()], None));
        assert!(read("session=12").is_err() && read(&format!("url={}", "a".repeat(2_049))).is_err());
        for wrong in ["url=x&client=nowhere", "url=x&method=G+T"] {
            assert!(read(wrong).unwrap().asked(None).is_err(), "{wrong}");
        }
    }
}
