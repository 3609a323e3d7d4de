//! A sign-in that is not strong enough: what a program is told of it, and what a person who has just made one.

use http::Response;
use serde_json::{Map, Value};

use super::context::RefusalContext;
use super::show::show;
use crate::endpoints::UnmetStepUp;
use crate::gate::body::Body;
use crate::gate::snapshot::Snapshot;
use crate::identity::Strength;
use crate::pages;

/// What is asked for, as members of a problem: those of the challenge (RFC 9470, section 3), as JSON has them, and the
/// methods, for which the challenge has no parameter.
pub(super) fn members(strength: &Strength) -> Map<String, Value> {
    let list = |list: &[String]| (!list.is_empty()).then(|| Value::from(list));
    let members = [
        ("acr_values", list(&strength.acr)),
        ("amr_values", list(&strength.amr)),
        ("max_age", strength.max_age_to_ask().map(|age| age.as_secs().into())),
    ];
    members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// The page at which a step-up ends that the provider did not meet.
pub(super) fn unmet(snapshot: &Snapshot, asked: &RefusalContext<'_>, unmet: &UnmetStepUp) -> Response<Body> {
    let page = pages::UnmetStepUp {
        provider: snapshot.endpoints.display_name(&unmet.provider),
        shortfall: &unmet.shortfall,
        request_id: asked.id,
        retry: &unmet.retry,
        anew: &unmet.anew,
        home: &snapshot.endpoints.hosts.address(crate::endpoints::HOME),
    };
    show(page.page(asked.look(&snapshot.looks)))
}
