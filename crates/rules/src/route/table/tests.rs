use http::Method;
use proptest::prelude::*;
use proptest::sample::select;

use super::{Conflict, Lookup, RouteTable};
use crate::request::{Authority, RequestPath, Scheme};
use crate::route::{HostPattern, RoutePattern};

type Row = (&'static str, &'static str, Vec<Method>);

fn pattern(host: &str, path: &str, methods: &[Method]) -> RoutePattern {
    RoutePattern { host: host.parse().unwrap(), path: path.parse().unwrap(), methods: methods.to_vec() }
}

fn build(rows: &[(&str, &str, &[Method])]) -> Result<RouteTable<usize>, Vec<Conflict>> {
    let rows = rows.iter().enumerate();
    RouteTable::build(
        rows.map(|(index, (host, path, methods))| (pattern(host, path, methods), index)).collect(),
    )
}

fn find<'a>(
    table: &'a RouteTable<usize>,
    scheme: Scheme,
    host: &str,
    method: &Method,
    path: &str,
) -> Lookup<'a, usize> {
    table.find(&Authority::parse(host).unwrap(), scheme, &RequestPath::parse(path).unwrap(), method)
}

fn get<'a>(table: &'a RouteTable<usize>, host: &str, path: &str) -> Lookup<'a, usize> {
    find(table, Scheme::Https, host, &Method::GET, path)
}

#[test]
fn the_most_specific_host_owns_the_request() {
    let rows: [(&str, &str, &[Method]); 6] = [
        ("*", "/", &[]),
        ("*.example", "/", &[]),
        ("*.example:81", "/", &[]),
        ("wiki.example", "/w", &[]),
        ("wiki.example:81", "/p", &[]),
        ("[::1]", "/", &[]),
    ];
    let table = build(&rows).unwrap();
    assert_eq!(get(&table, "other.test", "/x"), Lookup::Found(&0));
    assert_eq!(get(&table, "a.example", "/x"), Lookup::Found(&1));
    assert_eq!(get(&table, "a.example:81", "/x"), Lookup::Found(&2));
    assert_eq!(get(&table, "a.b.example", "/x"), Lookup::Found(&0));
    assert_eq!(get(&table, "example", "/x"), Lookup::Found(&0));
    assert_eq!(get(&table, "wiki.example", "/w/x"), Lookup::Found(&3));
    assert_eq!(get(&table, "wiki.example", "/x"), Lookup::UnknownPath);
    assert_eq!(get(&table, "wiki.example:81", "/w"), Lookup::UnknownPath);
    assert_eq!(get(&table, "wiki.example:81", "/p"), Lookup::Found(&4));
    assert_eq!(get(&table, "[0::1]:99", "/"), Lookup::Found(&5));
    assert_eq!(get(&build(&rows[3..]).unwrap(), "other.test", "/w"), Lookup::UnknownHost);
}

#[test]
fn an_absent_port_is_the_schemes() {
    let table = build(&[("a.test:443", "/", &[]), ("a.test:80", "/", &[]), ("a.test", "/", &[])]).unwrap();
    let find = |scheme, host| find(&table, scheme, host, &Method::GET, "/");
    assert_eq!(find(Scheme::Https, "a.test"), Lookup::Found(&0));
    assert_eq!(find(Scheme::Https, "a.test:443"), Lookup::Found(&0));
    assert_eq!(find(Scheme::Http, "a.test"), Lookup::Found(&1));
    assert_eq!(find(Scheme::Http, "a.test:443"), Lookup::Found(&0));
    assert_eq!(find(Scheme::Https, "a.test:8443"), Lookup::Found(&2));
}

#[test]
fn a_host_is_known_where_some_route_claims_it_for_any_path() {
    let table = build(&[("wiki.example", "/w", &[Method::POST]), ("*.apps.example:8443", "/", &[])]).unwrap();
    let knows = |host, scheme| table.knows_host(&Authority::parse(host).unwrap(), scheme);
    assert!(knows("wiki.example", Scheme::Http) && knows("WIKI.example:81", Scheme::Https));
    assert!(knows("a.apps.example:8443", Scheme::Https));
    for stranger in
        ["a.apps.example", "a.b.apps.example:8443", "apps.example:8443", "x.wiki.example", "evilwiki.example"]
    {
        assert!(!knows(stranger, Scheme::Https), "{stranger}");
    }
    assert!(
        build(&[("*", "/", &[])]).unwrap().knows_host(&Authority::parse("any.test").unwrap(), Scheme::Http)
    );
}

