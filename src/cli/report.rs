//! `portcullis report`: what the record says to those who must answer for it.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::management::tell_of_reading;
use super::run::fail;
use super::store;
use super::terminal::print;
use crate::clock::{Clock, Moment};
use crate::reports::{Format, Geo, Known, Question, Report, answer};
use crate::runtime::InForce;
use crate::segments::Patience;

#[derive(Debug, Args)]
pub(super) struct ReportArguments {
    /// Which report
    #[arg(value_parser = reports())]
    report: String,
    /// From then on: how long ago (30d), a day of the zone (2026-11-30), or a time
    #[arg(long, value_name = "TIME", default_value = "30d")]
    since: String,
    /// Before then; where not given, up to now
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The time zone whose days are counted, such as Europe/Berlin
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    zone: String,
    /// About this user alone, by name or subject; may be given several times
    #[arg(long, value_name = "NAME")]
    user: Vec<String>,
    /// On this route alone: its name, or host and path; may be given several times
    #[arg(long, value_name = "ROUTE")]
    route: Vec<String>,
    /// At this provider alone; may be given several times
    #[arg(long, value_name = "NAME")]
    provider: Vec<String>,
    /// A number in place of each person's name, the same in all reports of this store
    #[arg(long)]
    without_names: bool,
    /// How it is written
    #[arg(long, value_parser = ["table", "csv", "json", "html"], default_value = "table")]
    format: String,
    /// A database of places (MaxMind's format), for what looks odd by where it comes from
    #[arg(long, value_name = "FILE")]
    geo: Option<PathBuf>,
    /// The configuration file, which names the store, its routes and its rules
    #[arg(long, value_name = "FILE", default_value = "portcullis.toml")]
    config: PathBuf,
    /// The folder of the store, in place of the configuration's; which routes and rules there are is not known then
    #[arg(long, value_name = "DIR", conflicts_with = "config")]
    store: Option<PathBuf>,
}

fn reports() -> PossibleValuesParser {
    PossibleValuesParser::new(Report::TABLE.map(|(_, word, doc)| PossibleValue::new(word).help(doc)))
}

/// Runs the command.
pub(super) fn report(arguments: &ReportArguments) -> ExitCode {
    told(arguments).map_or_else(
        |code| code,
        |text| {
            print(&text);
            ExitCode::SUCCESS
        },
    )
}

fn told(arguments: &ReportArguments) -> Result<String, ExitCode> {
    let clock = Clock::system();
    let question = arguments.question(clock.moment())?;
    let (settings, folder) = match &arguments.store {
        Some(folder) => (None, folder.clone()),
        None => {
            let settings = store::loaded(&arguments.config)?;
            let folder = store::folder(&settings)?;
            (Some(settings), folder)
        }
    };
    let reader = store::reader(&folder)?;
    let geo = arguments.geo.as_deref().map(Geo::open).transpose().map_err(|error| fail(&error))?;
    let in_force = settings.as_ref().map(|settings| InForce::new(&settings.gate(), clock.now()));
    let known = match &in_force {
        Some(in_force) => in_force.known(geo.as_ref()),
        None => Known { geo: geo.as_ref(), ..Known::default() },
    };
    let frame = answer(&question, &reader, &known, &Patience::endless()).map_err(|error| fail(&error))?;
    if let Some(settings) = &settings {
        tell_of_reading(settings, &format!("report {}", arguments.report), &arguments.asked_by());
    }
    Ok(Format::named(&arguments.format).unwrap_or(Format::Table).write(&frame))
}

impl ReportArguments {
    /// The names by which events were chosen.
    fn asked_by(&self) -> Vec<&'static str> {
        let given = [("user", &self.user), ("route", &self.route), ("provider", &self.provider)];
        given.into_iter().filter(|(_, values)| !values.is_empty()).map(|(name, _)| name).collect()
    }

    fn question(&self, now: Moment) -> Result<Question, ExitCode> {
        let report = Report::named(&self.report).unwrap_or(Report::Access);
        let mut question = Question::new(report, &self.since, self.until.as_deref(), &self.zone, now)
            .map_err(|error| fail(&error))?;
        question.names = !self.without_names;
        let given = [("user", &self.user), ("route", &self.route), ("provider", &self.provider)];
        for (name, value) in
            given.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
        {
            question.filter.set(name, value, now).map_err(|error| fail(&error))?;
        }
        Ok(question)
    }
}
