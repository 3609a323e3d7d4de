//! What is wrong with a discovery document.

/// What is wrong with a discovery document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetadataError {
    /// Nothing is there (section 4.2).
    #[error("{url}: status {status}, so there is no discovery document; {hint}")]
    NotFound {
        /// Where it was looked for.
        url: String,
        /// The status of the answer, from 400 to 499.
        status: u16,
        /// What the operator can do about it.
        hint: &'static str,
    },
    /// It is JSON of another kind.
    #[error("the openid-configuration document is {0}, expected a JSON object")]
    NotAnObject(&'static str),
    /// It speaks for somebody else (section 4.3).
    #[error(
        "the discovery document's issuer is {found}, the configured one is {configured}: they must be equal; {}",
        hint(found, configured)
    )]
    OtherIssuer {
        /// In the document, made printable.
        found: String,
        /// In the configuration.
        configured: String,
    },
    /// A member that is needed is not there.
    #[error("the discovery document names no {0}")]
    Missing(&'static str),
    /// A member that is needed is of no use.
    #[error("{member} of the discovery document is {found}, expected {expected}")]
    Unusable {
        /// The member's name.
        member: &'static str,
        /// What stands there, made printable.
        found: String,
        /// What should stand there, in words.
        expected: &'static str,
    },
    /// An endpoint is not `https` (and the issuer not on loopback), or has a fragment or user information.
    #[error("{0} of the discovery document is not an https URL without fragment and user information")]
    Insecure(&'static str),
}

/// Why two issuers that should be one are not, where that can be seen.
fn hint(found: &str, configured: &str) -> String {
    let bare = |issuer: &str| issuer.trim_end_matches('/').to_owned();
    if bare(found) == bare(configured) {
        return format!("they differ in the slash at the end: write `issuer = \"{found}\"`");
    }
    if bare(found).eq_ignore_ascii_case(&bare(configured)) {
        return format!("they differ in capital letters: write `issuer = \"{found}\"`");
    }
    if found.contains("{tenantid}") {
        return "it speaks for all tenants: put the identifier of yours into `issuer`".to_owned();
    }
    if found.strip_prefix("http://") == configured.strip_prefix("https://") {
        return "the provider does not know that it is reached over https: tell it its public address"
            .to_owned();
    }
    "check host and realm or tenant of `issuer`, and the public address that the provider is told".to_owned()
}
