//! The `Date` of an answer (RFC 9110, section 6.6.1).

use std::cell::Cell;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::BytesMut;
use httpdate::HttpDate;

use crate::http1::write_field;

/// Bytes of a date as HTTP writes it.
const LENGTH: usize = 29;

type Text = [u8; LENGTH];

thread_local! {
    /// The second that this worker has written last, and how: thousands of answers fall into one.
    static LAST: Cell<(u64, Text)> = const { Cell::new((0, *b"Thu, 01 Jan 1970 00:00:00 GMT")) };
}

/// Writes the field and the end of its line.
#[expect(clippy::disallowed_methods, reason = "it is told to people, and decides nothing")]
pub(super) fn write_date(into: &mut BytesMut) {
    write_field("date", &text_of(SystemTime::now()), into);
}

fn text_of(now: SystemTime) -> Text {
    let second = now.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let (last, text) = LAST.get();
    if second == last {
        return text;
    }
    let mut text = [b' '; LENGTH];
    // Every date has exactly this length.
    let _ = write!(text.as_mut_slice(), "{}", HttpDate::from(now));
    LAST.set((second, text));
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn each_answer_bears_the_date_of_its_own_second() {
        let at = |second: f64| {
            let text = text_of(UNIX_EPOCH + Duration::from_secs_f64(second));
            String::from_utf8(text.to_vec()).unwrap()
        };
        for _ in 0..2 {
            assert_eq!(at(784_111_777.0), "Sun, 06 Nov 1994 08:49:37 GMT", "the example of RFC 9110");
            assert_eq!(at(784_111_777.9), "Sun, 06 Nov 1994 08:49:37 GMT");
            assert_eq!(at(784_111_778.0), "Sun, 06 Nov 1994 08:49:38 GMT");
            assert_eq!(at(0.0), "Thu, 01 Jan 1970 00:00:00 GMT");
        }
    }
}
