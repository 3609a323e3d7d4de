//! Which events are meant, as an address says it: `user=alice&-outcome=allowed`. What is asked for, what stands in the address
//! and what a link leads to are one thing, so that every view can be kept, sent and gone back to.

use url::form_urlencoded;

use crate::events::{Field, Kind, KindSet, Seen, Value};

/// Fields that can be asked for, in the order in which they are offered.
pub(super) const FACETS: [Field; 13] = [
    Field::Type,
    Field::Outcome,
    Field::User,
    Field::Subject,
    Field::Provider,
    Field::Route,
    Field::Client,
    Field::Session,
    Field::Id,
    Field::Host,
    Field::Method,
    Field::Status,
    Field::Operator,
];

/// Terms at most, and characters of each.
const MOST: usize = 16;
const LONGEST: usize = 256;

/// What must hold of an event, or must not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) field: Field,
    pub(super) value: String,
    /// Whether it must be so; else it must not.
    pub(super) holds: bool,
}

/// All terms: of those of one field that must hold, one is enough; every one that must not hold, does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Terms(Vec<Term>);

impl Terms {
    /// Reads a query; names that are no fields are somebody else's, such as where a page begins. `q` holds typed words.
    ///
    /// # Errors
    /// In words, where a value makes no sense.
    pub(super) fn read(query: &str) -> Result<Self, String> {
        let mut terms = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                "q" => typed(&value)?.into_iter().try_for_each(|term| terms.add(term))?,
                name => {
                    if let Some(term) = term(name, value.trim())? {
                        terms.add(term)?;
                    }
                }
            }
        }
        Ok(terms)
    }

    fn add(&mut self, term: Term) -> Result<(), String> {
        if !self.0.contains(&term) {
            self.0.push(term);
        }
        if self.0.len() > MOST { Err(format!("More than {MOST} conditions.")) } else { Ok(()) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Term> {
        self.0.iter()
    }

    /// As a query.
    pub(super) fn query(&self) -> String {
        query(self.0.iter())
    }

    /// The query that asks for this value of the field alone, and for the rest as before.
    pub(super) fn only(&self, field: Field, value: &str) -> String {
        let term = Term { field, value: value.to_owned(), holds: true };
        let others =
            self.0.iter().filter(|term| mutant!(term.field != field, "filter-lost-in-link" => false));
        query(others.chain([&term]))
    }

    /// The query that leaves out this value of the field.
    pub(super) fn but(&self, field: Field, value: &str) -> String {
        let term = Term { field, value: value.to_owned(), holds: false };
        query(self.0.iter().filter(|other| **other != term).chain([&term]))
    }

    /// The query without this term.
    pub(super) fn without(&self, gone: &Term) -> String {
        query(self.0.iter().filter(|term| *term != gone))
    }

    /// The query with this term turned round.
    pub(super) fn turned(&self, turned: &Term) -> String {
        let round = Term { holds: !turned.holds, ..turned.clone() };
        query(self.0.iter().map(|term| if term == turned { &round } else { term }))
    }

    /// Whether nothing but these fields is asked for.
    pub(super) fn are_of(&self, fields: &[Field]) -> bool {
        self.0.iter().all(|term| fields.contains(&term.field))
    }

    /// Whether an event is meant.
    pub(super) fn mean(&self, seen: &Seen<'_>) -> bool {
        self.hold(|field| match seen.value(field)? {
            Value::Text(text) => Some(text.to_string()),
            Value::Number(number) => Some(number.to_string()),
            Value::Flag(_) | Value::Texts(_) | Value::Other(_) => None,
        })
    }

    /// Whether something is meant of which these are the values.
    pub(super) fn hold(&self, value: impl Fn(Field) -> Option<String>) -> bool {
        let fits = |term: &Term| value(term.field).is_some_and(|value| term.fits(&value));
        let some_fits = |field| self.0.iter().any(|term| term.holds && term.field == field && fits(term));
        self.0.iter().all(|term| if term.holds { some_fits(term.field) } else { !fits(term) })
    }
}

impl Term {
    fn fits(&self, value: &str) -> bool {
        if self.field == Field::Type {
            let kinds = KindSet::matching(&self.value);
            return kinds.zip(Kind::named(value)).is_some_and(|(kinds, kind)| kinds.has(kind));
        }
        value == self.value
    }

    /// The field's name in an address and in typed words.
    pub(super) const fn name(&self) -> &'static str {
        self.field.row().name
    }
}

fn query<'t>(terms: impl Iterator<Item = &'t Term>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    for term in terms {
        let sign = if term.holds { "" } else { "-" };
        query.append_pair(&format!("{sign}{}", term.name()), &term.value);
    }
    query.finish()
}

