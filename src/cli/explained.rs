//! How `explain` reads on a terminal.

use std::fmt::Write;

use http::HeaderMap;
use url::Position;

use super::recorded::Recorded;
use super::terminal::{Paint, visible};
use crate::forward::{ASSERTION, ForwardSettings, Server, ServerAddress, TokenPass, UpstreamSettings};
use crate::gate::{Explained, Imagined, Next, RedirectSettings, RouteSettings};
use crate::identity::{Gap, Gaps, Principal};
use crate::policy::{ConditionResult, Explanation, PolicyResult, RuleResult, Truth, Verdict};

/// Characters at most of the column that says what a condition wants.
const WIDEST: usize = 56;

/// The whole answer of `portcullis explain`.
pub(super) fn text(
    request: &Imagined,
    explained: &Explained<'_>,
    recorded: Option<&Recorded>,
    paint: Paint,
) -> String {
    let mut told = ExplainText { text: String::new(), paint, logged: recorded.is_some() };
    let origin = &request.url[..Position::BeforePath];
    told.line("request", &format!("{} {origin}{}", request.method, visible(&request.path)));
    told.line("from", &request.client.to_string());
    told.line("who", &request.principal.as_deref().map_or_else(|| "nobody is signed in".to_owned(), who));
    recorded.iter().for_each(|recorded| told.line("logged", &recorded.told()));
    match explained {
        Explained::Refused(reason) => told.line("decision", &format!("{}: {reason}", paint.bad("refused"))),
        Explained::Own => told.line("decision", "the gateway answers this itself"),
        Explained::Route { route, decision, action } => {
            let pattern = &route.pattern;
            told.line("route", &format!("{} ({}{})", route.name, pattern.host, pattern.path));
            told.decision(decision);
            told.session(route);
            if explained.is_let_in() {
                told.next(action, request);
            }
            decision.policies.iter().for_each(|policy| told.policy(policy, widest(decision)));
        }
    }
    told.text
}

/// The text so far, and how it is to look.
struct ExplainText {
    text: String,
    paint: Paint,
    /// Whether it is about a request in the log, which does not hold everything.
    logged: bool,
}

impl ExplainText {
    fn line(&mut self, label: &str, value: &str) {
        let label = self.paint.faint(&format!("{label:<9}"));
        let _ = writeln!(self.text, "{label} {value}");
    }

    fn decision(&mut self, decision: &Explanation) {
        if let Some(unsaid) = unsaid(decision).filter(|_| self.logged) {
            let unknown = self.paint.link("not known");
            let give = "give --group, --scope, --email, --acr, --amr, --auth-age, --bound or --claims";
            self.line("decision", &format!("{unknown}: the log does not hold {unsaid}; {give}"));
            return;
        }
        let verdict = decision.verdict.to_string();
        let verdict = match decision.verdict {
            Verdict::Permitted => self.paint.good(&verdict),
            Verdict::SignIn | Verdict::StepUp => self.paint.link(&verdict),
            Verdict::Forbidden => self.paint.bad(&verdict),
        };
        self.line("decision", &format!("{verdict}: {}", decision.summary));
    }

    /// What the route asks of sessions, of whose age and use nothing is known here.
    fn session(&mut self, route: &RouteSettings) {
        let span = humantime::format_duration;
        let age = route.session_max_age.map(|it| format!("at most {} old", span(it)));
        let idle =
            route.session_idle_timeout.map(|it| format!("unused on this route for at most {}", span(it)));
        let network = route
            .session_network
            .map(|it| format!("from the network that it was made from (/{}, IPv6 /{})", it.ipv4, it.ipv6));
        let limits: Vec<_> = age.into_iter().chain(idle).chain(network).collect();
        if !limits.is_empty() {
            self.line("session", &format!("{}, else a new sign-in", limits.join(" and ")));
        }
    }

    fn policy(&mut self, policy: &PolicyResult, width: usize) {
        let _ = writeln!(self.text, "\n{}", self.paint.bold(&format!("policy {}", policy.name)));
        for (effect, rules) in [("deny", &policy.deny), ("allow", &policy.allow)] {
            rules.iter().enumerate().for_each(|(index, rule)| self.rule(effect, index + 1, rule, width));
        }
    }

    /// A rule and its conditions. A `deny` rule refuses where it holds, so that is shown as bad.
    fn rule(&mut self, effect: &str, number: usize, rule: &RuleResult, width: usize) {
        let result = match (rule.holds(), effect) {
            (true, "deny") => self.paint.bad("holds"),
            (true, _) => self.paint.good("holds"),
            (false, _) => self.paint.faint("does not hold"),
        };
        let _ = writeln!(self.text, "  {effect} rule {number} {result}");
        rule.conditions.iter().for_each(|condition| self.condition(condition, effect, width));
    }

