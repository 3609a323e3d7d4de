//! The configuration that the demo's gateway runs with: what somebody would write for an app of their own.

use super::Demo;

/// The environment variable that the configuration names for the client secret.
pub const SECRET_VARIABLE: &str = "DEMO_CLIENT_SECRET";

impl Demo {
    /// The gateway's configuration, in TOML. [`SECRET_VARIABLE`] must hold [`Demo::client_secret`].
    #[must_use]
    pub fn configuration(&self) -> String {
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

# The app: anybody who has signed in, and it is told who.
[[routes]]
name = "app"
upstream = "{app}"
access = "signed-in"
identity = {{ headers = "x-auth-request", assertion = true }}

# A part of it that only some may see: bob may, alice may not.
[[routes]]
name = "ops"
path = "/ops"
upstream = "{app}"
policy = "ops"
identity = {{ headers = "x-auth-request", assertion = true }}

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
