//! What each key means, once it is lowered.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, StatusCode};

use super::{Machine, changed, longer, settings};
use crate::authn::Accepted;
use crate::config::Settings;
use crate::endpoints::SiteData;
use crate::forward::{
    ForwardSettings, HeaderRule, IdentityValue, PathRewrite, TokenPass, UpstreamHost, UpstreamSettings,
};
use crate::gate::{RedirectSettings, RouteAction};
use crate::identity::{ClaimPath, Strength};
use crate::limit::Per;
use crate::listener::{ProxyProtocol, ProxyVersion};
use crate::oidc::{
    AbsentGroups, AskUserInfo, ClientAuthentication, ClientSettings, EmailVerification, ProviderSettings,
};
use crate::policy::{AccessSettings, PolicySettings, RuleSettings};
use crate::request::{PathException, PathExceptions, Scheme, TrustedProxies};
use crate::session::StreamUse;

pub(super) fn route(line: &str) -> (UpstreamSettings, ForwardSettings) {
    match settings(&changed("routes", line)).routes.remove(0).action {
        RouteAction::Forward { upstream, forward } => (*upstream, *forward),
        other @ (RouteAction::Redirect(_) | RouteAction::Serve(_)) => panic!("{other:?}"),
    }
}

fn provider(line: &str) -> ProviderSettings {
    settings(&changed("providers.corp", line)).relying_party.providers.remove(0)
}

fn client(line: &str) -> ClientSettings {
    provider(line).client.unwrap()
}

fn access(line: &str) -> AccessSettings {
    settings(&changed("routes", line)).routes.remove(0).access
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(ToString::to_string).collect()
}

#[test]
fn listeners_bring_their_own_or_share_the_servers_certificate() {
    let listen = "listen = [\"127.0.0.1:1\", { address = \"127.0.0.1:2\", tls = false, h2c = true, proxy_protocol = \"v2\" }, \
                  { address = \"127.0.0.1:3\", tls = { cert = \"other.crt\", key = \"other.key\" } }]\ntls_min = \"1.3\"";
    let Settings { listeners, watched, .. } = settings(&changed("server", listen));
    let first = listeners[0].tls.as_ref().unwrap();
    assert!(first.certificates[0].cert.ends_with("tls.crt") && !first.tls12);
    assert!(
        listeners[1].tls.is_none()
            && listeners[1].h2c
            && listeners[1].proxy_protocol == Some(ProxyProtocol { version: ProxyVersion::V2, from: None })
    );
    assert!(listeners[2].tls.as_ref().unwrap().certificates[0].key.ends_with("other.key"));
    let names: Vec<_> = watched.iter().map(|path| path.display().to_string()).collect();
    assert_eq!(names, ["other.crt", "other.key", "portcullis.toml", "tls.crt", "tls.key"]);
    let from =
        "listen = { address = \"127.0.0.1:1\", proxy_protocol = { from = [\"10.0.0.0/8\", \"::1\"] } }";
    let Settings { listeners, .. } = settings(&changed("server", from));
    let networks = ["10.0.0.0/8", "::1/128"].map(|network| network.parse().unwrap()).to_vec();
    let from = Some(TrustedProxies::new(networks));
    assert_eq!(listeners[0].proxy_protocol, Some(ProxyProtocol { version: ProxyVersion::Any, from }));
}

#[test]
fn relative_paths_begin_at_the_folder_of_the_file() {
    let text = changed("providers.corp", "client_secret = { file = \"corp.secret\" }");
    let machine = Machine::default()
        .file("/etc/p/p.toml", text)
        .certificate("/etc/p/tls")
        .file("/etc/p/corp.secret", "s3cret\r\n");
    let (settings, _) = crate::config::load("/etc/p/p.toml".as_ref(), &machine).unwrap();
    let client = settings.relying_party.providers[0].client.clone().unwrap();
    assert!(
        matches!(client.authentication, ClientAuthentication::SecretBasic(secret) if secret.expose() == "s3cret")
    );
    assert_eq!(settings.state, Some("portcullis-state.db".into()), "state belongs to the working directory");
    assert_eq!(super::settings(&changed("server", "state = \"memory\"")).state, None);
}