    fn condition(&mut self, condition: &ConditionResult, effect: &str, width: usize) {
        let mark = match (condition.truth, effect) {
            (Truth::Yes, _) => self.paint.good("✓"),
            (Truth::Unknown(_), _) => self.paint.bad("?"),
            (Truth::No, "deny") => self.paint.faint("✗"),
            (Truth::No, _) => self.paint.bad("✗"),
        };
        let found = self.paint.faint(&format!("found {}", condition.found));
        let _ = writeln!(self.text, "    {mark} {:<width$}  {found}", condition.wanted);
    }

    fn next(&mut self, action: &Next<'_>, request: &Imagined) {
        match action {
            Next::Redirect(redirect) => self.line("then", &redirected(redirect)),
            Next::Serve(application) => {
                self.line("then", &format!("served by the gateway itself: {application}"));
            }
            Next::NotFound(application) => {
                self.line("then", &format!("404: {application} has nothing at this path"));
            }
            Next::Forward(upstream, forward, headers) => self.forwarded(upstream, forward, headers, request),
        }
    }

    fn forwarded(
        &mut self,
        upstream: &UpstreamSettings,
        forward: &ForwardSettings,
        headers: &HeaderMap,
        request: &Imagined,
    ) {
        let servers: Vec<_> = upstream.servers.iter().map(server).collect();
        self.line("then", &format!("forwarded to {}", servers.join(" or ")));
        let mut label = "headers";
        for header in sent(forward, headers, request) {
            self.line(label, &header);
            label = "";
        }
    }
}

/// What is not known and the decision hangs on; where only the sign-in is too weak, how that was.
fn unsaid(decision: &Explanation) -> Option<Gaps> {
    let rules = decision.policies.iter().flat_map(|policy| &policy.allow);
    let mut conditions = rules.flat_map(|rule| &rule.conditions);
    let silent = conditions.any(|condition| condition.truth == Truth::Unknown(Gap::SignIn));
    let step_up = silent && decision.verdict == Verdict::StepUp;
    decision.reason.unsaid().or_else(|| step_up.then(|| Gaps::default().with(Gap::SignIn)))
}

/// The headers that tell the app who asks.
fn sent(forward: &ForwardSettings, headers: &HeaderMap, request: &Imagined) -> Vec<String> {
    let shown = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap_or("?")));
    let mut sent: Vec<_> = shown.collect();
    if forward.identity.assertion && request.principal.is_some() {
        let audience = request.url.host_str().unwrap_or_default();
        sent.push(format!("{ASSERTION}: a signed JWT for {audience}"));
    }
    match forward.identity.token {
        TokenPass::None => {}
        TokenPass::Access => sent.push("authorization: Bearer and the access token".to_owned()),
        TokenPass::Id => sent.push("authorization: Bearer and the ID token".to_owned()),
    }
    sent
}

/// How wide the column of what conditions want must be.
fn widest(decision: &Explanation) -> usize {
    let rules = decision.policies.iter().flat_map(|policy| policy.deny.iter().chain(&policy.allow));
    let conditions = rules.flat_map(|rule| &rule.conditions);
    conditions.map(|condition| condition.wanted.chars().count()).max().unwrap_or_default().min(WIDEST)
}

fn who(principal: &Principal) -> String {
    let mut text = format!("{} ({})", principal.user, principal.provider);
    if let Some(email) = &principal.email {
        let verified = if email.verified { "" } else { ", not verified" };
        let _ = write!(text, ", {}{verified}", email.address);
    }
    if !principal.gaps.is_empty() {
        let _ = write!(text, ", unknown: {}", principal.gaps);
    }
    for (label, values) in [("groups", &principal.groups), ("scopes", &principal.scopes)] {
        if !values.is_empty() {
            let _ = write!(text, ", {label} {}", values.join(" "));
        }
    }
    text
}

fn redirected(redirect: &RedirectSettings) -> String {
    let scheme = redirect.scheme.map(|scheme| format!(" to {scheme}")).unwrap_or_default();
    let host = redirect.host.as_deref().map(|host| format!(" to host {host}")).unwrap_or_default();
    let path = redirect.path.as_deref().map(|path| format!(" to path {path}")).unwrap_or_default();
    format!("a redirect ({}){scheme}{host}{path}", redirect.status.as_u16())
}

fn server(server: &Server) -> String {
    match &server.address {
        ServerAddress::Tcp { host, port, tls } => {
            format!("{}://{host}:{port}", if *tls { "https" } else { "http" })
        }
        ServerAddress::Unix(path) => format!("unix:{}", path.display()),
    }
}
