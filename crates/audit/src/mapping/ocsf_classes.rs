//! Which class of OCSF an event of ours is, and what that class has room for. Numbers and captions are those of OCSF 1.8.0.

use portcullis_events::{Field, Kind};

/// A class of events.
#[derive(Debug)]
pub(super) struct Class {
    pub(super) uid: u32,
    pub(super) caption: &'static str,
    pub(super) category: (u32, &'static str),
    /// Profiles whose attributes are used.
    pub(super) profiles: &'static [&'static str],
    /// Attributes at the top of it in which fields of ours find the place that [`Field::TABLE`] names.
    pub(super) has: &'static [&'static str],
    /// Where this class has a field elsewhere than the table says.
    pub(super) places: &'static [(Field, &'static str)],
    /// Where the person stands; none where it is about nobody.
    pub(super) person: Option<&'static str>,
}

/// What every class has.
pub(super) const EVERYWHERE: &[&str] = &["metadata", "start_time", "status_detail"];

const IDENTITY: (u32, &str) = (3, "Identity & Access Management");
const APPLICATION: (u32, &str) = (6, "Application Activity");

pub(super) const BASE: Class = Class {
    uid: 0,
    caption: "Base Event",
    category: (0, "Uncategorized"),
    profiles: &[],
    has: &[],
    places: &[],
    person: None,
};

const LOG: Class = Class {
    uid: 1008,
    caption: "Event Log Activity",
    category: (1, "System Activity"),
    places: &[(Field::Sink, "log_name")],
    ..BASE
};

const FINDING: Class = Class {
    uid: 2004,
    caption: "Detection Finding",
    category: (2, "Findings"),
    places: &[
        (Field::Signal, "finding_info.title"),
        (Field::Transmitter, "finding_info.data_sources.0"),
        (Field::Provider, "evidences.0.user.domain"),
        (Field::Subject, "evidences.0.user.uid"),
    ],
    person: Some("evidences.0.user"),
    ..BASE
};

const AUTHENTICATION: Class = Class {
    uid: 3002,
    caption: "Authentication",
    category: IDENTITY,
    has: &["user", "session", "src_endpoint", "http_request"],
    person: Some("user"),
    ..BASE
};

const ENTITY: Class = Class {
    uid: 3004,
    caption: "Entity Management",
    category: IDENTITY,
    places: &[
        (Field::File, "entity.name"),
        (Field::Part, "entity.name"),
        (Field::Key, "entity.uid"),
        (Field::Changes, "entity.data"),
        (Field::By, "actor.user.name"),
    ],
    ..BASE
};

const NETWORK: Class = Class {
    uid: 4001,
    caption: "Network Activity",
    category: (4, "Network Activity"),
    has: &["src_endpoint"],
    ..BASE
};

const HTTP: Class = Class {
    uid: 4002,
    caption: "HTTP Activity",
    category: (4, "Network Activity"),
    profiles: &["host", "security_control", "trace"],
    has: &["src_endpoint", "http_request", "http_response", "app_name", "trace"],
    places: &[
        (Field::Provider, "actor.user.domain"),
        (Field::Subject, "actor.user.uid"),
        (Field::User, "actor.user.name"),
        (Field::Session, "actor.session.uid"),
        (Field::Credential, "actor.session.credential_uid"),
        (Field::Rule, "authorizations.0.policy.name"),
    ],
    person: Some("actor.user"),
};

const LIFECYCLE: Class = Class {
    uid: 6002,
    caption: "Application Lifecycle",
    category: APPLICATION,
    profiles: &["host"],
    has: &["actor", "app"],
    places: &[(Field::Part, "app.name")],
    ..BASE
};

const API: Class = Class {
    uid: 6003,
    caption: "API Activity",
    category: APPLICATION,
    has: &["actor", "api", "src_endpoint", "http_request", "http_response"],
    places: &[(Field::Provider, "actor.app_name"), (Field::Transmitter, "actor.app_name")],
    ..BASE
};

const ERROR: Class = Class { uid: 6008, caption: "Application Error", category: APPLICATION, ..BASE };

