//! Faults of `[server]`, `[admin]`, `[session]`, `[log]`, providers and policies.

use super::{GOOD, Machine, changed, each_is_told, longer};

#[test]
fn listeners() {
    each_is_told(&[
        (changed("server", "listen = []"), "no listener", "at least one address"),
        (changed("server", "listen = \":443\""), "not an address to listen on", "\"0.0.0.0:443\""),
        (changed("server", "listen = \"localhost:443\""), "not an address to listen on", "\"0.0.0.0:443\""),
        (
            changed("server", "listen = [\"127.0.0.1:1\", \"127.0.0.1:1\"]"),
            "the same address twice",
            "each address once",
        ),
        (
            changed("server", "listen = { address = \"127.0.0.1:1\", h2c = true }"),
            "`h2c` is HTTP/2 in clear text, but this listener speaks TLS",
            "agreed on by itself",
        ),
        (
            "[server]\nlisten = { address = \"127.0.0.1:1\", tls = true }\n".to_owned(),
            "no certificate to speak TLS with",
            "[server] tls",
        ),
        (
            changed(
                "admin",
                "listen = \"127.0.0.1:1\"\nhosts = [\"gateway.internal\", \"http://gateway.internal:9090\"]",
            ),
            "not the name of a host",
            "without scheme and port",
        ),
        (
            changed("admin", "listen = \"127.0.0.1:8443\""),
            "the admin listener has the address of a public one",
            "only operators can reach",
        ),
    ]);
}

#[test]
fn the_management_api_is_behind_a_socket_or_a_token() {
    let token = "listen = \"127.0.0.1:1\"\ntoken = { env = \"SECRET\" }";
    let long = format!("socket = \"/{}\"", "a".repeat(95));
    each_is_told(&[
        (longer("[admin]"), "`[admin]` has neither `listen` nor `socket`", "`socket = \"/run/portcullis"),
        (
            changed("admin", token),
            "the token is too short, or has characters that no header takes",
            "at least 32",
        ),
        (
            changed("admin", "socket = \"admin.sock\"\ntoken = { env = \"TOKEN\" }"),
            "`token` without `listen`",
            "on the socket the system says who asks",
        ),
        (changed("admin", &long), "not the path of a socket", "95 bytes"),
        (
            changed("admin", "socket = \"/run/..\""),
            "not the path of a socket",
            "\"/run/portcullis/admin.sock\"",
        ),
    ]);
}

#[test]
fn a_socket_and_a_token_load() {
    let text =
        changed("admin", "listen = \"127.0.0.1:1\"\nsocket = \"admin.sock\"\ntoken = { env = \"TOKEN\" }");
    let admin = Machine::furnished(&text).settings().admin.unwrap();
    assert_eq!(admin.socket.as_deref(), Some(std::path::Path::new("admin.sock")));
    assert_eq!(admin.token.unwrap().expose(), "0123456789abcdef0123456789abcdef");
    let admin =
        Machine::furnished(&changed("admin", "socket = \"/run/admin.sock\"")).settings().admin.unwrap();
    assert_eq!((admin.address, admin.token), (None, None));
}

#[test]
fn certificates() {
    each_is_told(&[
        (
            changed("server", "tls = { cert = \"gone.crt\", key = \"tls.key\" }"),
            "the file cannot be read: entity not found",
            "the gateway may read",
        ),
        (
            changed("server", "tls = { cert = \"tls.key\", key = \"tls.key\" }"),
            "the file holds no certificate",
            "BEGIN CERTIFICATE",
        ),
        (
            changed("server", "tls = { cert = \"tls.crt\", key = \"tls.crt\" }"),
            "no private key is there",
            "BEGIN PRIVATE KEY",
        ),
    ]);
}

#[test]
fn a_certificate_and_a_key_of_another_pair_do_not_load() {
    let other = rcgen::generate_simple_self_signed(vec!["corp.example".into()]).unwrap();
    let machine = Machine::furnished(GOOD).file("tls.key", other.signing_key.serialize_pem());
    let report = machine.load().unwrap_err();
    assert!(report.faults[0].message == "the key belongs to another certificate", "{report}");
    assert!(report.faults[0].expected.contains("the key that belongs to it"));
}

