//! What is asked for, as a form and as links that change one thing of it.

use super::event_row::Source;
use super::terms::{FACETS, Term, Terms};
use super::text;
use crate::events::Field;

/// Fields that have a place of their own.
const FORM: [Field; 4] = [Field::User, Field::Route, Field::Client, Field::Id];

/// The form, and what stands below it.
pub(super) struct Form {
    /// What it keeps beside its fields.
    pub(super) hidden: Vec<(String, String)>,
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) terms: Vec<TermShown>,
    /// The query without any of it.
    pub(super) clear: String,
}

/// A condition, and the queries that change it.
pub(super) struct TermShown {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) holds: bool,
    /// Turned round, where that can be asked.
    pub(super) turned: Option<String>,
    pub(super) without: String,
}

impl Form {
    /// `kept` is what an address says beside the conditions, as a query that ends with `&` where it says something.
    pub(super) fn of(terms: &Terms, source: Source, kept: &str) -> Self {
        let is_field = |term: &Term| term.holds && FORM.contains(&term.field);
        let pairs = url::form_urlencoded::parse(kept.trim_end_matches('&').as_bytes()).into_owned();
        let others = terms.iter().filter(|term| !is_field(term));
        let others = others.map(|term| (format!("{}{}", sign(term), term.name()), term.value.clone()));
        let asked = |field: Field| {
            let term = terms.iter().find(|term| term.field == field && term.holds);
            term.map_or_else(String::new, |term| term.value.clone())
        };
        let offered = FACETS.into_iter().filter(|field| FORM.contains(field));
        Self {
            hidden: pairs.chain(others).collect(),
            fields: offered.map(|field| (field.row().name, asked(field))).collect(),
            terms: terms.iter().map(|term| shown(terms, term, source, kept)).collect(),
            clear: kept.trim_end_matches('&').to_owned(),
        }
    }
}

fn shown(terms: &Terms, term: &Term, source: Source, kept: &str) -> TermShown {
    TermShown {
        name: term.name(),
        value: text::short(&term.value),
        holds: term.holds,
        turned: source.leaves_out(term.field).then(|| format!("{kept}{}", terms.turned(term))),
        without: format!("{kept}{}", terms.without(term)),
    }
}

const fn sign(term: &Term) -> &'static str {
    if term.holds { "" } else { "-" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_is_sent_asks_for_what_was_asked_before() {
        let terms = Terms::read("user=alice&-outcome=allowed&type=access.*").unwrap();
        let form = Form::of(&terms, Source::Record, "span=week&");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        query.extend_pairs(form.fields.iter().map(|(name, value)| (*name, value.as_str())));
        let sent = query.finish();
        let again = Terms::read(&sent).unwrap();
        assert!(terms.iter().all(|term| again.iter().any(|other| other == term)), "{sent}");
        assert!(sent.starts_with("span=week&") && again.iter().count() == 3, "{sent}");
        assert!(form.terms[0].turned.is_none(), "the record leaves out no person");
        assert_eq!(
            form.terms[1].turned.as_deref(),
            Some("span=week&user=alice&outcome=allowed&type=access.*")
        );
    }
}
