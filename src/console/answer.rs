//! Which page is asked for, and whether whoever asks may see it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use http::{Method, Request, Response};

use super::assets::Asset;
use super::message::Message;
use super::place::{Place, Section};
use super::process::Process;
use super::role::Role;
use super::seats::Seats;
use super::{
    acts, apps, configuration, end, events, explorer, live, overview, people, reports, review, sessions,
    sign_in, story,
};
use crate::endpoints::{Answer, Content, EndpointError, RequestContext, same_origin};
use crate::identity::Principal;
use crate::listener::RequestBody;
use crate::pages::Page;
use crate::route::PathPrefix;

/// The console of a process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Console {
    process: Arc<OnceLock<Arc<dyn Process>>>,
    /// Who watches what happens.
    seats: Seats,
}

/// A request that the gate has let in.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// Where the console stands on its host.
    pub mount: &'a PathPrefix,
    /// Who asks.
    pub person: &'a Arc<Principal>,
    /// What they may do.
    pub role: Role,
    /// The first bytes of their session's digest; 0: they have none.
    pub session: u64,
    /// The request as the gate has read it.
    pub context: RequestContext<'a>,
}

impl Console {
    /// Has it show `process` from now on; a second one changes nothing.
    pub fn show(&self, process: Arc<dyn Process>) {
        drop(self.process.set(process));
    }

    /// Answers a request to the console's route.
    pub async fn answer(&self, visit: Visit<'_>, request: Request<RequestBody>) -> Answer {
        let Some(process) = self.process.get() else {
            return EndpointError::Internal("the console has been asked before the process is ready").into();
        };
        let path = below(visit.mount, visit.context.path.decoded());
        if let Some(asset) = path.and_then(Asset::at).filter(|_| request.method() != Method::POST) {
            return asset.response().into();
        }
        let place = path.and_then(Place::at);
        if let Some(place) = place.filter(|place| visit.role >= place.least())
            && request.method() != Method::POST
            && let Some(answer) = self.unpaged(visit, process, place, &request).await
        {
            return answer;
        }
        page_for(visit, process, place, request).await.map(into_response).into()
    }
}

impl Console {
    /// What is no page that is made whole before it is sent: streams and files.
    async fn unpaged(
        &self,
        visit: Visit<'_>,
        process: &Arc<dyn Process>,
        place: Place,
        request: &Request<RequestBody>,
    ) -> Option<Answer> {
        let (headers, query) = (request.headers(), request.uri().query().unwrap_or_default());
        let instead = |no: &Message| into_response(no.page(visit, Some(place.section()))).map(Content::from);
        let answer = match place {
            Place::Front(Section::Live) if live::is_asked_for(headers) && request.method() == Method::GET => {
                live::stream(visit, &**process, &self.seats, headers, query)
            }
            Place::Export(format) => {
                events::export(visit, process, format, query).await.map(|file| file.map(Content::from))
            }
            Place::Report(report) => reports::answer(visit, process, &self.seats, (report, query)).await,
            Place::ReportFile(report, format) => {
                let file = reports::file(visit, process, &self.seats, (report, format), query).await;
                file.map(|file| file.map(Content::from))
            }
            Place::Front(_)
            | Place::Story
            | Place::Person
            | Place::Users
            | Place::Review
            | Place::SignIn(_)
            | Place::End
            | Place::Act(_) => return None,
        };
        Some(answer.unwrap_or_else(|no| instead(&no)).into())
    }
}

async fn page_for(
    visit: Visit<'_>,
    shared: &Arc<dyn Process>,
    place: Option<Place>,
    request: Request<RequestBody>,
) -> Result<Page, EndpointError> {
    let process = &**shared;
    // The gate lets clients pass that are no browsers; what is done here is done by people.
    if request.method() == Method::POST {
        same_origin(visit.context, request.headers())?;
    }
    let Some(place) = place else { return Ok(Message::NotFound.page(visit, None)) };
    let least = place.least();
    if mutant!(visit.role < least, "console-role-not-asked" => false) {
        return Ok(Message::Forbidden(least).page(visit, Some(place.section())));
    }
    if request.method() == Method::POST && !place.is_act() {
        return Ok(Message::OnlyRead.page(visit, Some(place.section())));
    }
    let query = request.uri().query().unwrap_or_default();
    match place {
        Place::Front(Section::Overview) => Ok(overview::page(visit, process)),
        Place::Front(Section::Live) => Ok(live::page(visit, process, query)),
        Place::Front(Section::Events) => Ok(events::page(visit, shared, query).await),
        Place::Front(Section::People) => Ok(people::page(visit, shared, query).await),
        // Answered before: what is asked for by another method is nothing.
        Place::Export(_) | Place::Report(_) | Place::ReportFile(..) => {
            Ok(Message::NotFound.page(visit, Some(place.section())))
        }
        Place::Front(Section::Reports) => Ok(reports::page(visit)),
        Place::Review if request.method() == Method::POST => Ok(review::act(visit, shared, request).await),
        Place::Review => Ok(review::ask(visit, shared, query).await),
        Place::Story => Ok(story::page(visit, shared, query).await),
        Place::Person => people::person(visit, shared, query).await,
        Place::Users => Ok(people::users(visit, shared, query).await),
        Place::Front(Section::Sessions) => sessions::page(visit, process, query).await,
        Place::Front(Section::Apps) => Ok(apps::page(visit, process)),
        Place::Front(Section::Explain) => explorer::page(visit, process, query).await,
        Place::Front(Section::Configuration) => Ok(configuration::page(visit, process)),
        Place::SignIn(id) => sign_in::page(visit, process, id).await,
        Place::End if request.method() == Method::POST => end::act(visit, process, request).await,
        Place::End => end::ask(visit, process, query).await,
        Place::Act(act) if request.method() == Method::POST => acts::act(visit, process, act, request).await,
        Place::Act(act) => Ok(acts::ask(visit, shared, act).await),
    }
}

/// What of `path` is below `mount`, without slashes at its ends.
fn below<'p>(mount: &PathPrefix, path: &'p str) -> Option<&'p str> {
    let mount = mount.to_string();
    Some(path.strip_prefix(mount.trim_end_matches('/'))?.trim_matches('/'))
}

fn into_response(page: Page) -> Response<Bytes> {
    page.into_response().map(Bytes::from)
}