/// A condition by its name; none where that names no field that can be asked for, or nothing is said of it.
fn term(name: &str, value: &str) -> Result<Option<Term>, String> {
    let (holds, name) = name.strip_prefix('-').map_or((true, name), |name| (false, name));
    let Some(field) = FACETS.into_iter().find(|field| field.row().name == name) else { return Ok(None) };
    if value.is_empty() {
        return Ok(None);
    }
    if value.chars().count() > LONGEST || value.chars().any(char::is_control) {
        return Err(format!("“{name}” must have {LONGEST} characters at most, and no control characters."));
    }
    if field == Field::Type && KindSet::matching(value).is_none() {
        let words: Vec<_> = Kind::TABLE.iter().take(3).map(|row| row.word).collect();
        return Err(format!("No event is called “{value}”; there are {}, …", words.join(", ")));
    }
    Ok(Some(Term { field, value: value.to_owned(), holds }))
}

/// `user:alice -outcome:allowed route:"the wiki"`.
fn typed(text: &str) -> Result<Vec<Term>, String> {
    words(text).iter().map(|word| one_typed(word)).collect()
}

fn one_typed(word: &str) -> Result<Term, String> {
    let known = || FACETS.map(|field| field.row().name).join(", ");
    let (name, value) =
        word.split_once(':').ok_or_else(|| format!("“{word}”: write field:value, of {}.", known()))?;
    term(name, value.trim())?.ok_or_else(|| format!("“{name}” is none of {}, or has no value.", known()))
}

/// Words, apart by spaces that stand outside of quotes.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut quoted) = (vec![String::new()], false);
    for letter in text.chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter.is_whitespace() && !quoted => words.push(String::new()),
            letter => words.last_mut().into_iter().for_each(|word| word.push(letter)),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(query: &str) -> Terms {
        Terms::read(query).unwrap_or_else(|why| panic!("{query}: {why}"))
    }

    #[test]
    fn typed_words_and_fields_of_an_address_mean_the_same() {
        let typed = read("q=user%3Aalice+-outcome%3Aallowed+route%3A%22the+wiki%22&after=9");
        assert_eq!(typed, read("user=alice&-outcome=allowed&route=the+wiki&host=&unknown=1"));
        assert_eq!(typed.query(), "user=alice&-outcome=allowed&route=the+wiki");
        for wrong in ["q=alice", "q=nobody%3Ax", "type=nothing", "q=user%3A", "user=a%0Ab"] {
            assert!(Terms::read(wrong).is_err(), "{wrong}");
        }
        let many: String = (0..20).map(|n| format!("user={n}&")).collect();
        assert!(Terms::read(&many).is_err());
        assert!(Terms::read(&format!("user={}", "é".repeat(257))).is_err());
    }

    #[test]
    fn of_one_field_one_is_enough_and_what_must_not_be_is_not() {
        let line = br#"{"v":1,"type":"access.refused","user":"alice","status":403,"outcome":"forbidden"}"#;
        let seen = Seen::read(line).unwrap();
        for (query, meant) in [
            ("", true),
            ("user=alice", true),
            ("user=bob&user=alice", true),
            ("user=alice&outcome=allowed", false),
            ("-outcome=allowed", true),
            ("-outcome=forbidden", false),
            ("type=access.*&status=403", true),
            ("-type=access.*", false),
            ("route=wiki", false),
            ("-route=wiki", true),
        ] {
            assert_eq!(read(query).mean(&seen), meant, "{query}");
        }
    }

    #[test]
    fn links_keep_what_was_asked_for() {
        let terms = read("user=alice&user=bob&-outcome=allowed");
        assert_eq!(read(&terms.only(Field::User, "eve")), read("-outcome=allowed&user=eve"));
        assert_eq!(
            read(&terms.but(Field::Route, "a&b")),
            read("user=alice&user=bob&-outcome=allowed&-route=a%26b")
        );
        let last = terms.iter().last().unwrap();
        assert_eq!(read(&terms.without(last)), read("user=alice&user=bob"));
        assert_eq!(read(&terms.turned(last)), read("user=alice&user=bob&outcome=allowed"));
    }

    fn any_term() -> impl Strategy<Value = Term> {
        let fields = FACETS.to_vec().into_iter().filter(|field| *field != Field::Type).collect::<Vec<_>>();
        let value = "\\PC{1,20}".prop_map(|value| value.trim().to_owned());
        let value = value.prop_filter("says something", |value| !value.is_empty());
        (prop::sample::select(fields), value, any::<bool>()).prop_map(|(field, value, holds)| Term {
            field,
            value,
            holds,
        })
    }

    proptest! {
        #[test]
        fn what_is_asked_survives_the_way_through_an_address(terms in prop::collection::vec(any_term(), 0..10)) {
            let mut asked = Terms::default();
            terms.into_iter().for_each(|term| asked.add(term).unwrap());
            prop_assert_eq!(&read(&asked.query()), &asked);
            for term in asked.iter() {
                let only = read(&asked.only(term.field, &term.value));
                prop_assert!(only.iter().all(|left| left.field != term.field || left.value == term.value));
                let mut others = asked.iter().filter(|other| other.field != term.field);
                prop_assert!(others.all(|other| only.iter().any(|left| left == other)));
            }
        }

        #[test]
        fn whatever_is_written_is_read_or_refused_in_words(query in "\\PC{0,60}") {
            if let Ok(terms) = Terms::read(&query) {
                prop_assert_eq!(read(&terms.query()), terms);
            }
        }
    }
}
