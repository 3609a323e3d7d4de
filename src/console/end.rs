//! Sign-ins are ended: a page that asks once more, and the act.

use askama::Template;
use http::{Request, StatusCode};

use super::acts::call;
use super::answer::Visit;
use super::fields::Fields;
use super::filter::Filter;
use super::message::Message;
use super::place::Section;
use super::process::Process;
use super::shell::Shell;
use super::text;
use crate::endpoints::{EndpointError, read_form};
use crate::listener::RequestBody;
use crate::pages::Page;
use crate::session::{SessionOverview, Sessions, StoreUnavailable, Wanted};

/// Bytes of a form at most.
const LARGEST: usize = 16 * 1024;

/// Sign-ins that are counted before it is said that there are more, and those that are counted in one go.
const COUNTED: usize = 1_000;
const AT_ONCE: u32 = 200;

/// What a form asks for.
struct Asked {
    filter: Filter,
    reason: Option<String>,
}

impl Asked {
    /// All sign-ins are meant only where the form says so in so many words.
    fn read(written: &[u8]) -> Result<Self, String> {
        let fields = Fields::read(written)?;
        let (filter, reason) = (Filter::read(&fields)?, fields.text("reason")?);
        let all = fields.raw("all") == Some("yes");
        if mutant!(filter.is_empty() != all, "console-ends-all-unasked" => false) {
            return Err("Say which sign-ins: by user, subject, provider, host or id, or all of them.".into());
        }
        Ok(Self { filter, reason })
    }
}

/// The page that says how many sign-ins a filter means, and asks once more.
pub(super) async fn ask(visit: Visit<'_>, process: &dyn Process, query: &str) -> Result<Page, EndpointError> {
    let read = Fields::read(query.as_bytes()).and_then(|fields| {
        let filter = Filter::read(&fields)?;
        Ok((filter.wanted(&process.providers())?, filter))
    });
    let (wanted, filter) = match read {
        Ok(read) => read,
        Err(why) => return Ok(Message::Unclear(why).page(visit, Some(Section::Sessions))),
    };
    let count = count(process.sessions(), &wanted).await?;
    let shell = Shell::of(visit, Some(Section::Sessions));
    let view = AskView {
        shell: &shell,
        filter: &filter,
        count,
        words: match count {
            COUNTED.. => format!("more than {}", text::many(COUNTED as u64, "sign-in")),
            count => text::many(count as u64, "sign-in"),
        },
        back: filter.query().finish(),
    };
    Ok(shell.page(StatusCode::OK, &view))
}

/// How many are meant, up to the bound.
async fn count(sessions: &Sessions, wanted: &Wanted) -> Result<usize, StoreUnavailable> {
    let mut count = 0;
    for selector in &wanted.selectors {
        let mut after = None;
        while count < COUNTED {
            let found = sessions.list(selector, after, AT_ONCE).await?;
            let meant = |found: &&SessionOverview| wanted.includes(found) && !sessions.is_over(found);
            count += found.iter().filter(meant).count();
            let Some(last) = found.last() else { break };
            after = Some(last.id);
        }
    }
    Ok(count.min(COUNTED))
}

/// Ends what the form names.
pub(super) async fn act(
    visit: Visit<'_>,
    process: &dyn Process,
    request: Request<RequestBody>,
) -> Result<Page, EndpointError> {
    let (head, body) = request.into_parts();
    let bound = mutant!(LARGEST, "console-form-unbounded" => usize::MAX);
    let told = |message: Message| Ok(message.page(visit, Some(Section::Sessions)));
    let form = match read_form(&head.headers, body, bound).await {
        Ok(form) => form,
        Err(unread) => return told(Message::Unread(unread)),
    };
    let read = Asked::read(&form).and_then(|asked| {
        let wanted = asked.filter.wanted(&process.providers())?;
        Ok((wanted, asked))
    });
    let (wanted, asked) = match read {
        Ok(read) => read,
        Err(why) => return told(Message::Unclear(why)),
    };
    let Asked { filter, reason } = asked;
    let selected = serde_json::to_string(&filter).unwrap_or_default();
    let (operations, call) = (process.operations(), call(visit, process, "end-sessions"));
    let ended = operations.end_sessions(wanted, &selected, reason.as_deref(), &call).await?;
    let shell = Shell::of(visit, Some(Section::Sessions));
    let words = text::many(ended as u64, "sign-in");
    Ok(shell.page(StatusCode::OK, &EndedView { shell: &shell, filter: &filter, ended, words }))
}

#[derive(Template)]
#[template(path = "console/end.html")]
struct AskView<'a> {
    shell: &'a Shell,
    filter: &'a Filter,
    count: usize,
    words: String,
    back: String,
}

#[derive(Template)]
#[template(path = "console/ended.html")]
struct EndedView<'a> {
    shell: &'a Shell,
    filter: &'a Filter,
    ended: usize,
    words: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invariant_8_all_sign_ins_end_only_where_that_is_said_in_so_many_words() {
        for unsaid in ["", "reason=x", "user=", "all=no", "all=yes&user=alice", "user=+"] {
            assert!(Asked::read(unsaid.as_bytes()).is_err(), "{unsaid}");
        }
        assert!(Asked::read(b"all=yes").unwrap().filter.is_empty());
        let asked = Asked::read(b"user=alice&reason=left+us").unwrap();
        assert_eq!((asked.filter.user.as_deref(), asked.reason.as_deref()), (Some("alice"), Some("left us")));
    }
}
