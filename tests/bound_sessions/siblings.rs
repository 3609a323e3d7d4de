//! What a sibling host may do that sets cookies for the whole domain of `bind_site`: have somebody show their device once
//! more, and no more than that.

use super::*;

const LOGIN: &str = "https://login.corp.localhost/";
const WIKI: &str = "https://wiki.corp.localhost/a/page";
const SHOWN: &str = "__Secure-portcullis_bound";

/// What somebody makes up: of no length, of the right one, no base64url, and what would end a cookie.
const MADE_UP: [&str; 5] =
    ["", "junk", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "%%%", "\"\""];

/// Somebody whose session is bound for the whole site, and who is at one of its apps as well.
struct Somebody {
    browser: Browser,
    device: Device,
    session: Value,
}

impl Somebody {
    async fn of(world: &World) -> Self {
        let (browser, device) = (Browser::behind_tls(world.gateway.port), Device::new());
        let offer = offered(&browser, LOGIN).await.expect("the sign-in tells how to bind");
        let session = device.register(&browser, &offer).await.json();
        let somebody = Self { browser, device, session };
        somebody.plant(WIKI, &somebody.good());
        assert!(offered(&somebody.browser, WIKI).await.is_none(), "it is covered");
        let thief = Browser::behind_tls(world.gateway.port);
        thief.set_cookie(LOGIN, SESSION, &somebody.key(LOGIN));
        until_async("the grace to be over", || async { call(&thief, LOGIN).await.status == 401 }).await;
        somebody
    }

    /// The bound cookie of the domain, which the jar has for the sign-in host alone.
    fn good(&self) -> String {
        self.browser.cookie(LOGIN, SHOWN).unwrap()
    }

    fn key(&self, url: &str) -> String {
        self.browser.cookie(url, SESSION).unwrap()
    }

    /// A sibling overwrites the cookie of the domain.
    fn plant(&self, url: &str, value: &str) {
        self.browser.set_cookie(url, SHOWN, value);
    }

    /// What this session gets at `url` with these values of the bound cookie.
    async fn with(&self, world: &World, url: &str, values: &[&str]) -> Answer {
        let pairs = values.iter().map(|value| format!("; {SHOWN}={value}")).collect::<String>();
        let cookies = format!("{SESSION}={}{pairs}", self.key(url));
        let headers = [("accept", "application/json"), ("cookie", &*cookies)];
        Browser::behind_tls(world.gateway.port).send(Method::GET, url, &headers, "").await
    }
}

#[tokio::test]
async fn the_good_cookie_counts_beside_a_hundred_planted_ones_in_any_order() {
    let world = site_world("").await;
    let somebody = Somebody::of(&world).await;
    let good = somebody.good();
    for url in [LOGIN, WIKI] {
        for junk in MADE_UP {
            for (before, after) in [(0, 0), (1, 0), (0, 1), (5, 5), (100, 0), (0, 100), (150, 20)] {
                let values = [vec![junk; before], vec![&good], vec![junk; after]].concat();
                let answer = somebody.with(&world, url, &values).await;
                assert_eq!(answer.status, 200, "{before} x {junk:?} before, {after} behind: {}", answer.body);
                assert!(!answer.body.contains("_bound"), "no app sees one: {}", answer.body);
            }
        }
    }
}

#[tokio::test]
async fn invariant_27_no_planted_cookie_lets_a_bound_session_in() {
    let world = site_world("").await;
    let (somebody, attacker) = (Somebody::of(&world).await, Somebody::of(&world).await);
    let theirs = attacker.good();
    let mut turned = somebody.good();
    turned.replace_range(..1, if turned.starts_with('A') { "B" } else { "A" });
    for url in [LOGIN, WIKI] {
        for junk in MADE_UP.into_iter().chain([&*theirs, &*turned]) {
            for count in [1, 4, 100, 400] {
                let answer = somebody.with(&world, url, &vec![junk; count]).await;
                assert_eq!(answer.status, 401, "{count} x {junk:?}: {}", answer.body);
            }
        }
        let cookie = format!("__Host-portcullis_bound={}; portcullis_bound={0}", somebody.good());
        let cookies = format!("{SESSION}={}; {cookie}", somebody.key(url));
        let headers = [("accept", "application/json"), ("cookie", &*cookies)];
        let answer = Browser::behind_tls(world.gateway.port).send(Method::GET, url, &headers, "").await;
        assert_eq!(answer.status, 401, "under another name it is none");
    }
}

