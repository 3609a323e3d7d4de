//! The portal in a real browser: how it looks with many apps, one and none, by keyboard, without scripts, and to those who
//! do not see it.

use std::fmt::Write as _;

use serde_json::json;

use crate::browser::walk;
use crate::support::{App, Gateway, Impostor, free_port};

/// What it is called, under which heading, what it is for, and whether it has a picture.
const APPS: [(&str, &str, &str, Option<usize>); 18] = [
    ("Wiki", "Work together", "What everybody should know, and where to write it down", Some(0)),
    ("Mail", "Work together", "Inbox, calendar and contacts", Some(1)),
    ("Chat", "Work together", "Channels, calls and short questions", Some(2)),
    ("Files", "Work together", "Shared folders of all teams", None),
    ("Whiteboard", "Work together", "", None),
    ("Meeting rooms", "Work together", "Find a free room and book it", None),
    ("Git", "Engineering", "Repositories, merge requests and pipelines", Some(3)),
    ("Grafana", "Engineering", "Dashboards of everything that runs", Some(4)),
    ("Container registry", "Engineering", "", None),
    ("Error reports", "Engineering", "What went wrong in front of users, newest first", None),
    ("Feature flags", "Engineering", "Who sees what already", None),
    ("Build cache", "Engineering", "", None),
    ("Holidays", "People and money", "Ask for days off, see who is away", Some(5)),
    ("Expenses", "People and money", "Hand in receipts and follow what comes of them", None),
    ("Payroll", "People and money", "", None),
    ("Purchasing", "People and money", "Orders from a hundred euros on need two people", None),
    ("Canteen", "", "What there is today", None),
    ("Rechtsschutzversicherungsgesellschaften and other very long names without an end", "", "", None),
];

/// A square of its own colour with a shape in it.
fn icon(number: usize) -> String {
    let colours = ["#1f6feb", "#d9480f", "#7048e8", "#2b8a3e", "#e8590c", "#c2255c"];
    let shapes = [
        "M14 16h20M14 24h20M14 32h12",
        "M12 16h24v17H12zM12 17l12 9 12-9",
        "M13 15h22v14H24l-6 5v-5h-5z",
        "M17 15v18M31 15v6a6 6 0 0 1-6 6h-8",
        "M12 33l8-9 6 5 10-13",
        "M24 13v4M24 31v4M13 24h4M31 24h4M24 19a5 5 0 1 0 .1 0",
    ];
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 48 48\"><rect width=\"48\" height=\"48\" rx=\"12\" \
         fill=\"{}\"/><path d=\"{}\" fill=\"none\" stroke=\"#fff\" stroke-width=\"3\" stroke-linecap=\"round\" \
         stroke-linejoin=\"round\"/></svg>",
        colours[number % 6],
        shapes[number % 6]
    )
}

/// So many apps, of which the first ones are those above.
fn routes(count: usize, upstream: &str) -> String {
    let mut routes = String::new();
    for number in 0..count {
        let extra = format!("Project {}", number + 1);
        let (title, group, description, icon) = APPS.get(number).copied().unwrap_or((
            &extra,
            "Projects",
            if number % 3 == 0 { "Plans, people and dates" } else { "" },
            None,
        ));
        write!(routes, "[[routes]]\nhost = \"localhost\"\npath = \"/app-{number}\"\nupstream = \"{upstream}\"\npolicy = \"staff\"\ntitle = \"{title}\"\n").unwrap();
        for (key, value) in [("group", group), ("description", description)] {
            if !value.is_empty() {
                writeln!(routes, "{key} = \"{value}\"").unwrap();
            }
        }
        if let Some(icon) = icon {
            writeln!(routes, "icon = \"icon-{icon}.svg\"").unwrap();
        }
    }
    routes
}

/// A company that calls it by its own name, in its own colours.
const BRAND: &str = r##"
[branding]
name = "Kobold & Söhne"
logo = "icon-3.svg"
accent = "#7a3b00"
links = [{ title = "Hilfe", url = "https://help.corp.example" }, { title = "Impressum", url = "https://corp.example/imprint" }]
languages = ["de", "en"]

[branding.texts]
portal = "Am Freitag ab 18 Uhr wird gewartet: eine Stunde lang antwortet dann nichts."
sign_in = "Bitte mit dem Firmenkonto anmelden."
refused = "Zugang vergibt die Leitstelle, Durchwahl 4711."
"##;

fn gateway(count: usize, port: u16, app: &App, issuer: &Impostor, tables: &str) -> Gateway {
    let icons: Vec<_> = (0..6).map(|number| (format!("icon-{number}.svg"), icon(number))).collect();
    let files: Vec<_> = icons.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let policy = "[policies.staff]\nallow = [{ groups = [\"staff\"] }]\n\n";
    let rest = format!("{}\n{tables}\n{policy}{}", issuer.configuration(), routes(count, &app.url()));
    Gateway::beside(port, &format!("http://localhost:{port}"), &rest, &files)
}

async fn walked(name: &'static str, count: usize, groups: &[&str]) {
    walked_with(name, count, groups, "").await;
}

async fn walked_with(name: &'static str, count: usize, groups: &[&str], tables: &str) {
    let (port, app, issuer) = (free_port(), App::start().await, Impostor::start().await);
    issuer.now(|ways| {
        ways.id_token = json!({
            "sub": "248289761001", "preferred_username": "alice", "name": "Alice Liddell", "email": "alice@corp.example",
            "email_verified": true, "groups": groups, "acr": "urn:example:mfa", "amr": ["pwd", "otp"],
        });
    });
    let gateway = gateway(count, port, &app, &issuer, tables);
    let environment = [("GATEWAY", format!("http://localhost:{port}")), ("APPS", count.to_string())];
    tokio::task::spawn_blocking(move || walk(name, environment)).await.unwrap();
    drop(gateway);
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_finds_their_way_through_the_portal() {
    walked("portal", 18, &["staff", "writers", "platform-engineering"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_apps_are_found_at_a_glance_or_by_a_word() {
    walked("portal-many", 60, &["staff"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_app_stands_alone_and_without_any_people_are_told_where_to_look() {
    walked("portal-few", 1, &["staff"]).await;
    walked("portal-few", 0, &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_german_company_has_a_portal_of_its_own() {
    walked_with("portal-german", 18, &["staff"], BRAND).await;
}
