//! Whatever is done to a good token makes it a bad one (invariants 3 and 5).

use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use super::*;
use crate::oidc::jwks::testing::encode;

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

#[derive(Clone, Debug)]
enum Mutation {
    Replace(usize, char),
    Insert(usize, char),
    Remove(usize),
    Cut(usize),
    Swap(usize, usize),
    Repeat(usize, usize),
}

impl Mutation {
    fn of(&self, token: &str) -> String {
        let mut text: Vec<char> = token.chars().collect();
        let length = text.len();
        let place = |at: usize| at % length;
        match *self {
            Self::Replace(at, with) => text[place(at)] = with,
            Self::Insert(at, with) => text.insert(place(at), with),
            Self::Remove(at) => drop(text.remove(place(at))),
            Self::Cut(at) => text.truncate(place(at)),
            Self::Swap(one, other) => text.swap(place(one), place(other)),
            Self::Repeat(from, many) => {
                let from = place(from);
                let again = text[from..length.min(from + many)].to_vec();
                text.splice(from..from, again);
            }
        }
        text.into_iter().collect()
    }
}

fn character() -> impl Strategy<Value = char> {
    prop_oneof![4 => "[A-Za-z0-9_.=-]".prop_map(|text| text.chars().next().unwrap()), 1 => any::<char>()]
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = 0_usize..2000;
    prop_oneof![
        (place.clone(), character()).prop_map(|(at, with)| Mutation::Replace(at, with)),
        (place.clone(), character()).prop_map(|(at, with)| Mutation::Insert(at, with)),
        place.clone().prop_map(Mutation::Remove),
        place.clone().prop_map(Mutation::Cut),
        (place.clone(), place.clone()).prop_map(|(one, other)| Mutation::Swap(one, other)),
        (place, 1_usize..300).prop_map(|(from, length)| Mutation::Repeat(from, length)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn invariant_5_any_mutation_of_a_valid_token_is_refused(
        mutations in proptest::collection::vec(mutation(), 1..4),
        remembered in any::<bool>(),
    ) {
        let (house, good) = (House::new(), token(&header(), &claims()));
        let mutated = mutations.iter().fold(good.clone(), |text, mutation| {
            if text.is_empty() { text } else { mutation.of(&text) }
        });
        prop_assume!(mutated != good);
        let outcome = runtime().block_on(async {
            if remembered {
                house.verify(&good).await.unwrap();
            }
            (house.verifier.cached(&mutated).is_some(), house.verify(&mutated).await.is_ok())
        });
        prop_assert_eq!(outcome, (false, false));
    }

    #[test]
    fn invariant_5_no_claims_whatever_make_a_forged_token_good(
        name in "[a-z_]{1,10}",
        value in prop_oneof![any::<i64>().prop_map(Value::from), any::<String>().prop_map(Value::from), Just(json!([]))],
        signature in proptest::collection::vec(any::<u8>(), 64),
    ) {
        let claims = with(claims(), &name, value).to_string();
        let text = format!("{}.{}", encode(header().to_string().as_bytes()), encode(claims.as_bytes()));
        let forged = OTHER_KEY.jws(Algorithm::ES256, &header().to_string(), &claims);
        let noise = format!("{text}.{}", encode(&signature));
        let house = House::new();
        let refused = runtime().block_on(async { (house.verify(&forged).await.is_err(), house.verify(&noise).await.is_err()) });
        prop_assert_eq!(refused, (true, true));
    }

    #[test]
    fn no_text_whatever_is_a_token(text in "\\PC{0,200}|[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,80}\\.[A-Za-z0-9_-]{0,90}") {
        prop_assert!(runtime().block_on(House::new().verify(&text)).is_err());
    }
}
