use std::time::Duration;

use ::http::header::COOKIE;
use ::http::{HeaderMap, HeaderValue};

use super::world::{World, client, parameter};
use crate::clock::Clock;
use crate::identity::Strength;
use crate::oidc::{
    AuthenticationRequest, AuthorizationRedirect, Destination, Flow, FlowCookies, FlowError, ResponseMode,
};
use crate::secret::{SealingKey, Secret};

fn cookies(clock: &Clock) -> FlowCookies {
    FlowCookies::new(SealingKey::of_server_key(&[7; 64]), true, "login.example", clock.clone())
}

fn flow(world: &World, intent: AuthenticationRequest) -> (Flow, String) {
    let departure = world.provider.begin(intent).unwrap();
    (departure.flow, parameter(&departure.location, "state").unwrap())
}

fn pair(cookie: &HeaderValue) -> String {
    cookie.to_str().unwrap().split(';').next().unwrap().to_owned()
}

fn sent(pairs: &[String]) -> HeaderMap {
    let line = pairs.join("; ");
    HeaderMap::from_iter([(COOKIE, line.parse().unwrap())])
}

#[tokio::test]
async fn the_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
    let world = World::new().await;
    let (flow, state) = flow(&world, AuthenticationRequest::default());
    let cookie = cookies(&world.clock).set(&HeaderMap::new(), &flow).unwrap().remove(0);
    let text = cookie.to_str().unwrap();
    assert!(text.starts_with("__Host-portcullis-flow-") && !text.contains(&state));
    for attribute in ["; HttpOnly", "; Secure", "; SameSite=Lax", "; Path=/", "; Max-Age=900"] {
        assert!(text.contains(attribute), "{text}");
    }
    assert!(!text.contains("Domain"));
    let plain =
        FlowCookies::new(SealingKey::of_server_key(&[7; 64]), false, "localhost", world.clock.clone());
    let text = plain.set(&HeaderMap::new(), &flow).unwrap().remove(0);
    let text = text.to_str().unwrap();
    assert!(
        text.starts_with("portcullis-flow-")
            && text.contains("Path=/.portcullis")
            && !text.contains("Secure")
    );
    let cleared = cookies(&world.clock).clear(&state);
    assert_eq!(pair(&cleared), format!("{}=", pair(&cookie).split('=').next().unwrap()));
    assert!(cleared.to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn only_a_flow_whose_response_is_posted_comes_along_from_other_sites() {
    for (mode, same_site) in
        [(ResponseMode::Query, "SameSite=Lax"), (ResponseMode::FormPost, "SameSite=None")]
    {
        let world = World::with(|settings| client(settings).response_mode = mode).await;
        let AuthorizationRedirect { flow, location } = world.begin();
        let values = cookies(&world.clock).set(&HeaderMap::new(), &flow).unwrap();
        let [value] = &values[..] else { panic!("{values:?}") };
        let value = value.to_str().unwrap();
        assert!(
            value.starts_with("__Host-") && value.contains(same_site) && value.contains("Secure"),
            "{value}"
        );
        let asked = parameter(&location, "response_mode");
        assert_eq!(asked.as_deref(), (mode == ResponseMode::FormPost).then_some("form_post"));
        let state = parameter(&location, "state").unwrap();
        assert_eq!(cookies(&world.clock).open(&sent(&[pair(&values[0])]), &state), Ok(flow));
    }
}

#[tokio::test]
async fn invariant_6_a_browser_that_did_not_start_the_flow_cannot_finish_it() {
    let world = World::new().await;
    let (_, state) = flow(&world, AuthenticationRequest::default());
    let (other, _) = flow(&world, AuthenticationRequest::default());
    let cookies = cookies(&world.clock);
    let browser = sent(&[pair(&cookies.set(&HeaderMap::new(), &other).unwrap()[0])]);
    assert_eq!(cookies.open(&HeaderMap::new(), &state), Err(FlowError::Missing));
    assert_eq!(cookies.open(&browser, &state), Err(FlowError::Missing));
    assert_eq!(cookies.open(&browser, ""), Err(FlowError::Missing));
}

#[tokio::test]
async fn invariant_7_another_key_name_host_or_time_opens_nothing() {
    let world = World::new().await;
    let (mine, state) = flow(&world, AuthenticationRequest::default());
    let (theirs, other_state) = flow(&world, AuthenticationRequest::default());
    let cookies = cookies(&world.clock);
    let set = |flow| pair(&cookies.set(&HeaderMap::new(), flow).unwrap()[0]);
    let browser = sent(&[set(&mine)]);
    assert_eq!(cookies.open(&browser, &state).as_ref(), Ok(&mine));
    let key =
        FlowCookies::new(SealingKey::of_server_key(&[8; 64]), true, "login.example", world.clock.clone());
    let host =
        FlowCookies::new(SealingKey::of_server_key(&[7; 64]), true, "evil.example", world.clock.clone());
    assert_eq!(key.open(&browser, &state), Err(FlowError::Tampered));
    assert_eq!(host.open(&browser, &state), Err(FlowError::Tampered));
    let (mine, theirs) = (set(&mine), set(&theirs));
    let swapped = format!("{}={}", theirs.split_once('=').unwrap().0, mine.split_once('=').unwrap().1);
    assert_eq!(cookies.open(&sent(&[swapped]), &other_state), Err(FlowError::Tampered));
    world.clock.advance(Duration::from_secs(899));
    assert!(cookies.open(&browser, &state).is_ok());
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(cookies.open(&browser, &state), Err(FlowError::Expired));
}

#[tokio::test]
async fn a_cookie_planted_beside_ours_does_not_hide_it() {
    let world = World::new().await;
    let (mine, state) = flow(&world, AuthenticationRequest::default());
    let cookies = cookies(&world.clock);
    let good = pair(&cookies.set(&HeaderMap::new(), &mine).unwrap()[0]);
    let planted = format!("{}=AAAA", good.split_once('=').unwrap().0);
    assert!(cookies.open(&sent(&[planted.clone(), good.clone()]), &state).is_ok());
    assert!(cookies.open(&sent(&[good, planted]), &state).is_ok());
}

#[tokio::test]
async fn at_most_ten_flows_stay_and_the_oldest_goes_first() {
    let world = World::new().await;
    let cookies = cookies(&world.clock);
    let mut browser = Vec::new();
    for _ in 0..10 {
        let set = cookies.set(&sent(&browser), &flow(&world, AuthenticationRequest::default()).0).unwrap();
        assert_eq!(set.len(), 1, "ten flows fit");
        browser.push(pair(&set[0]));
        world.clock.advance(Duration::from_secs(1));
    }
    let names: Vec<_> = browser.iter().map(|pair| format!("{}=", pair.split_once('=').unwrap().0)).collect();
    let set = cookies.set(&sent(&browser), &flow(&world, AuthenticationRequest::default()).0).unwrap();
    assert_eq!(set[1..].iter().map(pair).collect::<Vec<_>>(), names[..1]);
    browser.push("__Host-portcullis-flow-garbled=x".into());
    world.clock.advance(Duration::from_secs(894));
    let set = cookies.set(&sent(&browser), &flow(&world, AuthenticationRequest::default()).0).unwrap();
    let cleared: Vec<_> = set[1..].iter().map(pair).collect();
    assert_eq!(cleared, [&names[..5], &["__Host-portcullis-flow-garbled=".to_owned()]].concat());
}

/// nginx takes 8 KiB for a field, and half of it is left to others (invariant 14).
#[tokio::test]
async fn flows_are_bounded_in_bytes_whatever_the_tabs() {
    let world = World::new().await;
    let cookies = cookies(&world.clock);
    let mut browser: Vec<String> = Vec::new();
    let mut most = 0;
    for tab in 0..40 {
        let return_to = format!("https://app.example/{tab}?{}", "x".repeat(2000));
        let state = cookies.state(&Destination { return_to, ..Destination::default() });
        let strength = Strength { acr: vec!["a".repeat(tab * 60)], ..Strength::default() };
        let intent = AuthenticationRequest {
            state: Some(state.clone()),
            strength,
            ..AuthenticationRequest::default()
        };
        let flow = world.provider.begin(intent).unwrap().flow;
        let Ok(set) = cookies.set(&sent(&browser), &flow) else { break };
        let cleared: Vec<_> = set[1..].iter().map(pair).collect();
        browser.retain(|pair| !cleared.iter().any(|name| pair.starts_with(name)));
        browser.push(pair(&set[0]));
        assert!(cookies.open(&sent(&browser), state.expose()).is_ok(), "the newest stays");
        most = most.max(browser.join("; ").len());
        world.clock.advance(Duration::from_secs(1));
    }
    assert!((3000..=4096).contains(&most), "{most} bytes");
}

#[tokio::test]
async fn a_flow_that_fits_no_cookie_is_refused() {
    let world = World::new().await;
    let strength = Strength { acr: vec!["a".repeat(4000)], ..Strength::default() };
    let huge = AuthenticationRequest { strength, ..AuthenticationRequest::default() };
    let (huge, _) = flow(&world, huge);
    assert_eq!(cookies(&world.clock).set(&HeaderMap::new(), &huge), Err(FlowError::TooLarge));
}

#[tokio::test]
async fn a_state_leads_where_it_was_made_for_and_no_other_does() {
    let world = World::new().await;
    let cookies = cookies(&world.clock);
    let to = |return_to: &str, handover: Option<&str>, again| Destination {
        return_to: return_to.into(),
        handover: handover.map(str::to_owned),
        again,
    };
    let there = to("https://app.example/a?b=\\'ä#c", Some("ab"), true);
    let (state, other) = (cookies.state(&there), cookies.state(&to("https://app.example/", None, false)));
    let (state, other) = (state.expose(), other.expose());
    assert_eq!(cookies.destination(state), Some(there));
    assert!(state.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{state}");
    assert!(!state.contains("app.example") && cookies.state(&Destination::default()) != Secret::new(state));
    let (random, _) = state.split_once('.').unwrap();
    let (_, sealed) = other.split_once('.').unwrap();
    for made_up in ["", ".", "x", random, &format!("{random}."), &format!("{random}.{sealed}"), &state[1..]] {
        assert_eq!(cookies.destination(made_up), None, "{made_up}");
    }
    let key =
        FlowCookies::new(SealingKey::of_server_key(&[8; 64]), true, "login.example", world.clock.clone());
    assert_eq!(key.destination(state), None);
    let flow =
        pair(&cookies.set(&HeaderMap::new(), &flow(&world, AuthenticationRequest::default()).0).unwrap()[0]);
    let (name, value) = flow.split_once('=').unwrap();
    assert_eq!(cookies.destination(&format!("{name}.{value}")), None);
}

#[tokio::test]
async fn invariant_7_the_strength_that_is_asked_for_is_nobodys_to_write() {
    let world = World::new().await;
    let cookies = cookies(&world.clock);
    let asked = Strength {
        acr: vec!["mfa".into()],
        amr: vec!["otp".into()],
        max_age: Some(Duration::from_secs(60)),
        ..Strength::default()
    };
    let sealed = cookies.seal_strength(&asked);
    assert_eq!(cookies.open_strength(&sealed), Some(asked));
    assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{sealed}");
    let state = cookies.state(&Destination::default());
    let of_state = state.expose().split_once('.').unwrap().1;
    for made_up in ["", "mfa", &sealed[1..], &format!("{sealed}A"), of_state, "eyJjIjpbXX0"] {
        assert_eq!(cookies.open_strength(made_up), None, "{made_up}");
    }
    let key =
        FlowCookies::new(SealingKey::of_server_key(&[8; 64]), true, "login.example", world.clock.clone());
    assert_eq!(key.open_strength(&sealed), None);
}

#[tokio::test]
async fn invariant_15_a_flow_prints_no_secret() {
    let world = World::new().await;
    let (flow, state) = flow(&world, AuthenticationRequest::default());
    assert!(!format!("{flow:?} {:?}", cookies(&world.clock)).contains(&state));
}
