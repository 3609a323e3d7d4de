//! How `explain` reads on a terminal.

use std::fmt::Write;

use url::Position;

use super::recorded::Recorded;
use super::terminal::{Paint, visible};
use crate::gate::{Explained, Imagined, Next};
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
            route.session_in_words().iter().for_each(|asked| told.line("session", asked));
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
        self.line("then", &action.in_words());
        let mut label = "headers";
        for header in action.headers(request) {
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
