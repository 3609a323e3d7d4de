//! Whether one rule holds whenever another does.

use crate::policy::RuleSettings;

/// Whether `wide` holds for every request for which `narrow` does.
pub(super) fn covers(wide: &RuleSettings, narrow: &RuleSettings) -> bool {
    any(&wide.users, &narrow.users, |wide, narrow| wide == narrow)
        && any(&wide.emails, &narrow.emails, |wide, narrow| wide.eq_ignore_ascii_case(narrow))
        && any(&wide.email_domains, &narrow.email_domains, |wide, narrow| wide == narrow)
        && any(&wide.groups, &narrow.groups, |wide, narrow| wide == narrow)
        && any(&wide.providers, &narrow.providers, |wide, narrow| wide == narrow)
        && any(&wide.methods, &narrow.methods, |wide, narrow| wide == narrow)
        && any(&wide.paths, &narrow.paths, |wide, narrow| is_under(narrow, wide))
        && any(&wide.networks, &narrow.networks, |wide, narrow| wide.contains(narrow))
        && wide.bound.is_none_or(|bound| narrow.bound == Some(bound))
        && wide.scopes.iter().all(|scope| narrow.scopes.contains(scope))
        && any(&wide.strength.acr, &narrow.strength.acr, |wide, narrow| wide == narrow)
        && wide.strength.amr.iter().all(|method| narrow.strength.amr.contains(method))
        && wide.strength.max_age.is_none_or(|wide| narrow.strength.max_age.is_some_and(|it| it <= wide))
        && wide.claims.iter().all(|claim| narrow.claims.iter().any(|other| claim_covers(claim, other)))
}

/// Any entry suffices: every entry of `narrow` must be held by one of `wide`; no entries: no condition.
fn any<T>(wide: &[T], narrow: &[T], holds: impl Fn(&T, &T) -> bool) -> bool {
    let held = |narrow| wide.iter().any(|wide| holds(wide, narrow));
    wide.is_empty() || (!narrow.is_empty() && narrow.iter().all(held))
}

fn claim_covers<P: PartialEq>(wide: &(P, Vec<String>), narrow: &(P, Vec<String>)) -> bool {
    let values = match (wide.1.is_empty(), narrow.1.is_empty()) {
        (true, true) => true,
        // A claim that is `false` has a value and is not there.
        (true, false) => !narrow.1.iter().any(|value| value == "false"),
        (false, true) => false,
        (false, false) => narrow.1.iter().all(|value| wide.1.contains(value)),
    };
    wide.0 == narrow.0 && values
}

/// Whether `path` is `prefix` or below it.
pub(super) fn is_under(path: &str, prefix: &str) -> bool {
    let prefix = prefix.strip_suffix('/').unwrap_or(prefix);
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
