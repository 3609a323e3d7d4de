//! Who may do what in the console.

use std::sync::Arc;

use super::authorize::Permitted;
use super::rejection::{Forbidden, Rejection};
use super::settings::ConsoleSettings;
use crate::clock::Timestamp;
use crate::console::Role;
use crate::policy::{Access, AccessSettings, Decision, Question, Reason, decide};

/// The rules of `[console]`. Whoever the route lets in is a viewer where they say nothing of viewers, and nobody is more
/// where they say nothing of it.
#[derive(Debug)]
pub(super) struct Roles {
    viewer: Option<Arc<Access>>,
    auditor: Option<Arc<Access>>,
    operator: Option<Arc<Access>>,
}

impl Roles {
    pub(super) fn compile(settings: &ConsoleSettings) -> Self {
        let compiled =
            |access: &Option<AccessSettings>| access.as_ref().map(|it| Arc::new(Access::compile(it)));
        Self {
            viewer: compiled(&settings.viewer),
            auditor: compiled(&settings.auditor),
            operator: compiled(&settings.operator),
        }
    }

    /// What whoever was permitted to come here may do at `now`.
    pub(super) fn of(&self, permitted: &Permitted<'_>, now: Timestamp) -> Result<Role, Rejection> {
        let bound = permitted.grounds.authentication.is_bound(now);
        let principal = permitted.permit.principal();
        let question = permitted.inbound.question(principal, now, bound);
        self.greatest(&question).map_err(|(access, reason)| {
            let principal = principal.map(Arc::clone);
            Rejection::Forbidden(Box::new(Forbidden { principal, access, reason, scopes: None, bound }))
        })
    }

    fn greatest(&self, question: &Question<'_>) -> Result<Role, (Arc<Access>, Reason)> {
        let is = |access: &Option<Arc<Access>>| {
            access.as_ref().is_some_and(|access| refused(access, question).is_none())
        };
        if mutant!(is(&self.operator), "everybody-operates" => true) {
            return Ok(Role::Operator);
        }
        if mutant!(is(&self.auditor), "everybody-audits" => true) {
            return Ok(Role::Auditor);
        }
        let refused = self.viewer.as_ref().and_then(|viewer| Some((viewer, refused(viewer, question)?)));
        match mutant!(refused, "viewer-by-the-route-alone" => None) {
            Some((viewer, reason)) => Err((Arc::clone(viewer), reason)),
            None => Ok(Role::Viewer),
        }
    }
}

/// Why the rules refuse it. A stronger sign-in that they ask for is not asked for here: without it somebody has the lesser
/// role.
fn refused(access: &Access, question: &Question<'_>) -> Option<Reason> {
    match decide(access, question) {
        Decision::Permit(_) => None,
        Decision::StepUp(_, reason) | Decision::Forbidden(reason) | Decision::SignIn(reason) => Some(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::tests::principal;
    use crate::policy::{PolicySettings, RuleSettings};
    use crate::request::{ClientAddress, RequestPath};

    fn group(group: &str) -> Option<AccessSettings> {
        let allow = vec![RuleSettings { groups: vec![group.into()], ..RuleSettings::default() }];
        let policy = PolicySettings { name: group.into(), allow, deny: Vec::new() };
        Some(AccessSettings::Policies(vec![policy]))
    }

    fn role(settings: ConsoleSettings, groups: &str) -> Option<Role> {
        let (somebody, path) = (principal(groups), RequestPath::parse("/").unwrap());
        let question = Question {
            principal: Some(&somebody),
            method: &http::Method::GET,
            path: &path,
            client: ClientAddress::new([192, 0, 2, 1].into()),
            now: Timestamp::default(),
            bound: Some(false),
        };
        Roles::compile(&settings).greatest(&question).ok()
    }

    #[test]
    fn invariant_1_nobody_is_more_than_a_rule_makes_them() {
        let all = || ConsoleSettings { viewer: group("v"), auditor: group("a"), operator: group("o") };
        for (of, expected) in [
            ("v", Some(Role::Viewer)),
            ("a", Some(Role::Auditor)),
            ("o", Some(Role::Operator)),
            ("others", None),
        ] {
            assert_eq!(role(all(), of), expected, "{of}");
        }
        for of in ["v", "a", "o", "others"] {
            let expected = Some(Role::Viewer);
            assert_eq!(role(ConsoleSettings::default(), of), expected, "{of}: the route let them in");
        }
    }
}
