//! From routes that let somebody in to apps that they recognise.

use std::collections::{HashMap, HashSet};

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use super::tile::Tile;
use crate::pages::Picture;
use crate::route::{HostPattern, PathPrefix, RoutePattern};

/// Where the addresses of apps begin: what the sign-in host says of those that say no host, no port or no scheme.
#[derive(Clone, Copy, Debug)]
pub struct Hosts<'a> {
    /// `https`, or `http` where nothing is behind TLS.
    pub scheme: &'a str,
    /// The sign-in host, with its port; what apps of any host are called by.
    pub here: Option<&'a str>,
    /// The port of the sign-in host, where that is an unusual one.
    pub port: Option<u16>,
}

/// An app that is open to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App<'a> {
    /// What people call it; its host where nobody has said.
    pub name: String,
    /// Its address.
    pub href: String,
    /// The same without the scheme, for people.
    pub place: String,
    /// What it is for.
    pub description: Option<&'a str>,
    /// The heading that it stands under.
    pub group: Option<&'a str>,
    /// Its picture.
    pub icon: Option<&'a Picture>,
}

/// The apps behind `open` routes: each that the configuration says something of, and of every other host the shortest path,
/// where that is no part of one of those.
#[must_use]
pub fn listed<'a>(
    open: impl Iterator<Item = (&'a RoutePattern, &'a Tile)>,
    hosts: Hosts<'_>,
) -> Vec<App<'a>> {
    let open = open.filter_map(|(pattern, tile)| Some((hosts.host(pattern)?, &pattern.path, tile)));
    let (plain, described): (Vec<_>, Vec<_>) = open.partition(|(.., tile)| tile.is_plain());
    let taken: HashSet<_> =
        described.iter().map(|(host, path, _)| (host.clone(), path.to_string())).collect();
    let mut shortest: HashMap<String, (&PathPrefix, &Tile)> = HashMap::new();
    for (host, path, tile) in plain {
        if above(path).any(|path| taken.contains(&(host.clone(), path))) {
            continue;
        }
        let place = shortest.entry(host).or_insert((path, tile));
        if path.to_string().len() < place.0.to_string().len() {
            *place = (path, tile);
        }
    }
    let shortest = shortest.into_iter().map(|(host, (path, tile))| (host, path, tile));
    described.into_iter().chain(shortest).map(|(host, path, tile)| app(hosts, host, path, tile)).collect()
}

fn app<'a>(hosts: Hosts<'_>, host: String, path: &PathPrefix, tile: &'a Tile) -> App<'a> {
    let path = written(path);
    let href = format!("{}://{host}{path}", hosts.scheme);
    let place = format!("{host}{}", path.trim_end_matches('/'));
    App {
        name: tile.title.clone().unwrap_or(host),
        href,
        place,
        description: tile.description.as_deref(),
        group: tile.group.as_deref(),
        icon: tile.icon.as_deref(),
    }
}

/// The path itself, and those above it.
fn above(path: &PathPrefix) -> impl Iterator<Item = String> {
    let path = path.to_string();
    std::iter::successors(Some(path), |path| {
        let (parent, last) = path.rsplit_once('/')?;
        let parent = if parent.is_empty() { "/" } else { parent };
        (!last.is_empty()).then(|| parent.to_owned())
    })
}

impl Hosts<'_> {
    /// The host that leads to the app; none where it is one of many.
    fn host(self, pattern: &RoutePattern) -> Option<String> {
        match (&pattern.host, self.here) {
            (HostPattern::Exact(host, None), _) => {
                Some(self.port.map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
            }
            (HostPattern::Exact(_, Some(_)), _) => Some(pattern.host.to_string()),
            (HostPattern::Any, Some(here)) => Some(here.to_owned()),
            (HostPattern::Any | HostPattern::Wildcard(..), _) => None,
        }
    }
}

/// What no path of an address holds as it is (URL Standard, path percent-encode set). A `%` of a prefix is one already.
const ENCODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'^');

/// The path as it stands in an address.
#[must_use]
pub fn written(path: &PathPrefix) -> String {
    utf8_percent_encode(&path.to_string(), ENCODED).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Hosts<'_> = Hosts { scheme: "https", here: Some("login.example:8443"), port: Some(8443) };

    fn pattern(host: &str, path: &str) -> RoutePattern {
        RoutePattern { host: host.parse().unwrap(), path: path.parse().unwrap(), methods: Vec::new() }
    }

    fn titled(title: &str) -> Tile {
        Tile { title: Some(title.into()), ..Tile::default() }
    }

    fn found(routes: &[(&str, &str, Tile)]) -> Vec<(String, String)> {
        let patterns: Vec<_> = routes.iter().map(|(host, path, _)| pattern(host, path)).collect();
        let open = patterns.iter().zip(routes.iter().map(|(.., tile)| tile));
        let mut found: Vec<_> = listed(open, HERE).into_iter().map(|app| (app.name, app.href)).collect();
        found.sort();
        found
    }

    fn are(apps: &[(&str, &str)]) -> Vec<(String, String)> {
        apps.iter().map(|(name, href)| ((*name).to_owned(), (*href).to_owned())).collect()
    }

    #[test]
    fn a_host_of_which_nothing_is_said_is_one_app_at_its_shortest_path() {
        let plain = Tile::default();
        let routes = [("wiki.example", "/a/b", plain.clone()), ("wiki.example", "/a", plain.clone())];
        assert_eq!(found(&routes), are(&[("wiki.example:8443", "https://wiki.example:8443/a")]));
        assert_eq!(
            found(&[("*", "/x", plain.clone())]),
            are(&[("login.example:8443", "https://login.example:8443/x")])
        );
        assert_eq!(
            found(&[("a.example:9000", "/", plain.clone())]),
            are(&[("a.example:9000", "https://a.example:9000/")])
        );
        assert_eq!(found(&[("*.example", "/", plain)]), are(&[]), "nobody knows which of them");
    }

    #[test]
    fn what_has_a_title_is_an_app_by_itself_and_has_no_parts() {
        let routes = [
            ("a.example", "/", titled("Wiki")),
            ("a.example", "/admin", Tile::default()),
            ("a.example", "/mail", titled("Mail")),
            ("b.example", "/mail", titled("Other mail")),
            ("b.example", "/mailing", Tile::default()),
            ("b.example", "/mail/old", Tile::default()),
        ];
        let wanted = [
            ("Mail", "https://a.example:8443/mail"),
            ("Other mail", "https://b.example:8443/mail"),
            ("Wiki", "https://a.example:8443/"),
            ("b.example:8443", "https://b.example:8443/mailing"),
        ];
        assert_eq!(found(&routes), are(&wanted));
    }

    #[test]
    fn paths_are_written_as_addresses_hold_them() {
        assert_eq!(written(&"/a b/ü<%2F".parse().unwrap()), "/a%20b/%C3%BC%3C%2F".to_owned());
        assert_eq!(above(&"/a/b".parse().unwrap()).collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(above(&"/".parse().unwrap()).collect::<Vec<_>>(), ["/"]);
    }
}