#[tokio::test]
async fn invariant_27_no_planted_cookie_makes_an_unbound_session_a_bound_one() {
    let world = site_world("").await;
    let attacker = Somebody::of(&world).await;
    let unbound = Browser::behind_tls(world.gateway.port);
    assert_eq!(unbound.visit(LOGIN).await.status, 200);
    let before = call(&unbound, "https://login.corp.localhost/bound").await.status;
    for value in MADE_UP.into_iter().skip(1).chain([&*attacker.good()]) {
        unbound.set_cookie(LOGIN, SHOWN, value);
        assert_eq!(call(&unbound, LOGIN).await.status, 200, "it goes on as it did");
        assert_eq!(call(&unbound, "https://login.corp.localhost/bound").await.status, before, "{value:?}");
    }
    assert_eq!(before, 503, "the rule waits for a binding");
}

/// While the planted cookie is there, a browser renews none: it has to go.
#[tokio::test]
async fn whose_cookie_was_overwritten_shows_the_device_again_and_signs_in_no_more() {
    let world = site_world("").await;
    let somebody = Somebody::of(&world).await;
    let Somebody { browser, device, session } = &somebody;
    for url in [LOGIN, WIKI] {
        let key = somebody.key(url);
        somebody.plant(url, "junk");
        let answer = browser.get(url).await;
        let cleared = answer.set_cookies().into_iter().find(|set| set.starts_with(&format!("{SHOWN}=;")));
        let cleared = cleared.unwrap_or_else(|| panic!("{:?}", answer.headers));
        assert!(cleared.contains("Domain=corp.localhost") && cleared.contains("Max-Age=0"), "{cleared}");
        assert!(cleared.contains("Path=/") && cleared.contains("Secure"), "{cleared}");
        let next = answer.next().expect("it leads on");
        assert!(
            next.starts_with(&format!(
                "{}/.portcullis/sign-in?",
                url.split_once("localhost").unwrap().0.to_owned() + "localhost"
            )),
            "{next}"
        );
        assert_eq!(browser.cookie(url, SHOWN), None);
        // What a browser does before it goes on: the cookie is not there.
        assert_eq!(device.refresh(browser, session, None).await.status, 200);
        somebody.plant(url, &somebody.good());
        let answers = way(browser, &next).await;
        let page = answers.last().unwrap();
        assert_eq!((page.status, page.url.as_str()), (200, url), "{}", page.body);
        assert!(answers.iter().all(|answer| !answer.url.path().contains("/auth")), "without the provider");
        assert_eq!(somebody.key(url), key, "the session is the one that it was");
        logged(&world.gateway, "is not this session's");
    }
}

#[tokio::test]
async fn a_script_whose_cookie_was_overwritten_is_told_and_the_next_call_goes_through() {
    let world = site_world("").await;
    let somebody = Somebody::of(&world).await;
    somebody.plant(WIKI, "junk");
    let answer = call(&somebody.browser, WIKI).await;
    assert_eq!(answer.status, 401);
    assert!(answer.header("www-authenticate").contains("insufficient_user_authentication"));
    assert!(answer.set_cookies().iter().any(|set| set.starts_with(&format!("{SHOWN}=;"))));
    assert_eq!(somebody.device.refresh(&somebody.browser, &somebody.session, None).await.status, 200);
    somebody.plant(WIKI, &somebody.good());
    assert_eq!(call(&somebody.browser, WIKI).await.status, 200);
}

/// Also where the sibling plants it again at each step: once to the address to sign in at, and then to the provider.
#[tokio::test]
async fn whoever_has_no_device_to_show_is_led_to_sign_in_and_not_around() {
    let world = site_world("").await;
    let somebody = Somebody::of(&world).await;
    let browser = &somebody.browser;
    let before = somebody.key(LOGIN);
    somebody.plant(LOGIN, "junk");
    let mut next = browser.get(LOGIN).await.next().expect("it leads on");
    somebody.plant(LOGIN, "junk");
    next = browser.get(&next).await.next().expect("it leads on");
    assert!(next.contains("/auth?"), "to the provider: {next}");
    let page = browser.visit(&next).await;
    assert_eq!((page.status, page.url.as_str()), (200, LOGIN), "{}", page.body);
    assert_ne!(somebody.key(LOGIN), before, "signed in anew");
}

/// What has no cookie to lose is cleared of none: what it left before it had one shall not take it away.
#[tokio::test]
async fn whoever_comes_without_the_cookie_is_cleared_of_none() {
    let world = site_world("").await;
    let somebody = Somebody::of(&world).await;
    somebody.browser.set_cookie(WIKI, SHOWN, "");
    let answer = call(&somebody.browser, WIKI).await;
    assert_eq!((answer.status, answer.set_cookies()), (401, vec![]));
}
