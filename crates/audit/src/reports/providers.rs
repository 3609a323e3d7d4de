//! Providers: how many signed in there, how many could not, and how often it was away.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use portcullis_events::{Field, Kind, KindSet};

use super::frame::{Cell, Frame, Lead, Type};
use super::question::Question;
use super::sums::times;
use super::{Known, Tally};
use crate::segments::{Event, Pseudonym};

#[derive(Debug, Default)]
pub(super) struct Providers(BTreeMap<Option<Arc<str>>, Provider>);

#[derive(Debug, Default)]
struct Provider {
    sign_ins: u64,
    failed: u64,
    not_refreshed: u64,
    lost: u64,
    people: HashSet<Pseudonym>,
    last: Option<u64>,
}

impl Provider {
    fn add(&mut self, event: &Event) {
        let times = times(event);
        match event.kind() {
            Some(Kind::SignInSucceeded) => {
                self.sign_ins += times;
                self.people.extend(event.person);
                self.last = self.last.max(Some(event.until));
            }
            Some(Kind::SignInFailed) => self.failed += times,
            Some(Kind::TokensNotRefreshed) => self.not_refreshed += times,
            Some(Kind::ProviderLost) => self.lost += times,
            _ => {}
        }
    }
}

impl Tally for Providers {
    fn kinds(&self) -> KindSet {
        let kinds = [Kind::SignInSucceeded, Kind::SignInFailed, Kind::TokensNotRefreshed, Kind::ProviderLost];
        KindSet::of(kinds)
    }

    fn take(&mut self, event: &Event) {
        let part = (event.kind() == Some(Kind::ProviderLost)).then(|| event.text(Field::Part).map(Arc::from));
        let name = part.flatten().or_else(|| event.provider.clone());
        self.0.entry(name).or_default().add(event);
    }

    fn frame(mut self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame {
        for provider in known.providers.iter().flatten() {
            self.0.entry(Some(Arc::from(provider.as_str()))).or_default();
        }
        let mut frame = Frame::new(
            question,
            &[
                ("provider", Type::Text),
                ("sign-ins", Type::Number),
                ("failed", Type::Number),
                ("people", Type::Number),
                ("tokens not refreshed", Type::Number),
                ("times away", Type::Number),
                ("last sign-in", Type::Time),
            ],
        );
        for (name, provider) in self.0 {
            let lead = |name: &Arc<str>| Lead::default().and(Field::Provider, name);
            let lead = name.as_ref().map(lead).unwrap_or_default();
            let cells = [
                // A sign-in can fail before it is known where it was.
                name.map_or(Cell::Unknown, |name| Cell::Text(name.to_string())),
                Cell::Number(provider.sign_ins),
                Cell::Number(provider.failed),
                Cell::Number(provider.people.len() as u64),
                Cell::Number(provider.not_refreshed),
                Cell::Number(provider.lost),
                Cell::time(provider.last),
            ];
            frame.push(cells, lead);
        }
        frame
    }
}
