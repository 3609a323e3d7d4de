//! The types of events, and what each asks of sign-ins by default.

use serde_json::{Map, Value};

use crate::session::Demand;

const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";

/// A type of event (CAEP 1.0, section 3; RISC 1.0, section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventType {
    /// CAEP: a session was revoked.
    SessionRevoked,
    /// CAEP: claims of a token have changed.
    TokenClaimsChange,
    /// CAEP: a credential was made, changed, taken back or deleted.
    CredentialChange,
    /// CAEP: the assurance of a sign-in has changed.
    AssuranceLevelChange,
    /// CAEP: a device complies, or does not any more.
    DeviceComplianceChange,
    /// CAEP: a session was begun.
    SessionEstablished,
    /// CAEP: a session was used.
    SessionPresented,
    /// CAEP: a risk has changed.
    RiskLevelChange,
    /// RISC: an account needs another credential.
    AccountCredentialChangeRequired,
    /// RISC: an account was deleted for good.
    AccountPurged,
    /// RISC: an account was disabled.
    AccountDisabled,
    /// RISC: an account is good again.
    AccountEnabled,
    /// RISC: an account has another address or number.
    IdentifierChanged,
    /// RISC: an address or number is somebody else's now.
    IdentifierRecycled,
    /// RISC: a credential was stolen or leaked.
    CredentialCompromise,
    /// RISC, deprecated and still sent: all sessions of an account were revoked.
    SessionsRevoked,
}

impl EventType {
    /// All of them: how each is called in the configuration and at the end of its URI, and what stands before that.
    const TABLE: [(Self, &'static str, &'static str); 16] = [
        (Self::SessionRevoked, CAEP, "session-revoked"),
        (Self::TokenClaimsChange, CAEP, "token-claims-change"),
        (Self::CredentialChange, CAEP, "credential-change"),
        (Self::AssuranceLevelChange, CAEP, "assurance-level-change"),
        (Self::DeviceComplianceChange, CAEP, "device-compliance-change"),
        (Self::SessionEstablished, CAEP, "session-established"),
        (Self::SessionPresented, CAEP, "session-presented"),
        (Self::RiskLevelChange, CAEP, "risk-level-change"),
        (Self::AccountCredentialChangeRequired, RISC, "account-credential-change-required"),
        (Self::AccountPurged, RISC, "account-purged"),
        (Self::AccountDisabled, RISC, "account-disabled"),
        (Self::AccountEnabled, RISC, "account-enabled"),
        (Self::IdentifierChanged, RISC, "identifier-changed"),
        (Self::IdentifierRecycled, RISC, "identifier-recycled"),
        (Self::CredentialCompromise, RISC, "credential-compromise"),
        (Self::SessionsRevoked, RISC, "sessions-revoked"),
    ];

    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> + Clone {
        Self::TABLE.into_iter().map(|(event, ..)| event)
    }

    /// How it is called in the configuration and in the log.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::TABLE.into_iter().find(|(event, ..)| *event == self).map_or("", |(.., name)| name)
    }

    /// The one called `name`.
    #[must_use]
    pub fn called(name: &str) -> Option<Self> {
        Self::TABLE.into_iter().find(|(.., known)| *known == name).map(|(event, ..)| event)
    }

    /// Its identifier in `events` of a token.
    #[must_use]
    pub fn uri(self) -> String {
        let row = Self::TABLE.into_iter().find(|(event, ..)| *event == self);
        row.map_or_else(String::new, |(_, family, name)| format!("{family}{name}"))
    }

    /// The one that a token calls so.
    pub(super) fn of_uri(uri: &str) -> Option<Self> {
        let is = |(_, family, name): &(Self, &str, &str)| uri.strip_prefix(family) == Some(name);
        Self::TABLE.into_iter().find(is).map(|(event, ..)| event)
    }

    /// Whether an event of it can ask anything of a sign-in.
    #[must_use]
    pub const fn can_ask(self) -> bool {
        !matches!(self, Self::SessionEstablished | Self::SessionPresented | Self::AccountEnabled)
    }

    /// Whether an opaque identifier that is its whole subject names a session.
    pub(super) const fn is_of_a_session(self) -> bool {
        matches!(self, Self::SessionRevoked | Self::SessionEstablished | Self::SessionPresented)
    }

    /// What an event of it asks by default; `None` where things have become better, or where it only tells. What it does
    /// not say, or says in words that are not known, is taken for the worse.
    pub(super) fn asks(self, event: &Map<String, Value>) -> Option<Demand> {
        let said = |member: &str| event.get(member).and_then(Value::as_str).unwrap_or_default();
        match self {
            Self::SessionRevoked
            | Self::SessionsRevoked
            | Self::AccountPurged
            | Self::AccountDisabled
            | Self::IdentifierRecycled => Some(Demand::End),
            Self::TokenClaimsChange | Self::IdentifierChanged => Some(Demand::Renewal),
            Self::AccountCredentialChangeRequired | Self::CredentialCompromise => Some(Demand::StepUp),
            Self::CredentialChange => Some(match said("change_type") {
                "revoke" | "delete" => Demand::End,
                _ => Demand::StepUp,
            }),
            Self::AssuranceLevelChange => Some(match said("change_direction") {
                "increase" => Demand::Renewal,
                _ => Demand::StepUp,
            }),
            Self::DeviceComplianceChange => (said("current_status") != "compliant").then_some(Demand::StepUp),
            Self::RiskLevelChange => has_risen(said("previous_level"), said("current_level")),
            Self::SessionEstablished | Self::SessionPresented | Self::AccountEnabled => None,
        }
    }
}

