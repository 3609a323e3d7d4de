//! Errors in words: what happened, and what a person can do about it.

use std::borrow::Cow;

use super::ErrorKind;

/// What an error is called and what there is to say about it.
pub(super) struct Text {
    /// What its type ends in where a program is told of it (RFC 9457, section 3.1.1).
    pub(super) problem_type: &'static str,
    pub(super) icon: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: Cow<'static, str>,
    pub(super) advice: &'static str,
}

impl ErrorKind<'_> {
    pub(super) fn text(&self) -> Text {
        let (problem_type, icon, title, detail, advice) = self.words();
        let detail = if let Self::ProviderDown { provider, .. } = self {
            format!("{provider} {detail}").into()
        } else {
            detail.into()
        };
        Text { problem_type, icon, title, detail, advice }
    }

    #[rustfmt::skip]
    const fn words(&self) -> (&'static str, &'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::BadRequest => (
                "bad-request", "alert", "This request can’t be read",
                "Something in it could be understood in two ways, so it was stopped here and not passed on.",
                "If a link brought you here, tell whoever gave it to you. If you typed the address, check it.",
            ),
            Self::NotBound => (
                "not-bound", "key", "This browser can’t keep this session safe",
                "Sessions here must be bound to the device, so that nobody else can use a stolen one. This browser has not done that.",
                "Sign out and sign in again with a browser that can, such as a current Chrome or Edge on a device with a security chip.",
            ),
            Self::NotFound => (
                "not-found", "search", "There is nothing here",
                "No app answers at this address.",
                "Check it for typing errors, or ask whoever gave it to you.",
            ),
            Self::MethodNotAllowed => (
                "method-not-allowed", "alert", "That can’t be done here",
                "The address exists, but it does not take this kind of request.",
                "Go back and start again from the app’s own page.",
            ),
            Self::RequestTimeout => (
                "request-timeout", "clock", "The request took too long",
                "It did not arrive completely in time.",
                "Your connection may be slow. Please send it again.",
            ),
            Self::ContentTooLarge => (
                "content-too-large", "alert", "That is too large",
                "What you sent is larger than this app takes.",
                "Try a smaller file, or send it in parts.",
            ),
            Self::UriTooLong => (
                "uri-too-long", "alert", "This address is too long",
                "It is longer than the gateway takes.",
                "Go back and start again from the app’s own page.",
            ),
            Self::TooManyRequests { .. } => (
                "too-many-requests", "clock", "One moment, please",
                "More requests came from you than are allowed in this time.",
                "Nothing is wrong with your account.",
            ),
            Self::Internal => (
                "internal", "gate", "Something broke on our side",
                "The gateway could not handle this request. It is not your fault, and it has been logged.",
                "If it stays like this, give the request id below to whoever runs this site.",
            ),
            Self::AppDown => (
                "app-down", "app", "The app is down",
                "The gateway works, but the app behind it does not answer. Nothing is wrong with your sign-in.",
                "It may be restarting. If it stays down, give the request id below to whoever runs it.",
            ),
            Self::AppRefused => (
                "app-refused", "app", "The app did not take this",
                "The app closed its connection before it did anything with this request, which was too long to be held and sent again.",
                "Nothing was done, so it is safe to try again.",
            ),
            Self::ProviderDown { .. } => (
                "identity-provider-down", "key", "Sign-in is unavailable",
                "cannot be reached, so nobody can sign in through it right now. The app itself may be fine.",
                "There is nothing you need to do, and nothing is wrong with your account.",
            ),
            Self::Overloaded { .. } => (
                "overloaded", "gate", "Very busy right now",
                "More is being asked than can be answered at once.",
                "Nothing is wrong with your account.",
            ),
            Self::BindingAwaited { .. } => (
                "binding-awaited", "key", "One moment, please",
                "Your browser is binding this session to your device, which this page asks for.",
                "It takes a second or two.",
            ),
            Self::StoreDown { .. } => (
                "sessions-unavailable", "gate", "Sessions can’t be read",
                "The gateway cannot look up who is signed in, so it lets nobody through for now.",
                "You need not sign in again when it is back.",
            ),
            Self::Unrecorded { .. } => (
                "unrecorded", "gate", "Nothing can be recorded",
                "The gateway has to keep a record of what is done here, and has no room for it, so it lets nobody through for now.",
                "Nothing is wrong with your account.",
            ),
            Self::AppTimeout => (
                "app-timeout", "app", "The app did not answer in time",
                "The gateway works, but the app behind it took too long. Nothing is wrong with your sign-in.",
                "If it stays like this, give the request id below to whoever runs it.",
            ),
        }
    }
}

/// That the page tries again by itself, and when.
pub(super) fn again(seconds: u64) -> String {
    format!("This page tries again by itself in {}.", span(seconds))
}

/// That the person may try again, and when.
pub(super) fn wait(seconds: u64) -> String {
    format!("Please try again in {}.", span(seconds))
}

/// `seconds` as people say it, rounded up from two minutes and two hours on.
fn span(seconds: u64) -> String {
    match seconds {
        1 => "one second".into(),
        0..=119 => format!("{seconds} seconds"),
        120..=7199 => format!("{} minutes", seconds.div_ceil(60)),
        7200.. => format!("{} hours", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_as_people_say_it_and_never_short() {
        let said = [1, 2, 119, 120, 121, 7199, 7200, 7201].map(span);
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