#[test]
fn the_longest_path_wins_on_segment_borders() {
    let table =
        build(&[("a.test", "/", &[]), ("a.test", "/admin", &[]), ("a.test", "/admin/x/y", &[])]).unwrap();
    for (path, route) in [
        ("/", 0),
        ("/administrator", 0),
        ("/admin", 1),
        ("/admin/", 1),
        ("/admin/x", 1),
        ("/admin/x/yz", 1),
        ("/admin/x/y", 2),
        ("/admin/x/y/", 2),
        ("/%61dmin/x/y/z", 2),
        ("/ADMIN", 0),
        ("/x/admin", 0),
    ] {
        assert_eq!(get(&table, "a.test", path), Lookup::Found(&route), "{path}");
    }
}

#[test]
fn invariant_1_no_trick_with_path_query_or_method_reaches_a_laxer_route() {
    let table = build(&[("a.test", "/", &[]), ("a.test", "/admin", &[Method::POST])]).unwrap();
    for path in
        ["/admin", "/admin/", "/%61dmin", "/admin;x", "//admin", "/admin/;/x", "/admin%3Bx", "/admin%2Fx/.."]
    {
        let Ok(path) = RequestPath::parse(path) else { continue };
        let found = table.find(&Authority::parse("a.test").unwrap(), Scheme::Https, &path, &Method::GET);
        assert_eq!(found, Lookup::MethodNotAllowed, "{path:?}");
    }
    for refused in
        ["/public/../admin", "/public?/admin", "/public#/admin", "/public/..;/admin", "/public\\..\\admin"]
    {
        assert!(RequestPath::parse(refused).is_err(), "{refused}");
    }
}

#[test]
fn methods_are_chosen_within_the_longest_path_only() {
    let table = build(&[
        ("a.test", "/", &[]),
        ("a.test", "/p", &[Method::GET, Method::HEAD]),
        ("a.test", "/p", &[Method::POST]),
        ("a.test", "/q", &[Method::GET]),
        ("a.test", "/q", &[]),
    ])
    .unwrap();
    let find = |method: Method, path| find(&table, Scheme::Https, "a.test", &method, path);
    assert_eq!(find(Method::HEAD, "/p"), Lookup::Found(&1));
    assert_eq!(find(Method::POST, "/p/x"), Lookup::Found(&2));
    assert_eq!(find(Method::DELETE, "/p"), Lookup::MethodNotAllowed);
    assert_eq!(find(Method::GET, "/q"), Lookup::Found(&3));
    assert_eq!(find(Method::DELETE, "/q"), Lookup::Found(&4));
    let allowed = table.allowed_methods(
        &Authority::parse("a.test").unwrap(),
        Scheme::Https,
        &RequestPath::parse("/p").unwrap(),
    );
    assert_eq!(allowed.collect::<Vec<_>>(), [&Method::GET, &Method::HEAD, &Method::POST]);
}

#[test]
fn conflicts_are_all_found() {
    let found = build(&[
        ("a.test", "/x", &[]),
        ("A.test", "/x/", &[]),
        ("a.test", "/x", &[Method::GET]),
        ("a.test", "/x", &[Method::POST, Method::GET]),
        ("a.test:443", "/x", &[]),
        ("*.test", "/x", &[]),
        ("a.test", "/x", &[]),
    ]);
    let conflict = |first, second| Conflict { first, second };
    assert_eq!(found.unwrap_err(), [conflict(0, 1), conflict(2, 3), conflict(0, 6)]);
}

#[test]
fn a_route_may_name_a_method_twice() {
    assert!(build(&[("a.test", "/", &[Method::GET, Method::GET])]).is_ok());
}

/// The rules once more, over a plain list.
fn reference(
    rows: &[Row],
    host: &str,
    scheme: Scheme,
    method: &Method,
    path: &str,
) -> Option<Lookup<'static, usize>> {
    let authority = Authority::parse(host).unwrap();
    let rank = |row: &Row| rank(&row.0.parse().unwrap(), authority.host(), authority.port_or_default(scheme));
    let owner = rows.iter().filter_map(rank).max()?;
    let owned = rows.iter().enumerate().filter(|(_, row)| rank(row) == Some(owner));
    let holding: Vec<_> = owned
        .filter(|(_, row)| format!("{path}/").starts_with(&format!("{}/", row.1.trim_end_matches('/'))))
        .collect();
    let Some(longest) = holding.iter().map(|(_, row)| row.1.len()).max() else {
        return Some(Lookup::UnknownPath);
    };
    let mut routes = holding.iter().filter(|(_, row)| row.1.len() == longest);
    let named = routes.clone().find(|(_, row)| row.2.contains(method));
    let route = named.or_else(|| routes.find(|(_, row)| row.2.is_empty()));
    Some(route.map_or(Lookup::MethodNotAllowed, |(index, _)| Lookup::Found(Box::leak(Box::new(*index)))))
}

