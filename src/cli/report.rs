//! `portcullis report`: what the record says to those who must answer for it.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};

use super::run::fail;
use super::store;
use super::terminal::print;
use crate::clock::{Clock, Moment, Timestamp};
use crate::config::Settings;
use crate::gate::{ImaginedPerson, May, Reach as Rules};
use crate::oidc::ProviderSettings;
use crate::reports::{Access, Format, Geo, Known, Question, Reach, Report, Verdict, answer};
use crate::segments::{Patience, Who};

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
    let rules = settings.as_ref().map(|settings| ReachOf::new(settings, clock.now()));
    let known = Known {
        routes: settings.as_ref().map(routes),
        providers: settings.as_ref().map(providers),
        geo: geo.as_ref(),
        reach: rules.as_ref().map(|rules| rules as &dyn Reach),
    };
    let frame = answer(&question, &reader, &known, &Patience::endless()).map_err(|error| fail(&error))?;
    Ok(Format::named(&arguments.format).unwrap_or(Format::Table).write(&frame))
}

impl ReportArguments {
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

fn routes(settings: &Settings) -> Vec<String> {
    settings.routes.iter().map(|route| route.name.as_str().to_owned()).collect()
}

fn providers(settings: &Settings) -> Vec<String> {
    settings.relying_party.providers.iter().map(|provider| provider.name.as_str().to_owned()).collect()
}

/// Judges by the rules of the configuration whoever the record knows, as far as it knows them.
#[derive(Debug)]
struct ReachOf {
    rules: Rules,
    providers: Vec<ProviderSettings>,
    now: Timestamp,
}

impl ReachOf {
    fn new(settings: &Settings, now: Timestamp) -> Self {
        let providers = settings.relying_party.providers.clone();
        Self { rules: Rules::new(&settings.gate()), providers, now }
    }
}

impl Reach for ReachOf {
    /// Whoever's provider is no longer there can sign in nowhere.
    fn reach(&self, who: &Who) -> Vec<Access> {
        let person = ImaginedPerson {
            user: Some(who.user.clone()),
            acr: (!who.acr.is_empty()).then(|| who.acr.clone()),
            provider: Some(who.provider.clone()),
            // A record holds neither groups nor claims: they are not none.
            logged: true,
            ..ImaginedPerson::default()
        };
        let Ok(Some(principal)) = person.principal(&self.providers, self.now) else { return Vec::new() };
        let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        let found = self.rules.of(&Arc::new(principal), nowhere, self.now);
        found
            .into_iter()
            .map(|reachable| Access {
                route: reachable.route.as_str().to_owned(),
                verdict: match reachable.may {
                    May::Yes => Verdict::Yes,
                    May::AfterStepUp => Verdict::AfterStepUp,
                    May::Unknown => Verdict::Unknown,
                },
                by: reachable.by,
            })
            .collect()
    }
}
