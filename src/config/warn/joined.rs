//! Several values that were written as one text.

use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{OneOrMany, Provider, Rule};
use crate::config::words::quoted_list;

/// Warnings about names in a rule that are compared exactly, so that a comma in one was probably meant to
/// separate two.
pub(super) fn in_rule(rule: Located<'_, Rule>) -> Vec<Diagnostic> {
    [at!(rule.users), at!(rule.user), at!(rule.groups), at!(rule.scopes), at!(rule.acr), at!(rule.amr)]
        .into_iter()
        .filter_map(joined)
        .collect()
}

/// The same for the scopes and audiences of a provider.
pub(super) fn in_provider(provider: Located<'_, Provider>) -> Vec<Diagnostic> {
    [at!(provider.scopes), at!(provider.audiences)].into_iter().filter_map(joined).collect()
}

/// A text that stands alone and has commas in it. Distinguished names have some as well (RFC 4514), and who means
/// a name with a comma can say so with an array.
fn joined(at: Located<'_, Option<OneOrMany<String>>>) -> Option<Diagnostic> {
    let Some(OneOrMany::One(text)) = at.value else { return None };
    let parts: Vec<_> = text.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    (parts.len() > 1 && !text.contains('=')).then(|| {
        Diagnostic::new(at.place, "one text with a comma in it: it is compared as a whole")
            .expected(format!("for several write `[{}]`", quoted_list(&parts)))
            .help("where the comma belongs to the name, write it as an array of one")
    })
}
