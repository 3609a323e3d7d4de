//! A month that never was: what the store would hold, had 25 people used the demo's apps.
//!
//! It is the same at every start but for its times: [`plan`] says what happens on a day, the usual (`usual`) and what looks
//! odd (`odd`), and [`Teller`] writes it as the gateway would have.

mod company;
mod odd;
mod plan;
mod tell;
mod usual;

use std::path::Path;

use fastrand::Rng;

use self::company::Company;
use self::plan::{DAY, Plan};
use self::tell::Teller;
use crate::clock::{Moment, Timestamp};
use crate::demo::Demo;
use crate::segments::{Past, StoreError};

/// How many days there are, and what there is of today.
const DAYS: u64 = 30;

/// Whatever it is: that no two starts differ makes it something that can be talked about.
const SEED: u64 = 20_261_130;

/// Writes it into a folder, up to a moment.
pub(super) fn fill(folder: &Path, demo: &Demo, until: Moment) -> Result<(), StoreError> {
    let (company, mut chance) = (Company::of(demo), Rng::with_seed(SEED));
    let today = until.micros() / DAY;
    let past = Past::begin(folder, Timestamp::from_seconds((today - DAYS) * DAY / 1_000_000))?;
    let mut teller = Teller::new(&company, past);
    for ago in (0..=DAYS).rev() {
        let mut plan = Plan::new((today - ago) * DAY);
        usual::plan(&company, ago, &mut chance, &mut plan);
        odd::plan(&company, ago, &mut chance, &mut plan);
        for happening in plan.in_order(until) {
            teller.tell(&happening, &mut chance)?;
        }
    }
    teller.end()
}