fn rank(pattern: &HostPattern, host: &str, port: u16) -> Option<u8> {
    let on = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
    match pattern {
        HostPattern::Any => Some(0),
        HostPattern::Wildcard(suffix, wanted) => {
            let label = host.strip_suffix(&format!(".{suffix}"))?;
            (!label.contains('.') && on(wanted)).then_some(1 + u8::from(wanted.is_some()))
        }
        HostPattern::Exact(exact, wanted) => {
            (exact == host && on(wanted)).then_some(3 + u8::from(wanted.is_some()))
        }
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let host = select(
        &["*", "*.test", "*.test:81", "a.test", "a.test:81", "a.test:443", "*.b.test", "10.0.0.1"][..],
    );
    let path = select(&["/", "/a", "/a/b", "/ab", "/a/b/c", "/b"][..]);
    let methods = proptest::collection::vec(select(&[Method::GET, Method::POST][..]), 0..2);
    proptest::collection::vec((host, path, methods), 0..12)
}

proptest! {
    #[test]
    fn finds_what_a_linear_search_finds(
        rows in rows(),
        host in select(&["a.test", "a.test:81", "a.test:80", "c.test", "c.test:81", "x.b.test", "10.0.0.1", "z"][..]),
        scheme in select(&[Scheme::Http, Scheme::Https][..]),
        method in select(&[Method::GET, Method::POST, Method::PUT][..]),
        path in select(&["/", "/a", "/a/", "/a/b", "/ab/c", "/a/b/c/d", "/abc", "/b/a", "/c"][..]),
    ) {
        let routes = rows.iter().enumerate().map(|(index, row)| (pattern(row.0, row.1, &row.2), index));
        let Ok(table) = RouteTable::build(routes.collect()) else { return Ok(()) };
        let slow = reference(&rows, host, scheme, &method, path).unwrap_or(Lookup::UnknownHost);
        prop_assert_eq!(find(&table, scheme, host, &method, path), slow);
        prop_assert_eq!(table.iter().map(|(_, index)| *index).collect::<Vec<_>>(), (0..rows.len()).collect::<Vec<_>>());
    }

    #[test]
    fn a_host_is_known_where_a_pattern_covers_it(
        rows in rows(),
        host in select(&["a.test", "A.test:81", "a.test:80", "c.test", "x.c.test", "x.b.test", "10.0.0.1", "z"][..]),
        scheme in select(&[Scheme::Http, Scheme::Https][..]),
    ) {
        let authority = Authority::parse(host).unwrap();
        let patterns: Vec<HostPattern> = rows.iter().map(|row| row.0.parse().unwrap()).collect();
        let port = authority.port_or_default(scheme);
        for pattern in &patterns {
            prop_assert_eq!(pattern.covers(&authority, scheme), rank(pattern, authority.host(), port).is_some());
        }
        let routes = rows.iter().enumerate().map(|(index, row)| (pattern(row.0, row.1, &row.2), index));
        let Ok(table) = RouteTable::build(routes.collect()) else { return Ok(()) };
        let covered = patterns.iter().any(|pattern| pattern.covers(&authority, scheme));
        prop_assert_eq!(table.knows_host(&authority, scheme), covered);
        for unwritten in [80, 81, 443] {
            let vouched = patterns.iter().any(|pattern| match pattern {
                HostPattern::Any => false,
                HostPattern::Exact(_, None) | HostPattern::Wildcard(_, None) => {
                    pattern.covers(&authority, scheme) && port == unwritten
                }
                HostPattern::Exact(_, Some(_)) | HostPattern::Wildcard(_, Some(_)) => pattern.covers(&authority, scheme),
            });
            prop_assert_eq!(table.vouches_for(&authority, scheme, unwritten), vouched);
        }
    }

    #[test]
    fn conflicts_are_those_of_a_comparison_of_all_pairs(rows in rows()) {
        let routes = rows.iter().enumerate().map(|(index, row)| (pattern(row.0, row.1, &row.2), index));
        let overlap = |one: &Row, other: &Row| {
            let methods = one.2.is_empty() && other.2.is_empty() || one.2.iter().any(|method| other.2.contains(method));
            one.0 == other.0 && one.1 == other.1 && methods
        };
        let first = |second: usize| (0..second).find(|first| overlap(&rows[*first], &rows[second]));
        let slow: Vec<_> = (0..rows.len()).filter_map(|second| Some(Conflict { first: first(second)?, second })).collect();
        prop_assert_eq!(RouteTable::build(routes.collect()).err().unwrap_or_default(), slow);
    }
}
