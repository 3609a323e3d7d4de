//! What can happen. A word stands for one thing with one outcome, for ever; which fields it comes with is held in debug
//! builds, and by tests.

use super::field::{Field, FieldSet};

/// How much attention an event deserves from whoever watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It is as it should be.
    Info,
    /// Somebody should know.
    Warn,
    /// Something of ours does not work.
    Error,
}

/// One kind of the table.
#[derive(Clone, Copy, Debug)]
pub struct KindRow {
    /// The kind.
    pub kind: Kind,
    /// Its word: the field `type`.
    pub word: &'static str,
    /// How much attention it deserves.
    pub level: Level,
    /// What has happened.
    pub doc: &'static str,
    /// What it always tells, beside version, time, id and type.
    pub must: &'static [Field],
    /// What it may tell.
    pub may: &'static [Field],
}

macro_rules! kinds {
    ($(#[doc = $doc:literal] $kind:ident $word:literal $level:ident, $must:expr, $may:expr;)+) => {
        /// What has happened, in the order of the table.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Kind { $(#[doc = $doc] $kind,)+ }

        impl Kind {
            /// Every kind.
            pub const TABLE: [KindRow; [$(Self::$kind),+].len()] = [$(KindRow {
                kind: Self::$kind, word: $word, level: Level::$level, doc: $doc.trim_ascii(), must: $must, may: $may,
            },)+];

            /// What each may have in a line, behind its type.
            const FIELDS: [FieldSet; Self::TABLE.len()] = [$(FieldSet::of($must).and(FieldSet::of($may)).and(NOTES),)+];
        }
    };
}

use Field::*;

/// What every line may have: what became of its values.
const NOTES: FieldSet = FieldSet::of(&[Truncated, Replaced]);
const REQUEST: &[Field] = &[Id, Client, Method, Host, Path, Status, Outcome, Bytes, Us];
const ACCESS: &[Field] = &[
    Trace, Device, Agent, Http, Route, Provider, Subject, User, Auth, Acr, Amr, Session, Credential, Bound,
    Rule, Missing, Reason, UpstreamUs,
];
const CALLER: &[Field] = &[Id, Client];
const REFUSED: &[Field] = &[Id, Client, Reason];
const TOKENS: &[Field] = &[Id, Client, Us];
const LOST: &[Field] = &[Part, Reason];
const BACK: &[Field] = &[Part];

#[rustfmt::skip]
kinds! {
    /// A request was let through and has ended.
    AccessGranted "access.granted" Info, REQUEST, ACCESS;
    /// A request was not let through.
    AccessRefused "access.refused" Info, REQUEST, ACCESS;
    /// A request was let through, and its answer goes on without an end that is known.
    AccessOpened "access.opened" Info, REQUEST, ACCESS;
    /// An answer without an end still goes on.
    AccessOpen "access.open" Info, REQUEST, ACCESS;
    /// What came on a connection could not be read as a request.
    RequestUnreadable "request.unreadable" Warn, &[Client, Reason], &[Status];
    /// A browser was sent to a provider to sign in.
    SignInBegun "sign-in.begun" Info, &[Id, Client, Provider], &[Device, Route];
    /// Somebody signed in.
    SignInSucceeded "sign-in.succeeded" Info, &[Id, Client, Provider, Subject, User, Session], &[Device, Acr, Amr, Us];
    /// A sign-in failed.
    SignInFailed "sign-in.failed" Warn, &[Id, Client, Culprit, Reason], &[Device, Provider, Subject, User, Us];
    /// Somebody was sent to sign in anew, for a route asks for more.
    StepUpAsked "step-up.asked" Info, &[Id, Client, Provider, Subject, User], &[Device, Session, Acr, Route, Missing];
    /// Somebody signed in anew, and it was still not what the route asks for.
    StepUpUnmet "step-up.unmet" Warn, &[Id, Client, Provider], &[Device, Subject, User, Session, Acr, Amr, Route, Missing];
    /// The provider gave new tokens for a session.
    TokensRefreshed "tokens.refreshed" Info, &[Provider, Subject, User, Session], TOKENS;
    /// The provider gave no new tokens for a session.
    TokensNotRefreshed "tokens.not-refreshed" Warn, &[Provider, Subject, User, Session, Culprit, Reason], TOKENS;
    /// The provider was told that the tokens of a session are no longer good.
    TokensRevoked "tokens.revoked" Info, &[Provider, Session], &[Us];
    /// The provider could not be told that the tokens of a session are no longer good.
    TokensNotRevoked "tokens.not-revoked" Warn, &[Provider, Session, Reason], &[Us];
    /// Somebody signed out.
    SignedOut "signed-out" Info, CALLER, &[Device, Provider, Subject, User, Session];
    /// A session has ended, for whatever reason.
    SessionEnded "session.ended" Info, &[Session, Why], &[Id, Client, Provider, Subject, User, By, Cut];
    /// A session was bound to its device.
    SessionBound "session.bound" Info, &[Id, Client, Session], &[Device, Provider, Subject, User, Key];
    /// A device could not show that a session is its own.
    SessionBindingRefused "session.binding-refused" Warn, REFUSED, &[Device, Provider, Subject, User, Session];
    /// A credential was used for the first time since the process started, or after so long that it was forgotten.
    CredentialFirstUsed "credential.first-used" Info, &[Id, Client, Provider, Subject, User, Auth, Credential], &[Device, Session, Acr, Amr, Bound];
    /// A credential was refused.
    CredentialRefused "credential.refused" Warn, &[Id, Client, Auth, Reason], &[Device, Provider, Credential];
    /// A provider signalled something about somebody.
    SignalReceived "signal.received" Info, &[Transmitter, Signal], &[Provider, Subject, Selected, Ended, Reason];
    /// What came as a signal was not believed.
    SignalRefused "signal.refused" Warn, &[Transmitter, Reason], &[Id, Client, Signal];
    /// A provider told that somebody signed out there.
    LogoutTokenAccepted "logout-token.accepted" Info, &[Id, Client, Provider, Channel], &[Device, Subject, Session, Selected, Ended];
    /// What came as word of a sign-out was not believed.
    LogoutTokenRefused "logout-token.refused" Warn, &[Id, Client, Channel, Reason], &[Device, Provider];
    /// The configuration that the process starts with.
    ConfigurationLoaded "configuration.loaded" Info, &[File], &[Count];
    /// A configuration was refused; the one before stays in force.
    ConfigurationRefused "configuration.refused" Error, &[File, Reason], &[Count, By];
    /// Another configuration is in force.
    ConfigurationChanged "configuration.changed" Info, &[File], &[Changes, Count, By];
    /// A key of ours is published, and will sign later.
    KeyPublished "key.published" Info, &[Key], &[SignsFrom, By];
    /// Another key of ours signs.
    KeyRotated "key.rotated" Info, &[Key], &[SignsFrom, By, Note];
    /// A provider cannot be reached, or says what cannot be accepted.
    ProviderLost "provider.lost" Error, LOST, &[];
    /// A provider answers again.
    ProviderBack "provider.back" Info, BACK, &[Us];
    /// A provider has published other keys.
    ProviderKeysChanged "provider.keys-changed" Info, BACK, &[Count];
    /// The store of sessions cannot be used.
    StoreLost "store.lost" Error, LOST, &[];
    /// The store of sessions can be used again.
    StoreBack "store.back" Info, BACK, &[Us];
    /// What others told through the store was missed, and everything is read anew.
    StoreMissed "store.missed" Warn, LOST, &[Us];
    /// An upstream is taken for dead.
    UpstreamLost "upstream.lost" Error, LOST, &[Route];
    /// An upstream answers again.
    UpstreamBack "upstream.back" Info, BACK, &[Route, Us];
    /// Counts are no longer shared with other gateways.
    SharedCountsLost "shared-counts.lost" Error, LOST, &[];
    /// Counts are shared with other gateways again.
    SharedCountsBack "shared-counts.back" Info, BACK, &[Us];
    /// An operator called the management API.
    ManagementCalled "management.called" Info, &[Operator, Operation, Status], &[Id, Client, Reason, Selected, Ended];
    /// Somebody who may not called the management API.
    ManagementRefused "management.refused" Warn, &[Reason], &[Operator, Operation, Client, Status];
    /// Somebody was erased from the store of events: what it has of them can be read by nobody any more.
    PersonErased "person.erased" Warn, &[Person, Operator, Count], &[Id, Client, Ended, Reason];
    /// Somebody has looked at what the record tells of people, or taken it with them.
    RecordRead "record.read" Info, &[Operator, Operation, Status], &[Id, Client, Reason];
    /// Somebody has judged whether a person shall go on to reach an app.
    AccessReviewed "access.reviewed" Info, &[Operator, Provider, Subject, User, Route, Mark], &[Id, Client, Rule, Reason, Us];
    /// The process serves.
    ProcessStarted "process.started" Info, &[Version, Pid], &[Workers, File];
    /// The process takes no new connections, and waits for those that it has.
    ProcessDraining "process.draining" Info, &[Pid], &[Reason];
    /// The process serves in the place of another one.
    ProcessTookOver "process.took-over" Info, &[Version, Pid, Before], &[Workers, File];
    /// The process ends.
    ProcessEnded "process.ended" Info, &[Pid], &[Reason, Us];
    /// Events were lost: by all sinks, or by the one that is named.
    RecordLost "record.lost" Error, &[Lane, From, To, Count, Cause], &[Sink, Process];
    /// A file was full, or old enough: the record goes on in a new one.
    RecordRotated "record.rotated" Info, &[Sink, File, Next, Bytes], &[];
    /// Old files of a sink were removed, as its `rotate` says: so many, of which `file` is the newest.
    RecordRemoved "record.removed" Info, &[Sink, File, Count, Bytes], &[];
    /// The file of a sink is written by another process: the record goes into one beside it.
    RecordBeside "record.beside" Warn, &[Sink, File, Next], &[];
    /// A file of a sink cannot be read; it is left as it is.
    RecordDamaged "record.damaged" Error, &[Sink, File, Reason], &[];
    /// Something of the record is not as it was written: it was verified.
    RecordAltered "record.altered" Error, &[File, Reason, Count], &[];
    /// A sink could not be written to for a while.
    RecordGap "record.gap" Error, &[Sink, Since, Us, Reason], &[];
    /// What the record holds was signed, up to here.
    RecordCheckpoint "record.checkpoint" Info, &[Key, Number, Note], &[];
    /// The clock of the machine was set back.
    ClockSetBack "clock.set-back" Warn, &[Us], &[];
    /// Strangers brought about more than the record takes of them in a second: so many events were left out.
    RecordLeftOut "record.left-out" Warn, &[Lane, Count, Since, Us], &[];
}

impl Kind {
    /// Its row in the table.
    #[must_use]
    pub const fn row(self) -> &'static KindRow {
        const TABLE: &[KindRow; Kind::TABLE.len()] = &Kind::TABLE;
        &TABLE[self as usize]
    }

    /// Its word: the field `type`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.row().word
    }

    /// The kind of this word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::TABLE.iter().find(|row| row.word == word).map(|row| row.kind)
    }

    /// What may stand in its line behind the type.
    #[must_use]
    pub const fn fields(self) -> FieldSet {
        const FIELDS: &[FieldSet; Kind::TABLE.len()] = &Kind::FIELDS;
        FIELDS[self as usize]
    }
}

