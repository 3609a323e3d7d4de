//! The apps that are open to a person, and how they find theirs.

use std::sync::LazyLock;

use askama::Template;

use super::list::App;
use super::search::Search;
use super::shell::{Frame, Section, Shell, page};
use crate::pages::{Look, Page, Script, clipped, initials, safe_link};
use crate::words::{Arg, Word};

/// The parameter that holds what somebody looks for.
pub const QUERY: &str = "q";

/// The most apps that a page shows (invariant 14); a search finds the others.
const MOST: usize = 500;

/// Above so many apps stands a field to search by.
const FEW: usize = 3;

/// How many colours there are for letters in the place of a picture.
const HUES: u32 = 12;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("scripts/apps.js")));

/// The page of a person's apps.
#[derive(Clone, Debug)]
pub struct AppsPage<'a> {
    /// Who looks.
    pub shell: Shell<'a>,
    /// What is open to them, in the order of the configuration.
    pub apps: Vec<App<'a>>,
    /// What they look for; empty: all.
    pub query: &'a str,
}

/// Apps under one heading; an empty one: those without.
#[derive(Debug)]
struct Group {
    name: String,
    apps: Vec<AppRow>,
}

/// An app as the page shows it.
#[derive(Debug)]
struct AppRow {
    name: String,
    place: String,
    href: String,
    description: Option<String>,
    icon: Option<String>,
    letters: String,
    hue: u32,
}

impl AppsPage<'_> {
    /// 200 with the apps.
    #[must_use]
    pub fn page(&self) -> Page {
        let search = Search::new(self.query);
        let mut found: Vec<_> = self.apps.iter().filter(|app| search.finds(app)).collect();
        let (all, count) = (self.apps.len(), found.len());
        let order = order(&self.apps);
        found.sort_by_cached_key(|app| {
            (place_of(&order, app.group), app.name.to_lowercase(), app.href.clone())
        });
        found.truncate(MOST);
        let view = AppsView {
            look: self.shell.look,
            frame: self.shell.around(Section::Apps),
            groups: grouped(&found),
            more: count - found.len(),
            searchable: all > FEW || !search.is_empty(),
            all,
            count,
            search,
            account: account_link(self.shell),
            script: SCRIPT.text,
        };
        page(self.shell.look, &view, Some(&SCRIPT))
    }
}

/// Where somebody looks whom no app lets in.
fn account_link(shell: Shell<'_>) -> String {
    let link = AccountLink { href: safe_link(shell.account), words: shell.look.say(Word::AppsNoneAccount) };
    link.render().unwrap_or_default()
}

#[derive(Template)]
#[template(source = "<a href=\"{{ href }}\">{{ words }}</a>", ext = "html")]
struct AccountLink<'a> {
    href: &'a str,
    words: String,
}

/// The groups, in the order of the configuration.
fn order<'a>(apps: &[App<'a>]) -> Vec<&'a str> {
    let mut order = Vec::new();
    for group in apps.iter().filter_map(|app| app.group) {
        if !order.contains(&group) {
            order.push(group);
        }
    }
    order
}

/// Apps without a group come last.
fn place_of(order: &[&str], group: Option<&str>) -> usize {
    order.iter().position(|known| Some(*known) == group).unwrap_or(order.len())
}

/// Consecutive apps of one group under its heading.
fn grouped(apps: &[&App<'_>]) -> Vec<Group> {
    let groups = apps.chunk_by(|one, other| one.group == other.group);
    groups
        .map(|apps| {
            let name = apps.first().and_then(|app| app.group).map(|group| clipped(group).into_owned());
            Group { name: name.unwrap_or_default(), apps: apps.iter().map(|app| row(app)).collect() }
        })
        .collect()
}

fn row(app: &App<'_>) -> AppRow {
    AppRow {
        name: clipped(&app.name).into_owned(),
        place: clipped(&app.place).into_owned(),
        href: safe_link(&app.href).to_owned(),
        description: app.description.map(str::to_owned),
        icon: app.icon.map(crate::pages::Picture::href),
        letters: initials(&app.name),
        hue: hue(&app.name),
    }
}

/// The colour of an app without a picture: always the same for one name (FNV-1a).
fn hue(name: &str) -> u32 {
    let hash =
        name.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    (hash ^ (hash >> 16)) % HUES
}

#[derive(Template)]
#[template(path = "portal/apps.html")]
struct AppsView<'a> {
    look: Look<'a>,
    frame: Frame<'a>,
    groups: Vec<Group>,
    /// How many of those that were found are not shown.
    more: usize,
    searchable: bool,
    all: usize,
    count: usize,
    search: Search,
    /// The link to the account, in words.
    account: String,
    script: &'static str,
}

impl AppsView<'_> {
    /// Whether there are headings between the apps.
    fn has_groups(&self) -> bool {
        self.groups.iter().any(|group| !group.name.is_empty())
    }
}
