//! The app's pages.

use askama::Template;
use http::StatusCode;
use serde_json::Value;
use url::Url;

use super::assertion::Proof;
use super::notes::Note;
use super::told::Told;
use crate::demo::reply::{self, Reply};

/// Where the app says what else there is.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// The gateway.
    pub(super) gateway: Url,
    /// The provider: signing out leads there.
    pub(super) provider: Url,
    /// How a program calls the API.
    pub(super) curl: String,
}

#[derive(Template)]
#[template(path = "app_page.html")]
struct View<'a> {
    told: &'a Told,
    title: String,
    lead: &'a str,
    place: &'a str,
    claims: Option<(Vec<(&'a str, String)>, &'a str)>,
    around: &'a Surroundings,
    notes: Vec<Note>,
}

/// The page for `told`.
pub(super) fn page(told: &Told, around: &Surroundings, notes: Vec<Note>) -> Reply {
    let place = told.target.split('?').next().unwrap_or_default();
    let view = View {
        title: title(told, place),
        lead: lead(told, place),
        place,
        claims: claims(told),
        told,
        around,
        notes,
    };
    reply::page(StatusCode::OK, &view, &[&around.provider])
}

fn title(told: &Told, place: &str) -> String {
    match (place, told.user()) {
        ("/ops", _) => "The engine room".to_owned(),
        ("/public", _) => "Open to everybody".to_owned(),
        (_, Some(user)) => format!("Hello, {user}"),
        (_, None) => "Hello, stranger".to_owned(),
    }
}

fn lead(told: &Told, place: &str) -> &'static str {
    match (place, told.is_proven()) {
        ("/ops", true) => {
            "Only people of the group ops get here. The gateway checked that before this app heard of the request."
        }
        ("/public", _) => {
            "The gateway lets anybody through to this page, and tells the app nothing about who asks."
        }
        (_, true) => {
            "This app has no sign-in of its own. The gateway told it who you are, and the app checked that it was the gateway."
        }
        (_, false) => "Nobody this app trusts says who you are. Come through the gateway to be known here.",
    }
}

/// The claims as rows, in the order that people ask for them, and the key.
fn claims(told: &Told) -> Option<(Vec<(&str, String)>, &str)> {
    let Proof::Verified { claims, kid } = &told.proof else { return None };
    let rows = claims.iter().map(|(name, value)| (name.as_str(), plain(value)));
    Some((rows.collect(), kid))
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
