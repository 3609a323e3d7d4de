//! Whom an event is about (RFC 9493; Shared Signals Framework 1.0, section 3).

use serde_json::{Map, Value};

use super::security_event_error::SecurityEventError as Fault;

/// Identifiers of one subject, or members of a complex one, at most.
const MOST: usize = 16;
/// The longest identifier, in bytes.
const LONGEST: usize = 2048;

type Members = Map<String, Value>;

/// Whom an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    /// One thing.
    Simple(Identifier),
    /// What has all of these.
    Complex(Vec<(Member, Identifier)>),
}

/// What a member of a complex subject is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Member {
    User,
    Device,
    Session,
    Tenant,
    /// One of which a session says nothing: an application, a group, whatever else.
    Other(String),
}

/// One identifier, in one of the formats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identifier {
    IssuerSubject {
        iss: String,
        sub: String,
    },
    Email(String),
    /// Without `acct:`.
    Account(String),
    Phone(String),
    Opaque(String),
    Did(String),
    Uri(String),
    JwtId {
        iss: String,
        jti: String,
    },
    /// Several of the same.
    Aliases(Vec<Identifier>),
    /// A format that names nothing which a session says of itself; what it is called.
    Other(String),
}

impl Subject {
    /// The subject of an event: `sub_id`, or, as events of before the final specifications have it, `subject` inside the
    /// event. Where both stand, the first one counts.
    pub(super) fn of(claims: &Members, event: &Members) -> Result<Self, Fault> {
        let subject = mutant!(
            claims.get("sub_id").or_else(|| event.get("subject")),
            "older-subject-first" => event.get("subject").or_else(|| claims.get("sub_id")),
        );
        let members = subject.ok_or(Fault::MissingClaim("sub_id"))?;
        Self::read(members.as_object().ok_or(Fault::Subject("it is no object"))?)
    }

    fn read(members: &Members) -> Result<Self, Fault> {
        match format(members)?.as_deref() {
            Some("complex") => Self::complex(members),
            // Drafts of CAEP had no format for what has the members of a complex subject.
            None if members.values().all(Value::is_object) && !members.is_empty() => Self::complex(members),
            _ => Identifier::read(members, true).map(Self::Simple),
        }
    }

    fn complex(members: &Members) -> Result<Self, Fault> {
        let named = members.iter().filter(|(name, _)| !["format", "subject_type"].contains(&name.as_str()));
        let read = |(name, value): (&String, &Value)| {
            let value = value.as_object().ok_or(Fault::Subject("a member of it is no object"))?;
            Ok((Member::called(name), Identifier::read(value, true)?))
        };
        let all = named.map(read).collect::<Result<Vec<_>, Fault>>()?;
        match all.len() {
            0 => Err(Fault::Subject("it has no members")),
            1..=MOST => Ok(Self::Complex(all)),
            _ => Err(Fault::Subject("it has more than 16 members")),
        }
    }

    /// The person's identifier at the provider, where it names them so.
    pub(super) fn person(&self) -> Option<&str> {
        let identifier = match self {
            Self::Simple(identifier) => identifier,
            Self::Complex(members) => &members.iter().find(|(member, _)| *member == Member::User)?.1,
        };
        if let Identifier::IssuerSubject { sub, .. } = identifier { Some(sub) } else { None }
    }
}

impl Member {
    fn called(name: &str) -> Self {
        match name {
            "user" => Self::User,
            "device" => Self::Device,
            "session" => Self::Session,
            "tenant" => Self::Tenant,
            other => Self::Other(other.to_owned()),
        }
    }

    pub(super) fn name(&self) -> &str {
        match self {
            Self::User => "user",
            Self::Device => "device",
            Self::Session => "session",
            Self::Tenant => "tenant",
            Self::Other(name) => name,
        }
    }
}

impl Identifier {
    fn read(members: &Members, may_be_aliases: bool) -> Result<Self, Fault> {
        let format = format(members)?.ok_or(Fault::Subject("it says no format"))?;
        let text = |name: &'static str| text(members, name);
        Ok(match format.as_str() {
            "iss_sub" => Self::IssuerSubject { iss: text("iss")?, sub: text("sub")? },
            "email" => Self::Email(text("email")?),
            "account" => {
                let uri = text("uri")?;
                Self::Account(
                    uri.strip_prefix("acct:").ok_or(Fault::Subject("an account is acct:…"))?.to_owned(),
                )
            }
            "phone_number" => Self::Phone(text("phone_number")?),
            // Of before the final specifications.
            "phone" => Self::Phone(text("phone")?),
            "opaque" => Self::Opaque(text("id")?),
            "did" => Self::Did(text("url")?),
            "uri" => Self::Uri(text("uri")?),
            "jwt_id" => Self::JwtId { iss: text("iss")?, jti: text("jti")? },
            // Claims of an ID token, of which issuer and subject name the person.
            "id_token_claims" if members.contains_key("sub") => {
                Self::IssuerSubject { iss: text("iss")?, sub: text("sub")? }
            }
            "id_token_claims" => Self::Email(text("email")?),
            "aliases" if may_be_aliases => Self::aliases(members)?,
            other => Self::Other(other.chars().take(64).collect()),
        })
    }

    /// No alias is a list of aliases (RFC 9493, section 3.2.8).
    fn aliases(members: &Members) -> Result<Self, Fault> {
        let list = members.get("identifiers").and_then(Value::as_array);
        let list = list.ok_or(Fault::Subject("it has no list of identifiers"))?;
        if !(1..=MOST).contains(&list.len()) {
            return Err(Fault::Subject("it has no identifier, or more than 16"));
        }
        let read = |value: &Value| {
            Self::read(value.as_object().ok_or(Fault::Subject("an identifier of it is no object"))?, false)
        };
        list.iter().map(read).collect::<Result<_, _>>().map(Self::Aliases)
    }
}

/// `format`, or as older events have it, `subject_type`, whose words have hyphens.
fn format(members: &Members) -> Result<Option<String>, Fault> {
    let Some(format) = members.get("format").or_else(|| members.get("subject_type")) else { return Ok(None) };
    let format = format.as_str().ok_or(Fault::Subject("its format is no text"))?;
    Ok(Some(if format == "ip-addresses" { format.to_owned() } else { format.replace('-', "_") }))
}

fn text(members: &Members, name: &'static str) -> Result<String, Fault> {
    match members.get(name) {
        Some(Value::String(text)) if !text.is_empty() && text.len() <= LONGEST => Ok(text.clone()),
        _ => Err(Fault::Subject(
            "a member that its format needs is missing, or no text of at most 2,048 bytes",
        )),
    }
}
