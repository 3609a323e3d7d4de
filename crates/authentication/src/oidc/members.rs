//! Members of a discovery document as providers write them: what is needed is named when it is wrong, and
//! nothing else of the document ends a sign-in.

use serde_json::{Map, Value};
use url::Url;

use super::endpoint_url::is_safe;
use super::http::printable;
use super::metadata_error::MetadataError;
use super::settings::{ClientAuthentication, ClientSettings, ResponseMode};

const ENDPOINT: &str = "an absolute URL";

/// The members, and what was remarkable about those that have been read.
pub(super) struct Members<'a> {
    members: &'a Map<String, Value>,
    local: bool,
    remarks: Vec<String>,
}

impl<'a> Members<'a> {
    /// Those of `document`; with `local` its endpoints may be `http` on loopback, as the document itself is.
    pub(super) fn of(document: &'a Value, local: bool) -> Result<Self, MetadataError> {
        let members = document.as_object().ok_or_else(|| MetadataError::NotAnObject(kind(document)))?;
        Ok(Self { members, local, remarks: Vec::new() })
    }

    /// A text that is needed.
    pub(super) fn text(&self, member: &'static str) -> Result<&'a str, MetadataError> {
        let value = self.needed(member)?;
        value.as_str().ok_or_else(|| unusable(member, value, "a text"))
    }

    /// An endpoint that is needed.
    pub(super) fn needed_endpoint(&self, member: &'static str) -> Result<Url, MetadataError> {
        let value = self.needed(member)?;
        let url = value.as_str().and_then(|text| Url::parse(text).ok());
        let url = url.ok_or_else(|| unusable(member, value, ENDPOINT))?;
        is_safe(&url, self.local).then_some(url).ok_or(MetadataError::Insecure(member))
    }

    /// An endpoint that need not be there.
    pub(super) fn endpoint(&mut self, member: &'static str) -> Option<Url> {
        self.members.get(member)?;
        let found = match self.needed_endpoint(member) {
            Err(MetadataError::Missing(_)) => {
                Err(MetadataError::Unusable { member, found: "null".to_owned(), expected: ENDPOINT })
            }
            found => found,
        };
        found.map_err(|error| self.remarks.push(format!("{error}: it counts as absent"))).ok()
    }

    /// Whether the member is there and says something, whatever that is.
    pub(super) fn is_given(&self, member: &'static str) -> bool {
        self.needed(member).is_ok()
    }

    /// A member that is true or false, and false where it is absent.
    pub(super) fn flag(&mut self, member: &'static str) -> bool {
        self.optional(member, "true or false", Value::as_bool).unwrap_or_default()
    }

    /// A list of texts; what else stands in it is passed over.
    pub(super) fn texts(&mut self, member: &'static str) -> Option<Vec<String>> {
        let texts = |value: &Value| {
            let texts = value.as_array()?.iter().filter_map(Value::as_str);
            Some(texts.map(str::to_owned).collect())
        };
        self.optional(member, "a list of texts", texts)
    }

    /// All that is remarkable, with what will not work for `client` as it is configured.
    pub(super) fn remarks(mut self, client: Option<&ClientSettings>) -> Vec<String> {
        if let Some(client) = client {
            self.demands();
            self.challenge_methods();
            self.client_authentication(client);
            self.response_modes(client);
            self.levels(client);
        }
        self.remarks
    }

    fn needed(&self, member: &'static str) -> Result<&'a Value, MetadataError> {
        self.members.get(member).filter(|value| !value.is_null()).ok_or(MetadataError::Missing(member))
    }

    fn optional<T>(
        &mut self,
        member: &'static str,
        expected: &'static str,
        read: impl Fn(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.get(member)?;
        let read = read(value);
        if read.is_none() {
            let wrong = unusable(member, value, expected);
            self.remarks.push(format!("{wrong}: it counts as absent"));
        }
        read
    }

    /// Pushed Authorization Requests (RFC 9126, section 5) and signed ones (RFC 9101, section 10.5).
    fn demands(&mut self) {
        for (member, what) in [
            ("require_pushed_authorization_requests", "pushed authorization requests (PAR, RFC 9126)"),
            ("require_signed_request_object", "signed request objects (RFC 9101)"),
        ] {
            if self.flag(member) {
                self.remarks.push(format!(
                    "the provider requires {what}, which are not sent: take the requirement off at the provider, \
                     or sign-ins will be refused there"
                ));
            }
        }
    }

    /// PKCE (RFC 7636, section 4.2).
    fn challenge_methods(&mut self) {
        let Some(methods) = self.texts("code_challenge_methods_supported") else { return };
        if !methods.is_empty() && !methods.iter().any(|method| method == "S256") {
            self.remarks.push(format!(
                "for PKCE the provider names only {}, and S256 alone is sent: allow S256 at the provider, or \
                 sign-ins will be refused there",
                listed(&methods)
            ));
        }
    }

    /// How the response comes (section 3; `query` and `fragment` where nothing is said).
    fn response_modes(&mut self, client: &ClientSettings) {
        let modes = self.texts("response_modes_supported").unwrap_or_default();
        let posted = client.response_mode == ResponseMode::FormPost;
        if posted && !modes.iter().any(|mode| mode == "form_post") {
            self.remarks.push(
                "the provider does not name form_post among its response modes: take `response_mode` away, or \
                 switch it on at the provider"
                    .to_owned(),
            );
        }
    }

    /// Levels of a step-up (section 3).
    fn levels(&mut self, client: &ClientSettings) {
        let wanted = &client.levels_of_rules;
        let known = self.texts("acr_values_supported").unwrap_or_default();
        if !known.is_empty() && !wanted.is_empty() && !wanted.iter().any(|level| known.contains(level)) {
            self.remarks.push(format!(
                "rules ask for the levels (`acr`) {}, and the provider names {}: nobody meets those rules",
                listed(wanted),
                listed(&known)
            ));
        }
    }

    /// How the token endpoint knows us (section 3; `client_secret_basic` where nothing is said).
    fn client_authentication(&mut self, client: &ClientSettings) {
        let Some(methods) = self.texts("token_endpoint_auth_methods_supported") else { return };
        let (ours, key) = match &client.authentication {
            ClientAuthentication::None => ("none", "neither `client_secret` nor `private_key`"),
            ClientAuthentication::SecretBasic(_) => {
                ("client_secret_basic", "`client_auth = \"basic\"`, the default")
            }
            ClientAuthentication::SecretPost(_) => ("client_secret_post", "`client_auth = \"post\"`"),
            ClientAuthentication::PrivateKey(_) => ("private_key_jwt", "`private_key`"),
        };
        if methods.is_empty() || methods.iter().any(|method| method == ours) {
            return;
        }
        self.remarks.push(format!(
            "the token endpoint names {}, and here stands {ours} ({key}): {}",
            listed(&methods),
            remedy(&methods)
        ));
    }
}

/// What to write for a token endpoint that takes `methods`.
fn remedy(methods: &[String]) -> &'static str {
    let takes = |method: &str| methods.iter().any(|known| known == method);
    match () {
        () if takes("client_secret_basic") => "set `client_secret`, without `client_auth`",
        () if takes("client_secret_post") => "set `client_secret` and `client_auth = \"post\"`",
        () if takes("private_key_jwt") => "set `private_key` in place of `client_secret`",
        () => "allow client_secret_basic, client_secret_post or private_key_jwt at the provider",
    }
}

fn listed(names: &[String]) -> String {
    printable(&names.join(", "))
}

fn unusable(member: &'static str, value: &Value, expected: &'static str) -> MetadataError {
    let quoted = value.as_str().map(|text| format!("\"{}\"", printable(text)));
    let found = quoted.unwrap_or_else(|| kind(value).to_owned());
    MetadataError::Unusable { member, found, expected }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