/// A set of kinds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KindSet(pub(crate) u128);

impl KindSet {
    /// Every kind.
    pub const ALL: Self = Self((1 << Kind::TABLE.len()) - 1);
    /// None.
    pub const NONE: Self = Self(0);

    /// These kinds.
    #[must_use]
    pub fn of(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self(kinds.into_iter().fold(0, |bits, kind| bits | 1 << kind as u8))
    }

    /// The kinds that a pattern names: a word, or `access.*` for all that begin so. None where there is no such kind.
    #[must_use]
    pub fn matching(pattern: &str) -> Option<Self> {
        let named = |row: &&KindRow| match pattern.strip_suffix('*') {
            Some(start) => start.is_empty() || (start.ends_with('.') && row.word.starts_with(start)),
            None => row.word == pattern,
        };
        let found = Self::of(Kind::TABLE.iter().filter(named).map(|row| row.kind));
        (found != Self::NONE).then_some(found)
    }

    /// Whether the kind is one of them.
    #[must_use]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & (1 << kind as u8) != 0
    }

    /// Those of either.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Those that are not in `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_found_by_its_word_and_stands_at_its_place() {
        for (index, row) in Kind::TABLE.iter().enumerate() {
            assert_eq!((row.kind as usize, Kind::named(row.word)), (index, Some(row.kind)));
            assert!(row.word.len() <= usize::from(Type.row().cap));
            let doubled = FieldSet::of(row.must).common(FieldSet::of(row.may));
            assert!(doubled.is_empty(), "{} must and may tell the same", row.word);
        }
        assert!(Kind::TABLE.len() < 128, "a KindSet has 128 bits");
    }

    #[test]
    fn every_field_belongs_to_some_event() {
        let head = FieldSet::of(&[V, Time, Event, Type]);
        let used = Kind::TABLE.iter().fold(head, |used, row| used.and(row.kind.fields()));
        for row in &Field::TABLE {
            assert!(used.has(row.field), "nothing tells `{}`", row.name);
        }
    }

    #[test]
    fn patterns_name_kinds() {
        let access = KindSet::matching("access.*").unwrap();
        assert!(access.has(Kind::AccessGranted) && !access.has(Kind::SignInBegun));
        assert_eq!(KindSet::matching("*"), Some(KindSet::ALL));
        assert_eq!(KindSet::matching("signed-out"), Some(KindSet::of([Kind::SignedOut])));
        for nothing in ["acc*", "access", "access.", "", "access.*.*", "sign-in.succeeded "] {
            assert_eq!(KindSet::matching(nothing), None, "{nothing}");
        }
    }

    /// Keys, quotes, brackets and whatever fits into the values.
    #[test]
    fn no_line_can_be_longer_than_its_bound() {
        let length = |field: Field| field.key().len() + usize::from(field.row().cap) + 2;
        let head: usize = [V, Time, Event, Type].map(length).iter().sum();
        for row in &Kind::TABLE {
            let rest: usize = row.kind.fields().iter().map(length).sum();
            assert!(head + rest + 3 <= crate::LONGEST_LINE, "{}: {}", row.word, head + rest);
        }
    }
}
