//! Which apps people are led to: those whose routes let them in, each asked by itself.

use std::collections::BTreeSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use proptest::prelude::*;

use super::Front;
use crate::clock::Timestamp;
use crate::endpoints::Routes;
use crate::gate::route::Route;
use crate::gate::tests::{principal, route};
use crate::identity::Principal;
use crate::policy::{Access, AccessSettings, PolicySettings, Question, RuleSettings, Verdict, explain};
use crate::portal::Tile;
use crate::request::{Authority, ClientAddress, RequestPath, Scheme};
use crate::route::{HostPattern, Lookup, RoutePattern, RouteTable};

type Table = RouteTable<Arc<Route<()>>>;

const HOSTS: [&str; 3] = ["a.example", "b.example", "c.example"];
const PATHS: [&str; 5] = ["/", "/a", "/a/b", "/a b", "/ü"];
const GROUPS: [&str; 4] = ["staff", "ops", "guests", "mallory"];
const CLIENT: ClientAddress = ClientAddress::new(std::net::IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1)));
const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// A row: where, who may use it, and whether it is shown at all.
type Row = (usize, usize, AccessSettings, bool);

fn rule() -> impl Strategy<Value = RuleSettings> {
    let groups = proptest::sample::subsequence(&GROUPS[..], 0..3);
    let paths = proptest::sample::subsequence(vec!["/a", "/a/b", "/zzz"], 0..2);
    let networks = proptest::sample::subsequence(vec!["192.0.2.0/24", "10.0.0.0/8"], 0..2);
    (groups, paths, networks).prop_map(|(groups, paths, networks)| RuleSettings {
        groups: groups.into_iter().map(str::to_owned).collect(),
        paths: paths.into_iter().map(str::to_owned).collect(),
        networks: networks.into_iter().map(|network| network.parse().unwrap()).collect(),
        ..RuleSettings::default()
    })
}

fn access() -> impl Strategy<Value = AccessSettings> {
    let rules = || proptest::collection::vec(rule(), 0..3);
    let policy =
        (rules(), rules()).prop_map(|(allow, deny)| PolicySettings { name: "p".into(), allow, deny });
    prop_oneof![
        Just(AccessSettings::Public),
        Just(AccessSettings::SignedIn),
        proptest::collection::vec(policy, 1..3).prop_map(AccessSettings::Policies),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    proptest::collection::vec((0..HOSTS.len(), 0..PATHS.len(), access(), any::<bool>()), 0..12)
}

fn pattern(host: usize, path: usize) -> RoutePattern {
    RoutePattern {
        host: HOSTS[host].parse().unwrap(),
        path: PATHS[path].parse().unwrap(),
        methods: Vec::new(),
    }
}

/// A table of the rows, of which no two are for the same place.
fn table(rows: &[Row]) -> Table {
    let mut taken = BTreeSet::new();
    let first = rows.iter().filter(|(host, path, ..)| taken.insert((*host, *path)));
    let compiled = first.map(|(host, path, access, shown)| {
        let settings = route(HOSTS[*host], PATHS[*path], &[], access.clone());
        let mut route = Route::compile(&settings, ());
        let tile = Tile { title: Some(format!("{host}/{path}")), ..Tile::default() };
        route.front = Front::at(&settings.pattern, &tile).filter(|_| *shown);
        (pattern(*host, *path), Arc::new(route))
    });
    RouteTable::build(compiled.collect()).unwrap()
}

/// Whether a request to the route's own address is let in by the rules of whichever route answers there.
fn lets_in(table: &Table, host: usize, path: usize, principal: &Arc<Principal>) -> bool {
    let address =
        format!("/{}", PATHS[path].trim_start_matches('/').replace(' ', "%20").replace('ü', "%C3%BC"));
    let path = RequestPath::parse(&address).unwrap();
    let authority = Authority::parse(HOSTS[host]).unwrap();
    let Lookup::Found(route) = table.find(&authority, Scheme::Https, &path, &http::Method::GET) else {
        return false;
    };
    let method = &http::Method::GET;
    let question = Question {
        principal: Some(principal),
        method,
        path: &path,
        client: CLIENT,
        now: NOW,
        bound: Some(true),
    };
    let verdict = explain(&route.access, &question).verdict;
    matches!(verdict, Verdict::Permitted | Verdict::StepUp)
}

proptest! {
    #[test]
    fn invariant_1_people_are_led_to_the_apps_whose_routes_let_them_in_and_to_no_others(
        rows in rows(),
        groups in proptest::sample::subsequence(&GROUPS[..], 0..4),
    ) {
        let table = table(&rows);
        let principal = Arc::new(Principal {
            groups: groups.into_iter().map(str::to_owned).collect(),
            ..(*principal("")).clone()
        });
        let titles = |open: Vec<(&RoutePattern, &Tile)>| -> Vec<String> {
            open.into_iter().map(|(_, tile)| tile.title.clone().unwrap()).collect()
        };
        let open = titles(table.open_to(&principal, CLIENT, NOW).collect());
        let mut wanted = Vec::new();
        for (pattern, route) in table.iter() {
            let HostPattern::Exact(host, _) = &pattern.host else { unreachable!() };
            let host = HOSTS.iter().position(|known| known == host).unwrap();
            let path = PATHS.iter().position(|known| *known == pattern.path.to_string()).unwrap();
            if route.front.is_some() && lets_in(&table, host, path, &principal) {
                wanted.push(format!("{host}/{path}"));
            }
        }
        prop_assert_eq!(open, wanted);
    }
}

/// `cargo test --release --lib ten_thousand_routes -- --ignored --nocapture` says how long it takes.
#[test]
#[ignore = "measures"]
fn ten_thousand_routes_are_asked_in_one_pass() {
    let groups = |number: usize| {
        let rule =
            RuleSettings { groups: vec![format!("group-{}", number % 100)], ..RuleSettings::default() };
        let policy = PolicySettings { name: "p".into(), allow: vec![rule], deny: Vec::new() };
        AccessSettings::Policies(vec![policy])
    };
    let rows = (0..10_000).map(|number| {
        let (host, path) = (format!("app-{number}.example"), "/");
        let settings = route(&host, path, &[], groups(number));
        let mut route = Route::compile(&settings, ());
        route.front = Front::at(&settings.pattern, &Tile { title: Some(host), ..Tile::default() });
        (settings.pattern, Arc::new(route))
    });
    let table: Table = RouteTable::build(rows.collect()).unwrap();
    let alice = Principal {
        groups: (0..50).map(|number| format!("group-{number}")).collect(),
        ..(*principal("")).clone()
    };
    let alice = Arc::new(alice);
    let begun = Instant::now();
    for _ in 0..10 {
        assert_eq!(black_box(table.open_to(&alice, CLIENT, NOW).count()), 5000);
    }
    println!("{:?} for all", begun.elapsed() / 10);
}

#[test]
fn access_is_compiled_as_the_gate_compiles_it() {
    let settings = route("a.example", "/", &[], AccessSettings::Public);
    assert!(Access::compile(&settings.access).is_public() && Route::compile(&settings, ()).front.is_none());
}
