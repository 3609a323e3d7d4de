//! `tracestate` (W3C Trace Context, section 3.3): passed on as it came where every member of it is well made, and dropped
//! as a whole where one is not.

use http::{HeaderMap, HeaderValue};

use super::TRACESTATE;

/// Members of a list at most.
const MEMBERS: usize = 32;

/// The members of all lines as one line; none where there are none, or one is wrong.
pub(super) fn of(headers: &HeaderMap) -> Option<HeaderValue> {
    let lines = headers.get_all(TRACESTATE).iter().map(HeaderValue::as_bytes);
    let parts = lines.flat_map(|line| line.split(|byte| *byte == b',')).map(trimmed);
    let members: Vec<&[u8]> = parts.filter(|member| !member.is_empty()).collect();
    let keys: Vec<&[u8]> = members.iter().copied().map(key).collect::<Option<_>>()?;
    let repeats = keys.iter().enumerate().any(|(at, key)| keys[..at].contains(key));
    if members.is_empty() || members.len() > MEMBERS || repeats {
        return None;
    }
    HeaderValue::from_bytes(&members.join(&b","[..])).ok()
}

/// Without optional white space.
fn trimmed(part: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = part.iter().position(|byte| !is_space(byte)).unwrap_or(part.len());
    let end = part.iter().rposition(|byte| !is_space(byte)).map_or(start, |last| last + 1);
    &part[start..end]
}

/// The key of a member; none where the member is wrong.
fn key(member: &[u8]) -> Option<&[u8]> {
    let at = member.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (&member[..at], &member[at + 1..]);
    (is_key(key) && is_value(value)).then_some(key)
}

fn is_key(key: &[u8]) -> bool {
    let mut parts = key.split(|byte| *byte == b'@');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(simple), None, _) => is_name(simple, 256) && simple[0].is_ascii_lowercase(),
        (Some(tenant), Some(system), None) => {
            is_name(tenant, 241) && is_name(system, 14) && system[0].is_ascii_lowercase()
        }
        _ => false,
    }
}

/// Letters and digits, behind the first one some signs as well.
fn is_name(name: &[u8], longest: usize) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let is_inner = |byte: &u8| is_plain(byte) || matches!(byte, b'_' | b'-' | b'*' | b'/');
    name.len() <= longest && name.first().is_some_and(is_plain) && name.iter().all(is_inner)
}

/// Up to 256 letters that can be printed, no comma, no equals sign, no space at the end. A space at the end was taken off
/// as optional white space.
fn is_value(value: &[u8]) -> bool {
    let is_part = |byte: &u8| matches!(byte, b' '..=b'~') && !matches!(byte, b',' | b'=');
    !value.is_empty() && value.len() <= 256 && value.iter().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(TRACESTATE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        of(&headers).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_well_made_is_passed_on_in_its_order() {
        for (lines, joined) in [
            (&["a=1"][..], "a=1"),
            (&["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"], "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"),
            (&["a=1 , b=2\t,, ,c=x y"], "a=1,b=2,c=x y"),
            (&["b=2", "a=1"], "b=2,a=1"),
            (&["0tenant@system=v:1"], "0tenant@system=v:1"),
            (&["a/b*c_d-e=<>~!"], "a/b*c_d-e=<>~!"),
        ] {
            assert_eq!(read(lines).as_deref(), Some(joined), "{lines:?}");
        }
        let many = |count: usize| (0..count).map(|at| format!("k{at}=v")).collect::<Vec<_>>().join(",");
        assert_eq!(read(&[&many(32)]), Some(many(32)));
        assert_eq!(read(&[&many(33)]), None);
        let long = |key: usize, value: usize| format!("{}={}", "k".repeat(key), "v".repeat(value));
        assert_eq!(read(&[&long(256, 256)]), Some(long(256, 256)));
        assert_eq!((read(&[&long(257, 1)]), read(&[&long(1, 257)])), (None, None));
    }

    #[test]
    fn one_wrong_member_spoils_the_list() {
        for wrong in [
            "",
            " , ",
            "a",
            "a=",
            "=1",
            "A=1",
            "0a=1",
            "a=1,a=2",
            "a=1,b",
            "a@=1",
            "@a=1",
            "a@0b=1",
            "a@b@c=1",
            "a=b=c",
            "a=é",
            "ä=1",
            "a b=1",
            "a=1;b=2,c",
        ] {
            assert_eq!(read(&[wrong]), None, "{wrong:?}");
        }
        assert_eq!(read(&["a=1", "a=1"]), None);
        assert_eq!(read(&[]), None);
    }
}
