//! What in a request two programs could read differently, in words for its sender and for the log.

use serde_json::{Map, Value};

use crate::forward::{ForwardError, ForwardFault};
use crate::request::{
    AuthorityError, FieldNameError, ForwardingError, PathError, PathExceptions, RequestPath,
};

/// Why a request is refused with 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ambiguous {
    /// What two readers could disagree about, for programs: the member `ambiguity` of the problem document.
    kind: &'static str,
    /// The exact reason, which its sender may be told: it repeats nothing but what they sent.
    pub(super) what: String,
}

impl Ambiguous {
    /// The refusal where an error of forwarding is about the trailers of the client. They are read after the head
    /// has been judged, when the request has gone on already.
    pub(super) fn of_trailers(error: &ForwardError) -> Option<Box<Self>> {
        let what = (error.fault() == ForwardFault::ClientTrailers).then(|| error.to_string())?;
        Some(Box::new(Self { kind: FIELD_NAME, what }))
    }

    /// A tolerated path that is another route's to servers that read it otherwise.
    pub(super) fn other_route(reading: &RequestPath) -> Self {
        let what = format!(
            "ambiguous path: a server could read it as {:?}, which is another route's; send that itself",
            reading.decoded()
        );
        Self { kind: SPELLING, what }
    }

    /// A tolerated path that its rules would refuse as servers could read it.
    pub(super) fn other_rule(reading: &RequestPath) -> Self {
        let what = format!(
            "ambiguous path: a server could read it as {:?}, for which the rules decide otherwise; send that itself",
            reading.decoded()
        );
        Self { kind: SPELLING, what }
    }

    /// A tolerated path that is encoded more often than anybody decodes.
    pub(super) fn too_deep() -> Self {
        Self { kind: SPELLING, what: "ambiguous path: it is encoded more than three times over".to_owned() }
    }

    /// Members of a problem document (RFC 9457, section 3.2).
    pub(super) fn members(&self) -> Map<String, Value> {
        Map::from_iter([("ambiguity".to_owned(), self.kind.into())])
    }

    /// Whether it is about framing. Then the bytes after the head could be read differently as well, and the
    /// connection is closed.
    pub(super) fn is_about_framing(&self) -> bool {
        self.kind == FIELD_NAME
    }
}

const FIELD_NAME: &str = "field-name";
const SPELLING: &str = "spelling";

impl From<FieldNameError> for Ambiguous {
    fn from(error: FieldNameError) -> Self {
        Self { kind: FIELD_NAME, what: error.to_string() }
    }
}

impl From<AuthorityError> for Ambiguous {
    fn from(error: AuthorityError) -> Self {
        Self { kind: "host", what: error.to_string() }
    }
}

impl From<ForwardingError> for Ambiguous {
    fn from(error: ForwardingError) -> Self {
        Self { kind: "forwarding", what: error.to_string() }
    }
}

impl From<PathError> for Ambiguous {
    fn from(error: PathError) -> Self {
        let kind = match error {
            PathError::NotAbsolute => "not-absolute",
            PathError::TooLong { .. } => "path-too-long",
            PathError::DotSegment { .. } => "dot-segment",
            PathError::Control { .. } => "control-character",
            PathError::Backslash { .. } => "backslash",
            PathError::Delimiter { .. } => "delimiter",
            PathError::MalformedEscape { .. } => "malformed-escape",
            PathError::InvalidUtf8 { .. } => "invalid-utf-8",
        };
        Self { kind, what: error.to_string() }
    }
}

/// What a route would have to say so that the path passes.
pub(super) fn untolerated(what: PathExceptions) -> String {
    let found: Vec<_> = what.iter().map(|exception| exception.as_str()).collect();
    let words: Vec<_> = what.iter().map(|exception| format!("\"{}\"", exception.word())).collect();
    let (found, words) = (found.join(" and "), words.join(", "));
    format!(
        "ambiguous path: it has {found}, which two servers could read differently; where the app needs it, its \
         route says `tolerate = [{words}]`"
    )
}

/// The same as members of a problem document: what is ambiguous, and what `tolerate` would have to name.
pub(super) fn untolerated_members(what: PathExceptions) -> Map<String, Value> {
    let words: Vec<Value> = what.iter().map(|exception| exception.word().into()).collect();
    Map::from_iter([
        ("ambiguity".to_owned(), Value::from(words.clone())),
        ("tolerate".to_owned(), Value::from(words)),
    ])
}
