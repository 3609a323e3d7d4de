//! What the provider says of itself (OpenID Connect Discovery 1.0, section 3).

use http::StatusCode;
use serde_json::{Value, json};

use super::paths::{self, ROOT};
use super::scope::Scope;
use super::state::Provider;
use crate::reply::{self, Reply};

/// The discovery document.
pub(super) fn document(provider: &Provider) -> Reply {
    reply::json(StatusCode::OK, &metadata(provider))
}

/// The keys (RFC 7517, section 5).
pub(super) fn keys(provider: &Provider) -> Reply {
    reply::json(StatusCode::OK, &json!(provider.signer.jwks()))
}

fn metadata(provider: &Provider) -> Value {
    let at = |path: &str| format!("{}{ROOT}{path}", provider.issuer);
    let scopes = Scope::ALL.map(Scope::as_str);
    json!({
        "issuer": provider.issuer,
        "authorization_endpoint": at(paths::AUTHORIZE),
        "token_endpoint": at(paths::TOKEN),
        "userinfo_endpoint": at(paths::USERINFO),
        "jwks_uri": at(paths::KEYS),
        "end_session_endpoint": at(paths::END_SESSION),
        "revocation_endpoint": at(paths::REVOKE),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "amr", "sid", "at_hash",
            "name", "preferred_username", "email", "email_verified", "groups",
        ],
        "authorization_response_iss_parameter_supported": true,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "claims_parameter_supported": false,
    })
}
