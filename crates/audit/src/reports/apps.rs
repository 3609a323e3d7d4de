//! What is used, and by how many.

use std::collections::HashMap;
use std::sync::Arc;

use portcullis_events::KindSet;

use super::frame::{Cell, Frame, Lead, Type};
use super::question::Question;
use super::sums::{Sums, requests};
use super::{Known, Tally};
use crate::segments::Event;

#[derive(Debug, Default)]
pub(super) struct Apps(HashMap<Option<Arc<str>>, Sums>);

impl Tally for Apps {
    fn kinds(&self) -> KindSet {
        requests()
    }

    fn take(&mut self, event: &Event) {
        self.0.entry(event.route.clone()).or_default().add(event);
    }

    fn frame(mut self: Box<Self>, question: &Question, known: &Known<'_>) -> Frame {
        for route in known.routes.iter().flatten() {
            self.0.entry(Some(Arc::from(route.as_str()))).or_default();
        }
        let mut frame = Frame::new(
            question,
            &[
                ("app", Type::Text),
                ("let in", Type::Number),
                ("refused", Type::Number),
                ("failed", Type::Number),
                ("people", Type::Number),
                ("bytes", Type::Number),
                ("mean ms", Type::Number),
                ("last used", Type::Time),
            ],
        );
        let mut apps: Vec<_> = self.0.into_iter().collect();
        apps.sort_by(|(one, a), (other, b)| b.all().cmp(&a.all()).then_with(|| one.cmp(other)));
        for (route, sums) in apps {
            let cells = [
                Cell::text(route.as_deref()),
                Cell::Number(sums.good),
                Cell::Number(sums.refused),
                Cell::Number(sums.failed),
                sums.people(),
                Cell::Number(sums.bytes),
                sums.mean(),
                Cell::time(sums.last),
            ];
            frame.push(cells, route.as_deref().map(Lead::to).unwrap_or_default());
        }
        frame
    }
}
