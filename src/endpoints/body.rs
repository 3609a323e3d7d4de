//! Bodies that are read whole.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};

use crate::listener::RequestBody;

/// How long a form may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(10);

/// A body of at most `most` bytes that arrives in time.
pub(super) async fn read_to_end(body: RequestBody, most: usize) -> Option<Bytes> {
    let collected = tokio::time::timeout(ARRIVAL, Limited::new(body, most).collect()).await;
    Some(collected.ok()?.ok()?.to_bytes())
}
