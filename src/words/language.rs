//! Which language somebody asks for (RFC 9110, section 12.5.4; RFC 4647).

/// What is read of a field at most (invariant 14).
const LONGEST: usize = 1024;
const MOST: usize = 32;

/// The number of the tag among `tags` that `accepted`, the value of `Accept-Language`, asks for first; `None` where it asks
/// for none of them.
pub(super) fn choose(accepted: &str, tags: &[&str]) -> Option<usize> {
    let accepted = accepted.get(..LONGEST).unwrap_or(if accepted.len() > LONGEST { "" } else { accepted });
    let mut ranges: Vec<_> = accepted.split(',').take(MOST).filter_map(range).collect();
    // Of ranges that weigh the same, the first is meant: that is how browsers write them.
    ranges.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    let refused: Vec<_> = ranges.iter().filter(|(_, weight)| *weight == 0).map(|(range, _)| *range).collect();
    let is_refused = |tag: &str| refused.iter().any(|range| tag.eq_ignore_ascii_case(range));
    let wanted = ranges.iter().filter(|(_, weight)| *weight > 0).map(|(range, _)| *range);
    let may_be = |at: &usize| tags.get(*at).is_some_and(|tag| !is_refused(tag));
    let mut found = wanted.filter_map(|range| match range {
        "*" => tags.iter().position(|tag| !is_refused(tag)),
        range => look_up(range, tags).filter(may_be),
    });
    found.next()
}

/// The first of `tags` that fits a range: the same, what it is a kind of, or a kind of it.
fn look_up(range: &str, tags: &[&str]) -> Option<usize> {
    let mut shorter = Some(range);
    while let Some(part) = shorter {
        if let Some(at) = tags.iter().position(|tag| tag.eq_ignore_ascii_case(part)) {
            return Some(at);
        }
        shorter = part.rsplit_once('-').map(|(rest, _)| rest);
    }
    let is_kind = |tag: &&str| {
        let end = tag.get(range.len()..).is_some_and(|rest| rest.starts_with('-'));
        end && tag.get(..range.len()).is_some_and(|start| start.eq_ignore_ascii_case(range))
    };
    tags.iter().position(is_kind)
}

/// A range and its weight in thousandths.
fn range(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().filter(|range| is_range(range))?;
    let weight = match parts.next() {
        None => 1000,
        Some(weight) => quality(weight.strip_prefix("q=").or_else(|| weight.strip_prefix("Q="))?)?,
    };
    parts.next().is_none().then_some((range, weight))
}

fn is_range(text: &str) -> bool {
    let part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text == "*" || text.split('-').all(part)
}

/// A weight of RFC 9110, section 12.4.2: `0`, `0.5`, `1.000`.
fn quality(text: &str) -> Option<u16> {
    let (whole, digits) = text.split_once('.').unwrap_or((text, ""));
    let plain = digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit());
    let thousandths = format!("{digits:0<3}").parse::<u16>().ok().filter(|_| plain)?;
    match whole {
        "0" => Some(thousandths),
        "1" => (thousandths == 0).then_some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TAGS: [&str; 4] = ["en", "de", "fr-CA", "pt-BR"];

    fn chosen(accepted: &str) -> Option<&'static str> {
        choose(accepted, &TAGS).map(|at| TAGS[at])
    }

    #[test]
    fn the_language_that_is_asked_for_first_is_chosen() {
        for (accepted, wanted) in [
            ("de", Some("de")),
            ("DE", Some("de")),
            ("de-AT", Some("de")),
            ("de-AT,de;q=0.9,en;q=0.8", Some("de")),
            ("en;q=0.8, de;q=0.9", Some("de")),
            ("it, de;q=0.5, en;q=0.4", Some("de")),
            ("fr", Some("fr-CA")),
            ("fr-FR", None),
            ("pt-br", Some("pt-BR")),
            ("*", Some("en")),
            ("it, *;q=0.1", Some("en")),
            ("de;q=0, *", Some("en")),
            ("en;q=0, *;q=0.5", Some("de")),
            ("de;q=0", None),
            ("", None),
            ("it", None),
        ] {
            assert_eq!(chosen(accepted), wanted, "{accepted}");
        }
    }

    #[test]
    fn what_is_no_range_is_passed_over() {
        for (accepted, wanted) in [
            ("de;q=2, en", Some("en")),
            ("de;q=0.1234, en;q=0.1", Some("en")),
            ("de;q=, en;q=0.1", Some("en")),
            ("de;x=1;q=1, en;q=0.1", Some("en")),
            ("d e, en", Some("en")),
            ("-, --, de-, ;, en;q=0.001", Some("en")),
            ("abcdefghi, de", Some("de")),
            (";q=1, de;Q=1.000", Some("de")),
        ] {
            assert_eq!(chosen(accepted), wanted, "{accepted}");
        }
    }

    #[test]
    fn invariant_14_a_field_without_end_is_not_read() {
        assert_eq!(chosen(&format!("{}de", "it,".repeat(400))), None);
        assert_eq!(chosen(&format!("{}de", "it,".repeat(40))), None);
        assert_eq!(chosen(&format!("de,{}", "it,".repeat(40))), Some("de"));
    }
}