/// What the class has done: number and caption.
pub(super) type Activity = (u32, &'static str);

/// What none of the numbers of a class says; our own word stands beside it.
pub(super) const OTHER: Activity = (99, "Other");

const LOGON: Activity = (1, "Logon");
const LOGOFF: Activity = (2, "Logoff");
const RENEWED: Activity = (5, "Service Ticket Renew");
const PREAUTH: Activity = (6, "Preauth");
const CREATED: Activity = (1, "Create");
const UPDATED: Activity = (3, "Update");
const ACTIVATED: Activity = (10, "Activate");

/// The class of a kind, and its activity in that class; for a request that is its method's.
pub(super) const fn of(kind: Kind) -> (&'static Class, Activity) {
    match kind {
        Kind::AccessGranted | Kind::AccessRefused | Kind::AccessOpened | Kind::AccessOpen => (&HTTP, OTHER),
        Kind::RequestUnreadable => (&NETWORK, (5, "Refuse")),
        Kind::SignInSucceeded | Kind::SignInFailed | Kind::StepUpUnmet | Kind::CredentialRefused => {
            (&AUTHENTICATION, LOGON)
        }
        Kind::SignInBegun | Kind::StepUpAsked => (&AUTHENTICATION, PREAUTH),
        Kind::SignedOut | Kind::SessionEnded => (&AUTHENTICATION, LOGOFF),
        Kind::TokensRefreshed | Kind::TokensNotRefreshed => (&AUTHENTICATION, RENEWED),
        Kind::TokensRevoked
        | Kind::TokensNotRevoked
        | Kind::SessionBound
        | Kind::SessionBindingRefused
        | Kind::CredentialFirstUsed => (&AUTHENTICATION, OTHER),
        Kind::SignalReceived => (&FINDING, CREATED),
        Kind::SignalRefused
        | Kind::LogoutTokenAccepted
        | Kind::LogoutTokenRefused
        | Kind::ManagementCalled
        | Kind::RecordRead
        | Kind::AccessReviewed
        | Kind::ManagementRefused
        | Kind::PersonErased => (&API, OTHER),
        Kind::ConfigurationLoaded | Kind::KeyRotated => (&ENTITY, ACTIVATED),
        Kind::ConfigurationRefused | Kind::ConfigurationChanged | Kind::ProviderKeysChanged => {
            (&ENTITY, UPDATED)
        }
        Kind::KeyPublished => (&ENTITY, CREATED),
        Kind::ProviderLost
        | Kind::ProviderBack
        | Kind::StoreLost
        | Kind::StoreBack
        | Kind::StoreMissed
        | Kind::UpstreamLost
        | Kind::UpstreamBack
        | Kind::SharedCountsLost
        | Kind::SharedCountsBack => (&LIFECYCLE, OTHER),
        Kind::ProcessStarted => (&LIFECYCLE, (3, "Start")),
        Kind::ProcessTookOver => (&LIFECYCLE, (5, "Restart")),
        Kind::ProcessDraining => (&LIFECYCLE, (7, "Disable")),
        Kind::ProcessEnded => (&LIFECYCLE, (4, "Stop")),
        Kind::RecordRotated => (&LOG, (5, "Rotate")),
        Kind::RecordRemoved => (&LOG, (2, "Delete")),
        Kind::RecordLost
        | Kind::RecordLeftOut
        | Kind::RecordBeside
        | Kind::RecordDamaged
        | Kind::RecordAltered
        | Kind::RecordGap
        | Kind::RecordCheckpoint => (&LOG, OTHER),
        Kind::ClockSetBack => (&ERROR, (1, "General Error")),
    }
}

/// The activity of a request, by its method.
pub(super) fn of_method(method: &str) -> Activity {
    match method {
        "CONNECT" => (1, "Connect"),
        "DELETE" => (2, "Delete"),
        "GET" => (3, "Get"),
        "HEAD" => (4, "Head"),
        "OPTIONS" => (5, "Options"),
        "POST" => (6, "Post"),
        "PUT" => (7, "Put"),
        "TRACE" => (8, "Trace"),
        "PATCH" => (9, "Patch"),
        _ => OTHER,
    }
}

impl Class {
    /// Where it has a field of ours.
    pub(super) fn place(&self, field: Field) -> Option<&'static str> {
        if let Some((_, path)) = self.places.iter().find(|(placed, _)| *placed == field) {
            return Some(path);
        }
        let path = field.row().ocsf?;
        let root = path.split('.').next()?;
        (self.has.contains(&root) || EVERYWHERE.contains(&root)).then_some(path)
    }

    /// Whether it has room for an attribute.
    pub(super) fn has(&self, root: &str) -> bool {
        self.has.contains(&root)
    }

    pub(super) const fn is_http(&self) -> bool {
        self.uid == HTTP.uid
    }

    pub(super) const fn is_authentication(&self) -> bool {
        self.uid == AUTHENTICATION.uid
    }

    pub(super) const fn is_finding(&self) -> bool {
        self.uid == FINDING.uid
    }

    pub(super) const fn is_entity(&self) -> bool {
        self.uid == ENTITY.uid
    }

    pub(super) const fn is_lifecycle(&self) -> bool {
        self.uid == LIFECYCLE.uid
    }

    pub(super) const fn is_api(&self) -> bool {
        self.uid == API.uid
    }

    pub(super) const fn is_log(&self) -> bool {
        self.uid == LOG.uid
    }
}
