//! Who can sign in.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::scope::Scope;
use portcullis_rules::secret::{Secret, random_bytes};

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name to sign in with.
    pub name: &'static str,
    /// The password, made up at start: it is of no use after the process.
    pub password: Secret,
    /// The groups that it is in, as the claim `groups` lists them.
    pub groups: &'static [&'static str],
    /// Identifies the account for ever (`sub`); a name may change.
    pub subject: &'static str,
    pub(super) full_name: &'static str,
    pub(super) email: &'static str,
}

impl Person {
    /// What `scope` says of the person (OpenID Connect Core 1.0, section 5.4), `sub` not among it.
    pub(super) fn claims(&self, scope: Scope) -> Map<String, Value> {
        let claims = match scope {
            Scope::Profile => json!({ "name": self.full_name, "preferred_username": self.name }),
            Scope::Email => json!({ "email": self.email, "email_verified": true }),
            Scope::Groups => json!({ "groups": self.groups }),
            Scope::OpenId | Scope::OfflineAccess | Scope::Api => Value::Null,
        };
        if let Value::Object(claims) = claims { claims } else { Map::new() }
    }

    /// The letter in the person's picture.
    pub(super) fn initial(&self) -> char {
        self.full_name.chars().next().unwrap_or('?')
    }

    /// What `scope` says, for the person's own eyes.
    pub(super) fn shown(&self, scope: Scope) -> Option<String> {
        match scope {
            Scope::OpenId => Some(format!("account {}", self.subject)),
            Scope::Profile => Some(format!("{} ({})", self.full_name, self.name)),
            Scope::Email => Some(self.email.to_owned()),
            Scope::Groups => Some(self.groups.join(", ")),
            Scope::OfflineAccess | Scope::Api => None,
        }
    }
}

/// Alice and Bob, with fresh passwords.
pub(super) fn people() -> Vec<Arc<Person>> {
    let person = |name, full_name, subject, email, groups| {
        Arc::new(Person { name, password: password(), groups, subject, full_name, email })
    };
    vec![
        person("alice", "Alice Archer", "u-4821", "alice@demo.example", &["staff"]),
        person("bob", "Bob Baker", "u-7350", "bob@demo.example", &["staff", "ops"]),
    ]
}

/// 60 random bits that are easy to type: `k7tm-2x9q-wf4p`.
fn password() -> Secret {
    // 32 letters and digits that nobody takes for each other: every five bits are one of them.
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let letters: Vec<char> =
        random_bytes::<12>().iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    let groups: Vec<String> = letters.chunks(4).map(|four| four.iter().collect()).collect();
    Secret::new(groups.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_new_at_every_start_and_not_printed() {
        let (first, second) = (people(), people());
        for (one, other) in first.iter().zip(&second) {
            assert_ne!(one.password, other.password);
            assert_eq!(one.password.expose().len(), 14);
            assert!(!format!("{one:?}").contains(one.password.expose()));
        }
        assert_ne!(first[0].password, first[1].password);
    }
}
