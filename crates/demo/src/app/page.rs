//! The app's pages.

use askama::Template;
use http::StatusCode;
use serde_json::{Map, Value};
use url::Url;

use super::assertion::Proof;
use super::notes::Note;
use super::told::{self, Told};
use crate::reply::{self, Reply};

/// What the page links to, beside what it shows of the request.
#[derive(Clone, Debug)]
pub(super) struct Surroundings {
    /// The gateway.
    pub(super) gateway: Url,
    /// The provider: signing out leads there.
    pub(super) provider: Url,
    /// How a program calls the API.
    pub(super) curl: String,
}

const PLACES: [(&str, &str); 3] = [("/", "Home"), ("/ops", "Ops"), ("/public", "Public")];

#[derive(Template)]
#[template(path = "app_page.html")]
struct View<'a> {
    told: &'a Told,
    title: String,
    lead: &'a str,
    /// Where one can go, and whether one is there.
    places: [(&'a str, &'a str, bool); 3],
    around: &'a Surroundings,
    notes: Vec<Note>,
}

/// The page for `told`.
pub(super) fn page(told: &Told, around: &Surroundings, notes: Vec<Note>) -> Reply {
    let place = told.target.split('?').next().unwrap_or_default();
    let places = PLACES.map(|(path, name)| (path, name, path == place));
    let view = View { title: title(told, place), lead: lead(told, place), places, told, around, notes };
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
            "This app has no sign-in of its own. The gateway told it who you are, and it checked that it was the gateway."
        }
        (_, false) => {
            "Nobody whom this app trusts says who you are. Come through the gateway to be known here."
        }
    }
}

/// The letter in somebody's picture.
fn initial(name: &str) -> String {
    name.chars().next().into_iter().flat_map(char::to_uppercase).collect()
}

/// Claims as rows.
fn rows(claims: &Map<String, Value>) -> Vec<(&str, String)> {
    claims.iter().map(|(name, value)| (name.as_str(), plain(value))).collect()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}