#[test]
fn origins_networks_spans_and_sizes() {
    each_is_told(&[
        (
            changed("server", "public_url = \"http://login.corp.example\""),
            "`public_url` is clear text",
            "`https://`",
        ),
        (
            changed("server", "public_url = \"https://a.example/x\""),
            "`public_url` has a path",
            "scheme, host and port alone",
        ),
        (
            changed("server", "public_url = \"login.corp.example\""),
            "the scheme of the URL is missing",
            "https://login",
        ),
        (changed("server", "public_url = \"ftp://a.example\""), "not a URL of a scheme that works here", ""),
        (changed("server", "public_url = \"https://a.example/?q\""), "a query or fragment in the URL", ""),
        (
            changed("server", "public_url"),
            "`public_url` is missing, but a route accepts sessions",
            "https://login.corp.example",
        ),
        (changed("server", "trusted_proxies = \"proxy\""), "not a network", "\"10.0.0.0/8\""),
        (
            changed("server", "trusted_proxies = \"10.1.2.3/8\""),
            "the address has bits outside of its network",
            "expected \"10.0.0.0/8\", or \"10.1.2.3/32\"",
        ),
        (changed("server", "max_header_bytes = \"lots\""), "not a size", "\"10MiB\""),
        (changed("server", "max_header_bytes = \"4KiB\""), "the number is out of range", "from 8KiB to 1MiB"),
        (changed("server", "drain_timeout = \"soon\""), "not a span of time", "\"1h 30m\""),
        (changed("server", "reauthorize_every = \"0s\""), "the span of time is too short", "from 1s to 1h"),
        (changed("server", "reauthorize_every = \"2h\""), "the span of time is too long", "from 1s to 1h"),
        (changed("server", "drain_timeout = \"2days\""), "the span of time is too long", "from 0s to 1days"),
        (changed("session", "idle_timeout = \"1s\""), "the span of time is too short", "from 1m to 366days"),
        (
            longer("[session]\nnetwork_prefix = { ipv4 = 16 }"),
            "`network_prefix` where a change of the network is ignored",
            "`network_change = \"step-up\"` beside it",
        ),
        (changed("session", "max_age = \"30s\""), "the span of time is too short", "from 1m"),
        (
            longer("[session]\nidle_timeout = \"2h\"\nmax_age = \"1h\""),
            "`max_age` is shorter than `idle_timeout`",
            "expected at least 2h",
        ),
        (
            changed("session", "cookie_name = \"__Host-a\""),
            "not the name of a cookie",
            "`__Host-` comes by itself",
        ),
        (changed("session", "cookie_name = \"a b\""), "not the name of a cookie", ""),
        (changed("log", "level = \"inof\""), "not a level", "\"info\""),
        (changed("log", "level = \"\""), "empty text", ""),
    ]);
}

#[test]
fn providers() {
    each_is_told(&[
        (
            changed("providers.corp", "issuer = \"http://id.corp.example\""),
            "the issuer is clear text",
            "`https://`",
        ),
        (
            changed("providers.corp", "issuer = \"https://a:b@id.example\""),
            "a user name or password in a URL",
            "",
        ),
        (changed("providers.corp", "client_id = \" \""), "empty text", ""),
        (changed("providers.corp", "leeway = \"10m\""), "the span of time is too long", "from 0s to 5m"),
        (changed("providers.corp", "timeout = \"2m\""), "the span of time is too long", "from 100ms to 1m"),
        (
            changed("providers.corp", "prompt = \"none\""),
            "with `prompt` \"none\" nobody could sign in",
            "\"login\"",
        ),
        (
            changed("providers.corp", "claims = { groups = \"a..b\" }"),
            "not the path of a claim",
            "realm_access.roles",
        ),
        (
            changed("providers.corp", "email_domains = \"@corp.example\""),
            "not a domain",
            "without `@` and `*`",
        ),
        (changed("providers.corp", "email_domains = [\"*.corp.example\"]"), "not a domain", "a whole domain"),
        (
            changed("providers.corp", "extra_params = { redirect_uri = \"https://evil.example\" }"),
            "the parameter `redirect_uri` is set by the gateway",
            "the provider's own",
        ),
        (
            changed("providers.corp", "ca = { file = \"tls.key\" }"),
            "the file holds no certificate",
            "BEGIN CERTIFICATE",
        ),
        (
            longer("[providers.twin]\nissuer = \"https://id.corp.example\"\nclient_id = \"portcullis\""),
            "the same issuer as `corp`, and no other `client_id`",
            "each registration at an issuer once",
        ),
        (
            longer(
                "[providers.twin]\nissuer = \"https://id.corp.example\"\nclient_id = \"a\"\naudiences = [\"https://api.corp.example\"]",
            )
            .replace("client_id = \"portcullis\"", "client_id = \"b\""),
            "`corp` has this audience at the same issuer",
            "each audience of an issuer once",
        ),
        (
            changed("providers.corp", "issuer = \"https://id.corp.example/.well-known/openid-configuration\""),
            "the issuer is the address of a discovery document",
            "expected \"https://id.corp.example\"",
        ),
        (
            changed("providers.corp", "discovery = \"http://id.corp.example/metadata\""),
            "the discovery document is clear text",
            "expected `https://`",
        ),
        (
            changed("providers.corp", "client_assertion_kid = \"k\""),
            "`client_assertion_kid` without `private_key`",
            "`private_key` beside it",
        ),
        (
            changed("providers.corp", "client_assertion_audience = \"issuer\""),
            "`client_assertion_audience` without `private_key`",
            "`private_key` beside it",
        ),
        (
            changed("providers.corp", "response_mode = \"form_post\"")
                .replace("https://login.corp.example", "http://127.0.0.1:8443"),
            "`response_mode` \"form_post\" without https",
            "begins with `https://`",
        ),
        (
            longer("[providers.\"a b\"]\nissuer = \"https://b.example\"\nclient_id = \"a\""),
            "`a b` is no name for a provider",
            "letters, digits",
        ),
    ]);
}