#[test]
fn the_server_is_bounded_as_written() {
    let bounds = "max_connections = 7\nmax_header_bytes = \"8KiB\"\nmax_header_fields = 9\nmax_streams = 11\nworkers = 3\n\
                  handshake_timeout = \"2s\"\nheader_timeout = \"3s\"\nidle_timeout = \"4s\"\ndrain_timeout = \"0s\"\n\
                  reauthorize_every = \"10s\"";
    let settings = settings(&changed("server", bounds));
    let limits = settings.connections;
    assert_eq!(
        (limits.max_connections, limits.max_head, limits.max_fields, limits.max_streams),
        (7, 8192, 9, 11)
    );
    let spans = [limits.handshake, limits.head, limits.idle, settings.drain].map(|span| span.as_secs());
    assert_eq!((spans, settings.workers), ([2, 3, 4, 0], Some(3)));
    assert_eq!(settings.reauthorize_every.as_secs(), 10);
}

#[test]
fn clients_authenticate_as_written() {
    let post = client("client_secret = { env = \"SECRET\" }\nclient_auth = \"post\"");
    assert!(matches!(post.authentication, ClientAuthentication::SecretPost(_)));
    assert_eq!(client("client_secret").authentication, ClientAuthentication::None);
    let key = changed("providers.corp", "client_secret")
        .replace("client_id", "private_key = { file = \"tls.key\" }\nclient_id");
    let key = settings(&key).relying_party.providers.remove(0).client.unwrap();
    assert!(matches!(key.authentication, ClientAuthentication::PrivateKey(_)));
    assert!(provider("client_id = \"portcullis\"").client.is_some());
}

#[test]
fn authorization_requests_are_made_as_written() {
    assert_eq!(client("scopes = \"groups openid groups\"").scopes, ["openid", "groups"]);
    assert_eq!(client("prompt = [\"login\", \"consent\"]").prompt.as_deref(), Some("login consent"));
    assert_eq!(client("acr_values = [\"a\", \"b\"]").acr_values, ["a", "b"]);
    assert_eq!(client("max_age = \"0s\"").max_age, Some(Duration::ZERO));
    assert_eq!(
        client("extra_params = { hd = \"corp.example\" }").extra,
        [("hd".into(), "corp.example".into())]
    );
    assert!(
        client("userinfo = \"always\"").userinfo == AskUserInfo::Always
            && client("userinfo = \"when-needed\"").userinfo == AskUserInfo::WhenNeeded
            && client("userinfo = \"never\"").userinfo == AskUserInfo::Never
    );
}

#[test]
fn providers_are_read_as_written() {
    let path = |text| ClaimPath::parse(text).unwrap();
    let claims =
        provider("claims = { user = \"upn\", email = \"/a.b/mail\", groups = \"realm_access.roles\" }")
            .claims;
    assert_eq!(
        (claims.user, claims.email, claims.groups),
        (Some(path("upn")), path("/a.b/mail"), path("realm_access.roles"))
    );
    let verified = |text: &str| provider(text).claims.email_verified;
    assert_eq!(verified(""), EmailVerification::AsSaid);
    assert_eq!(verified("email_verified = \"require\""), EmailVerification::Require);
    let assumed = verified("email_verified = { assume = \"Corp.Example\" }");
    assert_eq!(assumed, EmailVerification::Assume(vec!["corp.example".into()]));
    let absent = |text: &str| provider(text).claims.absent_groups;
    assert_eq!(absent(""), AbsentGroups::Unknown);
    assert_eq!(absent("claims = { absent_groups = \"unknown\" }"), AbsentGroups::Unknown);
    assert_eq!(absent("claims = { absent_groups = \"none\" }"), AbsentGroups::None);
    assert_eq!(provider("email_domains = \"Corp.Example\"").email_domains, ["corp.example"]);
    assert_eq!(provider("display_name = \"Corp Ltd\"").display_name, "Corp Ltd");
    assert_eq!(provider("leeway = \"0s\"").leeway, Duration::ZERO);
    assert!(provider("require_at_jwt = true").require_at_jwt);
    assert!(provider("ca = { file = \"tls.crt\" }").ca.is_some_and(|pem| pem.starts_with(b"-----BEGIN")));
}

