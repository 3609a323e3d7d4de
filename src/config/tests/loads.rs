//! Files that load, and what they mean.

use std::time::Duration;

use super::Machine;
use crate::authn::Accepted;
use crate::forward::{IdentityValue, ServerAddress, TokenPass};
use crate::gate::RouteAction;
use crate::oidc::ClientAuthentication;
use crate::policy::AccessSettings;

/// The file that the project wants people to write, without what later versions bring.
const WISHED: &str = r#"
[server]
listen = ["0.0.0.0:443"]
public_url = "https://login.corp.example"
trusted_proxies = ["10.0.0.0/8"]
state = "/var/lib/portcullis/state.db"
tls = { cert = "/etc/portcullis/tls.crt", key = "/etc/portcullis/tls.key" }

[admin]
listen = "127.0.0.1:9090"

[session]
idle_timeout = "1h"
max_age = "12h"

[providers.corp]
issuer = "https://id.corp.example"
client_id = "portcullis"
client_secret = { env = "CORP_CLIENT_SECRET" }
scopes = ["openid", "profile", "email", "groups"]
audiences = ["https://api.corp.example"]
claims = { user = "preferred_username", groups = "groups" }

[providers.partner]
issuer = "https://partner.example"
client_id = "portcullis"
private_key = { file = "/etc/portcullis/partner.key" }
email_domains = ["partner.example"]

[policies.staff]
allow = [{ provider = "corp", groups = ["staff"] }]

[policies.admins]
allow = [{ groups = ["ops"], provider = "any" }]
deny  = [{ networks = ["203.0.113.0/24"] }]

[[routes]]
host = "wiki.corp.example"
upstream = "http://10.0.0.5:8080"
policy = "staff"

[[routes]]
host = "wiki.corp.example"
path = "/admin"
upstream = "http://10.0.0.5:8080"
policy = ["staff", "admins"]

[[routes]]
host = "*.apps.corp.example"
upstream = "https://apps.internal"
access = "signed-in"
identity = { headers = "x-auth-request", assertion = true }

[[routes]]
host = "api.corp.example"
path = "/v1"
upstream = "http://10.0.0.9:9000"
accept = ["bearer"]
allow = [{ scopes = ["orders:read"], methods = ["GET", "HEAD"] },
         { scopes = ["orders:write"] }]
limits = [{ per = "principal", rate = "100/min", burst = 20 }, { per = "address", rate = "20/s" }]
timeout = { connect = "2s", response = "30s" }

[[routes]]
host = "wiki.corp.example"
path = "/public"
upstream = "http://10.0.0.5:8080"
access = "public"
"#;

fn wished() -> Machine {
    Machine::with(WISHED)
        .certificate("/etc/portcullis/tls")
        .certificate("/etc/portcullis/partner")
        .variable("CORP_CLIENT_SECRET", "s3cret")
}

#[test]
fn the_file_that_people_should_write_loads() {
    let settings = wished().settings();
    assert_eq!(settings.session.idle_timeout, Duration::from_secs(3600));
    let clients: Vec<_> = settings.relying_party.providers.iter().filter_map(|p| p.client.as_ref()).collect();
    assert!(
        matches!(&clients[0].authentication, ClientAuthentication::SecretBasic(secret) if secret.expose() == "s3cret")
    );
    assert!(matches!(clients[1].authentication, ClientAuthentication::PrivateKey(_)));
    let names: Vec<_> = settings.routes.iter().map(|route| route.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "wiki.corp.example/",
            "wiki.corp.example/admin",
            "*.apps.corp.example/",
            "api.corp.example/v1",
            "wiki.corp.example/public"
        ]
    );
    let AccessSettings::Policies(policies) = &settings.routes[1].access else {
        panic!("all policies are required")
    };
    assert_eq!(policies.iter().map(|policy| policy.name.as_str()).collect::<Vec<_>>(), ["staff", "admins"]);
    assert_eq!(settings.routes[2].access, AccessSettings::SignedIn);
    let accept = settings.routes[3].accept;
    assert!(accept.has(Accepted::Bearer) && !accept.has(Accepted::Session));
    assert_eq!(settings.routes[3].limits[0].burst.get(), 20);
    let RouteAction::Forward { upstream, forward } = &settings.routes[2].action else {
        panic!("it forwards")
    };
    assert_eq!(
        upstream.servers[0].address,
        ServerAddress::Tcp { host: "apps.internal".into(), port: 443, tls: true }
    );
    assert_eq!(
        forward.identity.headers[0],
        (http::HeaderName::from_static("x-auth-request-user"), IdentityValue::User)
    );
    assert!(forward.identity.assertion && forward.identity.token == TokenPass::None);
    assert!(settings.watched.iter().any(|path| path.ends_with("partner.key")));
}
