//! The configuration that the demo's gateway runs with: what somebody would write for an app of their own.

use std::path::Path;

use url::Url;

use super::Demo;

/// The environment variable that the configuration names for the client secret.
pub const SECRET_VARIABLE: &str = "DEMO_CLIENT_SECRET";

/// Where the console is. Names below `localhost` are this machine (RFC 6761, section 6.3).
const CONSOLE_HOST: &str = "console.localhost";

/// Where the console of the gateway at an address is.
pub(super) fn console_url(gateway: &Url) -> Url {
    let mut url = gateway.clone();
    // An `http` address takes any host.
    let _ = url.set_host(Some(CONSOLE_HOST));
    url
}

impl Demo {
    /// Where the gateway's console is.
    #[must_use]
    pub fn console_url(&self) -> Url {
        console_url(&self.public_url)
    }

    /// The gateway's configuration, in TOML, with a folder for its store of events. [`SECRET_VARIABLE`] must hold
    /// [`Demo::client_secret`].
    #[must_use]
    pub fn configuration(&self, store: &Path) -> String {
        // What JSON writes as a string is a string of TOML as well.
        let store = serde_json::Value::from(store.display().to_string());
        let (listen, public) = (self.gateway, self.public_url().as_str().trim_end_matches('/'));
        let (issuer, client, audience) = (self.issuer(), self.client_id(), self.audience());
        let app = self.app_url().as_str().trim_end_matches('/');
        format!(
            r#"# The gateway of `portcullis demo`. For an app of your own change the addresses; keep the shape.

[server]
listen = "{listen}"
public_url = "{public}"
state = "memory"                            # sessions end with the process; name a file to keep them
max_connections = 500                       # enough for a demo; without this line it is 20,000

# Who did what. Beside a state file such a store is there without being said.
[[audit.sinks]]
kind = "store"
path = {store}

# Who signs people in. Discovery does the rest.
[providers.demo]
issuer = "{issuer}"
display_name = "Demo identity provider"
client_id = "{client}"
client_secret = {{ env = "{SECRET_VARIABLE}" }}
scopes = ["openid", "profile", "email", "groups"]
audiences = ["{audience}"]    # its access tokens are good here, too

[policies.ops]
allow = [{{ groups = ["ops"] }}]

[policies.people]
allow = [{{ groups = ["people"] }}]

# The app: anybody who has signed in, and it is told who.
[[routes]]
name = "app"
upstream = "{app}"
access = "signed-in"
identity = {{ headers = "x-auth-request", assertion = true }}
title = "Who am I"
description = "What an app is told of whoever asks"

[[routes]]
name = "wiki"
path = "/wiki"
upstream = "{app}"
access = "signed-in"
identity = {{ headers = "x-auth-request", assertion = true }}
title = "Wiki"
description = "What everybody should know"
group = "Documents"

# Neither alice nor bob may see who earns what.
[[routes]]
name = "payroll"
path = "/payroll"
upstream = "{app}"
policy = "people"
identity = {{ headers = "x-auth-request", assertion = true }}
title = "Payroll"

# A part of it that only some may see: bob may, alice may not.
[[routes]]
name = "ops"
path = "/ops"
upstream = "{app}"
policy = "ops"
identity = {{ headers = "x-auth-request", assertion = true }}
title = "Operations"
description = "For bob and his colleagues"
group = "Operations"

# What the gateway does and who did what, for those who run it: on a host of its own, away from the scripts of apps.
[console]
operator = "ops"

[[routes]]
name = "console"
host = "{CONSOLE_HOST}"
serve = "console"
policy = "ops"

# A part that anybody may see.
[[routes]]
name = "public"
path = "/public"
upstream = "{app}"
access = "public"

# For programs: a token or nothing, and no redirects.
[[routes]]
name = "api"
path = "/api"
upstream = "{app}"
accept = "bearer"
allow = [{{ groups = ["staff"] }}, {{ scopes = ["api"] }}]
identity = {{ headers = "x-auth-request", assertion = true }}
"#
        )
    }
}
