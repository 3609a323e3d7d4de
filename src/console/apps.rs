//! What the gateway serves, and who may use it.

use std::collections::HashMap;

use askama::Template;
use http::StatusCode;
use url::form_urlencoded;

use super::access::WhoMay;
use super::answer::Visit;
use super::overview::Shares;
use super::place::Section;
use super::process::{AppShown, Counted, LimitShown, Process};
use super::shell::Shell;
use super::text;
use crate::pages::Page;

pub(super) fn page(visit: Visit<'_>, process: &dyn Process) -> Page {
    let shell = Shell::of(visit, Some(Section::Apps));
    let counted = process.requests();
    let counted: HashMap<_, _> = counted.iter().map(|counted| (counted.route.as_str(), counted)).collect();
    let apps: Vec<_> =
        process.apps().iter().map(|app| Card::new(app, counted.get(&*app.name).copied())).collect();
    shell.page(StatusCode::OK, &View { shell: &shell, apps })
}

#[derive(Template)]
#[template(path = "console/apps.html")]
struct View<'a> {
    shell: &'a Shell,
    apps: Vec<Card>,
}

struct Card {
    name: String,
    place: String,
    methods: String,
    action: String,
    who: WhoMay,
    session: Option<String>,
    limits: Vec<String>,
    at_bound: u64,
    concurrency: Option<usize>,
    shares: Shares,
    /// The query of the page that says who uses it.
    users: String,
    /// The query of the explorer, where an address can be told.
    explain: Option<String>,
}

impl Card {
    fn new(app: &AppShown, counted: Option<&Counted>) -> Self {
        let query = |address: &String| {
            form_urlencoded::Serializer::new(String::new()).append_pair("url", address).finish()
        };
        Self {
            name: text::short(&app.name),
            place: text::short(&format!("{}{}", app.host, app.path)),
            methods: app.methods.join(", "),
            action: text::long(&app.action),
            who: WhoMay::of(&app.access),
            session: app.session.clone(),
            limits: app.limits.iter().map(limit).collect(),
            at_bound: app.limits.iter().map(|limit| limit.at_bound as u64).sum(),
            concurrency: app.concurrency,
            shares: counted.map(|counted| Shares::of(counted, 0)).unwrap_or_default(),
            users: form_urlencoded::Serializer::new(String::new()).append_pair("route", &app.name).finish(),
            explain: app.address.as_ref().map(query),
        }
    }
}

fn limit(limit: &LimitShown) -> String {
    let whose = match limit.name.split('-').next().unwrap_or_default() {
        "address" => "for each address",
        "principal" => "for each person",
        "route" => "for all together",
        _ => "for each value of a header",
    };
    let span = text::span(std::time::Duration::from_secs(limit.window));
    let refused = if limit.refused == 0 {
        String::new()
    } else {
        format!("; {} refused", text::grouped(limit.refused))
    };
    format!("{} in {span} {whose}{refused}", text::many(u64::from(limit.burst), "request"))
}
