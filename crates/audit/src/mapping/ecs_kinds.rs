//! The categories and types of the Elastic Common Schema that an event of ours belongs to. Each type is one that the
//! documentation of the schema expects of one of the categories.

use portcullis_events::Kind;

type Words = &'static [&'static str];

const REQUEST: Words = &["network", "web"];
const SIGN_IN: Words = &["authentication"];
const SIGN_IN_AND_SESSION: Words = &["authentication", "session"];
const SESSION: Words = &["session"];
const API: Words = &["api"];
const CONFIGURATION: Words = &["configuration"];
const PROCESS: Words = &["process"];
const FILE: Words = &["file"];
const NETWORK: Words = &["network"];
const INFO: Words = &["info"];
const START: Words = &["start"];
const END: Words = &["end"];
const CHANGE: Words = &["change"];

/// `event.category` and `event.type` of a kind.
pub(super) const fn of(kind: Kind) -> (Words, Words) {
    match kind {
        Kind::AccessGranted => (REQUEST, &["access", "allowed"]),
        Kind::AccessRefused => (REQUEST, &["access", "denied"]),
        Kind::AccessOpened => (REQUEST, &["access", "allowed", "start"]),
        Kind::AccessOpen => (REQUEST, &["access", "allowed", "info"]),
        Kind::RequestUnreadable => (NETWORK, &["denied", "protocol"]),
        Kind::SignInBegun | Kind::StepUpAsked => (SIGN_IN, INFO),
        Kind::SignInSucceeded => (SIGN_IN_AND_SESSION, START),
        Kind::SignInFailed | Kind::StepUpUnmet | Kind::CredentialRefused => (SIGN_IN, START),
        Kind::CredentialFirstUsed => (SIGN_IN, INFO),
        Kind::TokensRefreshed
        | Kind::TokensNotRefreshed
        | Kind::TokensRevoked
        | Kind::TokensNotRevoked
        | Kind::SessionBound
        | Kind::SessionBindingRefused => (SESSION, INFO),
        Kind::SignedOut => (SIGN_IN_AND_SESSION, END),
        Kind::SessionEnded => (SESSION, END),
        Kind::SignalReceived => (&["iam"], &["info", "user"]),
        Kind::LogoutTokenAccepted => (API, &["allowed", "user"]),
        Kind::SignalRefused | Kind::LogoutTokenRefused | Kind::ManagementRefused => (API, &["denied"]),
        Kind::PersonErased => (&["iam"], &["deletion", "user"]),
        Kind::ManagementCalled | Kind::RecordRead | Kind::AccessReviewed => (API, &["access", "admin"]),
        Kind::ConfigurationLoaded | Kind::ConfigurationRefused => (CONFIGURATION, INFO),
        Kind::ConfigurationChanged | Kind::KeyRotated | Kind::ProviderKeysChanged => (CONFIGURATION, CHANGE),
        Kind::KeyPublished => (CONFIGURATION, &["creation"]),
        Kind::ProviderLost
        | Kind::ProviderBack
        | Kind::StoreLost
        | Kind::StoreBack
        | Kind::StoreMissed
        | Kind::UpstreamLost
        | Kind::UpstreamBack
        | Kind::SharedCountsLost
        | Kind::SharedCountsBack => (NETWORK, &["connection", "info"]),
        Kind::ProcessStarted | Kind::ProcessTookOver => (PROCESS, START),
        Kind::ProcessDraining => (PROCESS, CHANGE),
        Kind::ProcessEnded => (PROCESS, END),
        Kind::RecordLost
        | Kind::RecordLeftOut
        | Kind::RecordDamaged
        | Kind::RecordAltered
        | Kind::RecordGap
        | Kind::RecordCheckpoint => (FILE, INFO),
        Kind::RecordRotated | Kind::RecordBeside => (FILE, &["creation"]),
        Kind::RecordRemoved => (FILE, &["deletion"]),
        Kind::ClockSetBack => (&["host"], CHANGE),
    }
}