#[test]
fn a_rule_holds_all_its_conditions() {
    let rule = "allow = [{ users = [\"a\"], user = \"b\", emails = \"A@b.example\", email_domains = \"B.example\", groups = \"g\", \
                scopes = [\"s\", \"t\"], provider = \"corp\", claims = { \"org.unit\" = [\"x\", 7, true], staff = [] }, \
                acr = [\"hwk\", \"mfa\"], amr = \"otp\", max_auth_age = \"15m\", \
                methods = \"GET\", paths = [\"/wiki/a/\", \"/wiki/b c\"], networks = [\"10.0.0.0/8\", \"192.0.2.1\"] }]";
    let AccessSettings::Policies(policies) = access(rule) else { panic!() };
    let expected = RuleSettings {
        users: texts(&["a", "b"]),
        emails: texts(&["A@b.example"]),
        email_domains: texts(&["b.example"]),
        groups: texts(&["g"]),
        scopes: texts(&["s", "t"]),
        providers: vec![crate::identity::ProviderName::new("corp")],
        claims: vec![
            (ClaimPath::parse("org.unit").unwrap(), texts(&["x", "7", "true"])),
            (ClaimPath::parse("staff").unwrap(), Vec::new()),
        ],
        methods: vec![Method::GET],
        paths: texts(&["/wiki/a", "/wiki/b c"]),
        networks: vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()],
        strength: Strength {
            acr: texts(&["hwk", "mfa"]),
            amr: texts(&["otp"]),
            max_age: Some(Duration::from_secs(900)),
            after: None,
        },
        bound: None,
    };
    assert_eq!(policies[0].name, "staff");
    assert_eq!(policies[1], PolicySettings { name: "route".into(), allow: vec![expected], deny: Vec::new() });
}

/// Every policy has to allow, so what only denies has to allow everybody else.
#[test]
fn deny_rules_alone_take_away_and_give_nothing() {
    let blocked = "\n[policies.blocked]\ndeny = { users = \"mallory\" }\n";
    let file = changed("routes", "policy = [\"blocked\", \"staff\"]") + blocked;
    let AccessSettings::Policies(policies) = settings(&file).routes.remove(0).access else { panic!() };
    assert_eq!(policies[0].allow, [RuleSettings::default()]);
    assert_eq!((policies[0].deny.len(), policies[1].allow[0].groups.len()), (1, 1));

    let own = changed("routes", "policy")
        .replace("path =", "access = \"signed-in\"\ndeny = { users = \"mallory\" }\npath =");
    let AccessSettings::Policies(policies) = settings(&own).routes.remove(0).access else { panic!() };
    assert_eq!((policies.len(), policies[0].allow.as_slice()), (1, &[RuleSettings::default()][..]));
}

#[test]
fn a_route_accepts_what_providers_offer_unless_it_says_otherwise() {
    let accept = |line: &str| {
        let accept = settings(&changed("routes", line)).routes[0].accept;
        (accept.has(Accepted::Session), accept.has(Accepted::Bearer), accept.has(Accepted::Basic))
    };
    assert_eq!(accept("name = \"wiki\""), (true, true, false));
    assert_eq!(accept("accept = \"bearer\""), (false, true, false));
    assert_eq!(accept("accept = [\"session\"]"), (true, false, false));
    assert_eq!(accept("accept = \"basic\""), (false, false, true));
    let public = changed("routes", "policy").replace("path =", "access = \"public\"\npath =");
    let Settings { mut routes, .. } = settings(&public);
    assert!(!routes[0].accept.has(Accepted::Session) && !routes[0].accept.has(Accepted::Bearer));
    assert_eq!(routes.remove(0).access, AccessSettings::Public);
}

