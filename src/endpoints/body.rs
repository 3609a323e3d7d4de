//! Bodies that are read whole.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::listener::RequestBody;

/// How long a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);

/// Why a form has not been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnreadForm {
    /// It is of another media type.
    OtherMediaType,
    /// It is larger than it may be.
    TooLarge,
    /// It has not come, or not in time.
    Late,
}

/// A form as browsers send it by themselves, of at most `most` bytes.
///
/// # Errors
/// What keeps it from being read; the rest of its body is left where it is.
pub async fn read_form(headers: &HeaderMap, body: RequestBody, most: usize) -> Result<Bytes, UnreadForm> {
    if !is_form(headers) {
        return Err(UnreadForm::OtherMediaType);
    }
    read(body, most).await
}

fn is_form(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|field| field.to_str().ok());
    let media_type = media_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// A body of at most `most` bytes that arrives in time.
pub(super) async fn read_to_end(body: RequestBody, most: usize) -> Option<Bytes> {
    read(body, most).await.ok()
}

async fn read(body: RequestBody, most: usize) -> Result<Bytes, UnreadForm> {
    let collected = tokio::time::timeout(ARRIVAL, Limited::new(body, most).collect()).await;
    match collected.map_err(|_| UnreadForm::Late)? {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(UnreadForm::TooLarge),
        Err(_) => Err(UnreadForm::Late),
    }
}
