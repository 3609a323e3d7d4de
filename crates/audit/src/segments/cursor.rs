//! Where a page ends and the next one begins.

use std::fmt;
use std::str::FromStr;

use super::filter::Filter;

/// The place of an event among all others: no two have one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) time: u64,
    pub(super) process: Box<str>,
    pub(super) id: i64,
}

/// Where the next page of a question begins: behind this place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) place: Place,
    question: u32,
}

impl Cursor {
    pub(super) fn new(place: Place, filter: &Filter) -> Self {
        Self { place, question: filter.digest() }
    }

    /// Whether it is of this question.
    #[must_use]
    pub fn is_of(&self, filter: &Filter) -> bool {
        self.question == filter.digest()
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { time, process, id } = &self.place;
        write!(f, "{time:x}.{process}.{id:x}.{:08x}", self.question)
    }
}

/// A text that is no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no cursor: expected one that a page has given")]
pub struct CursorError;

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let parts = [parts.next(), parts.next(), parts.next(), parts.next(), parts.next()];
        let [Some(time), Some(process), Some(id), Some(question), None] = parts else {
            return Err(CursorError);
        };
        let digits = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            i64::from_str_radix(text, 16).ok().filter(|_| plain && text.len() <= 16).ok_or(CursorError)
        };
        if process.len() > 12 || !process.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(CursorError);
        }
        let place = Place { time: digits(time)?.cast_unsigned(), process: process.into(), id: digits(id)? };
        let question = u32::try_from(digits(question)?).map_err(|_| CursorError)?;
        Ok(Self { place, question })
    }
}