#[test]
fn secrets_and_keys() {
    each_is_told(&[
        (
            changed("providers.corp", "client_secret = \"hunter2\""),
            "a secret is written in the configuration",
            "`{ env = \"NAME\" }` or `{ file = \"PATH\" }`",
        ),
        (changed("providers.corp", "client_secret = {}"), "a secret comes from one place", "{ env"),
        (
            changed("providers.corp", "client_secret = { env = \"SECRET\", file = \"tls.key\" }"),
            "a secret comes from one place",
            "{ env",
        ),
        (
            changed("providers.corp", "client_secret = { env = \"UNSET\" }"),
            "the environment variable `UNSET` is not set",
            "where the gateway starts",
        ),
        (changed("providers.corp", "client_secret = { env = \"EMPTY\" }"), "the secret is empty", ""),
        (
            changed("providers.corp", "client_secret = { env = \"hunter2!\" }"),
            "not the name of an environment variable",
            "not the secret itself",
        ),
        (
            changed("providers.corp", "client_secret = { file = \"gone\" }"),
            "the file cannot be read: entity not found",
            "",
        ),
        (
            changed("providers.corp", "private_key = { file = \"tls.key\" }"),
            "both `client_secret` and `private_key`",
            "one of them",
        ),
        (
            changed("providers.corp", "client_secret = { env = \"SECRET\" }\nclient_auth = \"pos\""),
            "unknown word `pos`",
            "\"basic\" or \"post\"",
        ),
        (
            changed("providers.corp", "client_secret")
                .replace("client_id", "client_auth = \"post\"\nclient_id"),
            "`client_auth` without `client_secret`",
            "beside it",
        ),
        (
            changed("providers.corp", "client_id"),
            "`client_secret` without `client_id`",
            "expected `client_id`",
        ),
    ]);
}

#[test]
fn policies() {
    let rule = |rule: &str| changed("policies.staff", &format!("allow = [{{ {rule} }}]"));
    each_is_told(&[
        (
            changed("policies.staff", "allow"),
            "the policy has no rule",
            "`allow = [{ groups = [\"staff\"] }]`",
        ),
        (changed("policies.staff", "allow = []"), "a list without rules", "at least one entry"),
        (
            longer("[policies.route]\nallow = { groups = \"a\" }"),
            "`route` is no name for a policy",
            "not \"route\"",
        ),
        (rule(""), "a rule without conditions", "at least one condition"),
        (rule("groups = []"), "an empty list sets no condition", "at least one entry"),
        (rule("groups = [\"\"]"), "empty text", ""),
        (rule("claims = {}"), "an empty table sets no condition", "department"),
        (rule("claims = { \"a..b\" = 1 }"), "not the path of a claim", ""),
        (rule("provider = \"crop\""), "no provider is called `crop`", "did you mean \"corp\"?"),
        (rule("providers = [\"elsewhere\"]"), "no provider is called `elsewhere`", "expected \"corp\""),
        (rule("emails = \"@corp.example\""), "not an e-mail address", "alice@corp.example"),
        (rule("emails = [\"a*@corp.example\"]"), "not an e-mail address", ""),
        (rule("email_domains = \"corp.example.\""), "not a domain", ""),
        (rule("scopes = \"a b\""), "not a scope", "one word"),
        (rule("methods = [\"get\"]"), "not a method", "in capitals"),
        (rule("paths = [\"reports\"]"), "not a path", "expected a decoded path such as"),
        (rule("paths = [\"/a/../b\"]"), "not a path", "without dot segments"),
        (rule("paths = [\"/a/*\"]"), "not a path", "without `*`"),
        (rule("networks = [\"everywhere\"]"), "not a network", ""),
    ]);
}