/// A risk that is known not to be higher than before, or the lowest, asks for nothing.
fn has_risen(before: &str, now: &str) -> Option<Demand> {
    let level = |text: &str| ["LOW", "MEDIUM", "HIGH"].into_iter().position(|known| known == text);
    let fallen = match (level(before), level(now)) {
        (_, None) => false,
        (None, Some(now)) => now == 0,
        (Some(before), Some(now)) => now <= before,
    };
    (!fallen).then_some(Demand::StepUp)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_type_has_one_name_and_one_uri() {
        for event in EventType::all() {
            assert_eq!(EventType::called(event.name()), Some(event));
            assert_eq!(EventType::of_uri(&event.uri()), Some(event));
        }
        let revoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked";
        assert_eq!(EventType::SessionRevoked.uri(), revoked);
        for other in ["session-revoked", &format!("{revoked}/"), &revoked.replace("caep", "risc"), ""] {
            assert_eq!(EventType::of_uri(other), None, "{other}");
        }
    }

    /// CAEP Interoperability Profile: every value of `change_type` and `credential_type` is understood.
    #[test]
    fn a_credential_that_is_gone_ends_and_one_that_is_new_or_changed_asks_for_a_new_sign_in() {
        let kinds = ["password", "pin", "x509", "fido2-platform", "fido2-roaming", "fido-u2f"];
        let kinds =
            kinds.into_iter().chain(["verifiable-credential", "phone-voice", "phone-sms", "app", "new"]);
        for kind in kinds {
            for (change, asks) in [
                ("create", Demand::StepUp),
                ("update", Demand::StepUp),
                ("revoke", Demand::End),
                ("delete", Demand::End),
                ("unheard-of", Demand::StepUp),
            ] {
                let event = json!({"credential_type": kind, "change_type": change});
                let asked = EventType::CredentialChange.asks(event.as_object().unwrap());
                assert_eq!(asked, Some(asks), "{event}");
            }
        }
    }

    #[test]
    fn what_has_become_better_asks_for_nothing_and_what_is_not_said_is_the_worse() {
        use EventType::{AssuranceLevelChange, DeviceComplianceChange, RiskLevelChange};
        let (step_up, renewal) = (Some(Demand::StepUp), Some(Demand::Renewal));
        for (event, said, asks) in [
            (DeviceComplianceChange, json!({"current_status": "compliant"}), None),
            (DeviceComplianceChange, json!({"current_status": "not-compliant"}), step_up),
            (DeviceComplianceChange, json!({}), step_up),
            (AssuranceLevelChange, json!({"change_direction": "increase"}), renewal),
            (AssuranceLevelChange, json!({"change_direction": "decrease"}), step_up),
            (AssuranceLevelChange, json!({"current_level": "nist-aal1"}), step_up),
            (RiskLevelChange, json!({"current_level": "LOW"}), None),
            (RiskLevelChange, json!({"current_level": "HIGH"}), step_up),
            (RiskLevelChange, json!({"current_level": "MEDIUM", "previous_level": "HIGH"}), None),
            (RiskLevelChange, json!({"current_level": "MEDIUM", "previous_level": "LOW"}), step_up),
            (RiskLevelChange, json!({"current_level": "extreme", "previous_level": "HIGH"}), step_up),
            (RiskLevelChange, json!({"current_level": ["LOW"]}), step_up),
            (EventType::SessionPresented, json!({}), None),
        ] {
            assert_eq!(event.asks(said.as_object().unwrap()), asks, "{event:?} {said}");
        }
    }
}