#[test]
fn routes_are_called_and_matched_as_written() {
    let named = |line: &str| settings(&changed("routes", line)).routes[0].name.to_string();
    assert_eq!(named("name = \"the wiki\""), "the wiki");
    assert_eq!(named("methods = [\"GET\", \"PUT\"]"), "GET,PUT wiki.corp.example/wiki");
    assert_eq!(named("host"), "*/wiki");
    let route = settings(&changed(
        "routes",
        "host = \"*.Corp.example:8443\"\ntolerate = [\"semicolon\", \"encoded-slash\"]\nconcurrency = 5",
    ))
    .routes
    .remove(0);
    assert_eq!(route.pattern.host.to_string(), "*.corp.example:8443");
    let tolerated =
        PathExceptions::default().with(PathException::Semicolon).with(PathException::EncodedSlash);
    assert_eq!((route.path_exceptions, route.concurrency), (tolerated, Some(5)));
}

#[test]
fn streams_and_the_time_behind_an_expiry_are_as_written() {
    let meant = |lines: &str| {
        let route = settings(&changed("routes", lines)).routes.remove(0);
        (route.after_expiry.as_secs(), route.streams)
    };
    assert_eq!(meant("streams"), (300, StreamUse::Unused));
    assert_eq!(meant("timeout = { after_expiry = \"0s\" }\nstreams = \"use\""), (0, StreamUse::Used));
    assert_eq!(meant("timeout = { idle = \"1s\" }\nstreams = \"idle\""), (300, StreamUse::Unused));
}

#[test]
fn paths_and_hosts_are_rewritten_as_written() {
    let rewrite = |line: &str| route(line).1.rewrite;
    assert_eq!(rewrite("strip_path = false"), PathRewrite::Keep);
    assert_eq!(rewrite("strip_path = true"), PathRewrite::Replace { segments: 1, with: "/".into() });
    assert_eq!(
        rewrite("replace_path = \"/a%20b/\""),
        PathRewrite::Replace { segments: 1, with: "/a%20b/".into() }
    );
    let forward = route("strip_path = true\nrewrite_location = true").1;
    assert_eq!((forward.prefix.as_str(), forward.rewrite_location), ("/wiki", true));
    assert!(!route("strip_path = true").1.rewrite_location);
    let host = |line: &str| route(line).1.host;
    assert_eq!(host("host_header = \"keep\""), UpstreamHost::Keep);
    assert_eq!(host("host_header = \"upstream\""), UpstreamHost::Upstream);
    assert_eq!(
        host("host_header = \"App.internal:81\""),
        UpstreamHost::Fixed(HeaderValue::from_static("app.internal:81"))
    );
}

#[test]
fn headers_are_written_as_written() {
    let name = HeaderName::from_static;
    let value = HeaderValue::from_static;
    let (_, forward) = route(
        "request_headers = { set = { X-Key = \"k\" }, remove = [\"X-Gone\"] }\n\
         response_headers = { set = { X-Frame-Options = \"DENY\" }, default = { Cache-Control = \"no-store\" }, remove = \"Server\" }\nhsts = true",
    );
    assert_eq!(
        forward.request_headers,
        [HeaderRule::Remove(name("x-gone")), HeaderRule::Set(name("x-key"), value("k"))]
    );
    assert_eq!(
        forward.response_headers,
        [
            HeaderRule::Remove(name("server")),
            HeaderRule::Set(name("x-frame-options"), value("DENY")),
            HeaderRule::Default(name("cache-control"), value("no-store")),
            HeaderRule::Set(name("strict-transport-security"), value("max-age=31536000; includeSubDomains")),
        ]
    );
    let own = route("hsts = \"Max-Age=60\"").1.response_headers;
    assert_eq!(own, [HeaderRule::Set(name("strict-transport-security"), value("Max-Age=60"))]);
}

