//! Errors in words: what happened, and what a person can do about it.

use super::ErrorKind;
use crate::pages::Look;
use crate::words::{Arg, Catalogue, Word};

/// What an error is called and what there is to say about it.
pub(super) struct Text {
    /// What its type ends in where a program is told of it (RFC 9457, section 3.1.1).
    pub(super) problem_type: &'static str,
    pub(super) icon: &'static str,
    pub(super) title: String,
    pub(super) detail: String,
    pub(super) advice: String,
}

impl ErrorKind<'_> {
    pub(super) fn text(&self, look: Look<'_>) -> Text {
        self.told(|word, args| look.plain(word, args))
    }

    /// The same in English, whatever a program says of languages.
    pub(super) fn text_for_programs(&self) -> Text {
        self.told(|word, args| Catalogue::english().plain(word, args))
    }

    fn told(&self, say: impl Fn(Word, &[(&str, Arg<'_>)]) -> String) -> Text {
        let (problem_type, icon, [title, detail, advice]) = self.words();
        let provider = if let Self::ProviderDown { provider, .. } = self { *provider } else { "" };
        Text {
            problem_type,
            icon,
            title: say(title, &[]),
            detail: say(detail, &[("provider", Arg::Text(provider))]),
            advice: say(advice, &[]),
        }
    }

    #[rustfmt::skip]
    const fn words(&self) -> (&'static str, &'static str, [Word; 3]) {
        match self {
            Self::BadRequest => ("bad-request", "alert", [Word::BadRequest, Word::BadRequestDetail, Word::BadRequestAdvice]),
            Self::NotBound => ("not-bound", "key", [Word::NotBound, Word::NotBoundDetail, Word::NotBoundAdvice]),
            Self::NotFound => ("not-found", "search", [Word::NotFound, Word::NotFoundDetail, Word::NotFoundAdvice]),
            Self::MethodNotAllowed => ("method-not-allowed", "alert", [Word::MethodNotAllowed, Word::MethodNotAllowedDetail, Word::MethodNotAllowedAdvice]),
            Self::RequestTimeout => ("request-timeout", "clock", [Word::RequestTimeout, Word::RequestTimeoutDetail, Word::RequestTimeoutAdvice]),
            Self::ContentTooLarge => ("content-too-large", "alert", [Word::ContentTooLarge, Word::ContentTooLargeDetail, Word::ContentTooLargeAdvice]),
            Self::UriTooLong => ("uri-too-long", "alert", [Word::UriTooLong, Word::UriTooLongDetail, Word::UriTooLongAdvice]),
            Self::TooManyRequests { .. } => ("too-many-requests", "clock", [Word::TooManyRequests, Word::TooManyRequestsDetail, Word::TooManyRequestsAdvice]),
            Self::Internal => ("internal", "gate", [Word::Internal, Word::InternalDetail, Word::InternalAdvice]),
            Self::AppDown => ("app-down", "app", [Word::AppDown, Word::AppDownDetail, Word::AppDownAdvice]),
            Self::AppRefused => ("app-refused", "app", [Word::AppRefused, Word::AppRefusedDetail, Word::AppRefusedAdvice]),
            Self::ProviderDown { .. } => ("identity-provider-down", "key", [Word::ProviderDown, Word::ProviderDownDetail, Word::ProviderDownAdvice]),
            Self::Overloaded { .. } => ("overloaded", "gate", [Word::Overloaded, Word::OverloadedDetail, Word::OverloadedAdvice]),
            Self::BindingAwaited { .. } => ("binding-awaited", "key", [Word::BindingAwaited, Word::BindingAwaitedDetail, Word::BindingAwaitedAdvice]),
            Self::StoreDown { .. } => ("sessions-unavailable", "gate", [Word::StoreDown, Word::StoreDownDetail, Word::StoreDownAdvice]),
            Self::Unrecorded { .. } => ("unrecorded", "gate", [Word::Unrecorded, Word::UnrecordedDetail, Word::UnrecordedAdvice]),
            Self::AppTimeout => ("app-timeout", "app", [Word::AppTimeout, Word::AppTimeoutDetail, Word::AppTimeoutAdvice]),
        }
    }
}

/// That the page tries again by itself, and when.
pub(super) fn again(look: Look<'_>, seconds: u64) -> String {
    look.plain(Word::ErrorAgain, &[("span", Arg::Text(&span(look, seconds)))])
}

/// That the person may try again, and when.
pub(super) fn wait(look: Look<'_>, seconds: u64) -> String {
    look.plain(Word::ErrorWait, &[("span", Arg::Text(&span(look, seconds)))])
}

/// `seconds` as people say it, rounded up from two minutes and two hours on.
fn span(look: Look<'_>, seconds: u64) -> String {
    let (word, count) = match seconds {
        0..=119 => (Word::SpanSeconds, seconds),
        120..=7199 => (Word::SpanMinutes, seconds.div_ceil(60)),
        7200.. => (Word::SpanHours, seconds.div_ceil(3600)),
    };
    look.plain(word, &[("count", Arg::Count(count))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::tests::plain;

    #[test]
    fn time_is_told_as_people_say_it_and_never_short() {
        let said = [1, 2, 119, 120, 121, 7199, 7200, 7201].map(|seconds| span(plain(), seconds));
        let wanted = [
            "one second",
            "2 seconds",
            "119 seconds",
            "2 minutes",
            "3 minutes",
            "120 minutes",
            "2 hours",
            "3 hours",
        ];
        assert_eq!(said, wanted);
    }
}
