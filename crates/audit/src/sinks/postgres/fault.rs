//! What a server or the way to it says is wrong, in words that can stand anywhere.

use std::error::Error as _;

use tokio_postgres::error::{DbError, Error};

use crate::sinks::far::FarError;

/// Characters of what a server says that are repeated.
const LONGEST: usize = 300;

impl From<Error> for FarError {
    fn from(error: Error) -> Self {
        Self::Away(words(&error))
    }
}

/// The error of a statement that held what is to be written: what the server will never take is put aside, so that it holds
/// up nothing else. That is data that it cannot keep (class 22) and what is beyond its own bounds (54).
pub(super) fn of_data(error: &Error) -> FarError {
    let class = error.code().map(|code| code.code().get(..2).unwrap_or_default());
    match class {
        Some("22" | "54") => FarError::Refused(words(error)),
        _ => FarError::Away(words(error)),
    }
}

/// Its words. What the server says of the rows concerned is left out: it tells of people.
pub(super) fn words(error: &Error) -> String {
    let text = match (error.as_db_error(), error.source()) {
        (Some(told), _) => of_server(told),
        (None, Some(cause)) => format!("{error}: {cause}"),
        (None, None) => error.to_string(),
    };
    text.chars().filter(|letter| !letter.is_control()).take(LONGEST).collect()
}

fn of_server(told: &DbError) -> String {
    format!("the server says: {} ({})", told.message(), told.code().code())
}