#[test]
fn identity_is_written_as_written() {
    let identity = |line: &str| route(&format!("identity = {{ {line} }}")).1.identity;
    let names =
        |line: &str| identity(line).headers.into_iter().map(|(name, _)| name.to_string()).collect::<Vec<_>>();
    assert_eq!(
        names("headers = \"remote\""),
        ["remote-user", "remote-email", "remote-groups", "remote-name"]
    );
    assert_eq!(names("headers = \"x-forwarded\"")[0], "x-forwarded-user");
    assert_eq!(names("headers = \"x-auth-request\"")[3], "x-auth-request-preferred-username");
    let own = identity(
        "headers = { A = \"user\", B = \"email\", C = \"subject\", D = \"groups\", E = \"provider\", F = \"claim:org.unit\" }, token = \"id\", assertion = true",
    );
    let claim = IdentityValue::Claim(ClaimPath::parse("org.unit").unwrap());
    let values: Vec<_> = own.headers.into_iter().map(|(_, value)| value).collect();
    assert_eq!(
        values,
        [
            IdentityValue::User,
            IdentityValue::Email,
            IdentityValue::Subject,
            IdentityValue::Groups,
            IdentityValue::Provider,
            claim
        ]
    );
    assert!(own.token == TokenPass::Id && own.assertion);
    assert_eq!(identity("token = \"access\"").token, TokenPass::Access);
}

#[test]
fn limits_are_kept_as_written() {
    let limits = settings(&changed(
        "routes",
        "limits = [{ per = \"address\", rate = \"5/min\" }, { per = \"principal\", rate = \"1/s\", burst = 9 }, { per = \"route\", rate = \"1/h\" }, { per = \"header\", header = \"X-Client\", rate = \"1/day\" }]",
    ))
    .routes
    .remove(0)
    .limits;
    let kept: Vec<_> = limits.iter().map(|limit| (limit.rate.period.as_secs(), limit.burst.get())).collect();
    assert_eq!(kept, [(60, 5), (1, 9), (3600, 1), (86_400, 1)]);
    let per: Vec<_> = limits.into_iter().map(|limit| limit.per).collect();
    assert_eq!(
        per,
        [Per::Address, Per::Principal, Per::Route, Per::Header(HeaderName::from_static("x-client"))]
    );
}

#[test]
fn the_gateways_own_endpoints_are_bounded_as_written_and_by_default() {
    let own = |line: &str| settings(&changed("server", line)).own;
    let default = own("workers = 2").limits;
    assert_eq!((default.len(), &default[0].per, default[0].burst.get()), (1, &Per::Address, 2000));
    assert_eq!((default[0].rate.count.get(), default[0].rate.period), (20, Duration::from_secs(1)));
    assert_eq!(own("sign_in_limits = []").limits, []);
    let written = own("sign_in_limits = { per = \"route\", rate = \"5/min\" }").limits;
    assert_eq!((&written[0].per, written[0].burst.get()), (&Per::Route, 5));
    assert_eq!(own("workers = 2").forget, [SiteData::Cache]);
    let forget =
        |words: &str| settings(&changed("session", &format!("clear_site_data = {words}"))).own.forget;
    assert_eq!(forget("[]"), []);
    assert_eq!(forget("[\"storage\", \"cookies\"]"), [SiteData::Storage, SiteData::Cookies]);
}

#[test]
fn redirects_lead_where_they_are_written_to() {
    let file = longer(
        "[[routes]]\nhost = \"a.example\"\naccess = \"public\"\nredirect = { scheme = \"https\", host = \"B.example\", path = \"/new\", status = 301 }",
    );
    let action = settings(&file).routes.remove(1).action;
    let expected = RedirectSettings {
        scheme: Some(Scheme::Https),
        port: None,
        host: Some("b.example".into()),
        path: Some("/new".into()),
        status: StatusCode::MOVED_PERMANENTLY,
    };
    assert_eq!(action, RouteAction::Redirect(expected));
}
