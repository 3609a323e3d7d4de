//! The nearest right word for a misspelt one.

/// The word of `words` that `written` most likely means; `None` where each differs in more than a third of
/// the letters.
pub(super) fn nearest<'a>(written: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const LONGEST: usize = 64;
    if written.len() > LONGEST {
        return None;
    }
    let plain = |word: &str| word.to_lowercase().replace(['-', ' '], "_");
    let written = plain(written);
    let allowed = (written.chars().count() / 3).max(1);
    let distance = |word: &&str| strsim::osa_distance(&written, &plain(word));
    let (distance, word) = words.into_iter().map(|word| (distance(&word), word)).min_by_key(|near| near.0)?;
    (distance <= allowed).then_some(word)
}

/// Whether `written` is `meant` but for a slip of the finger.
pub(super) fn is_slip(written: &str, meant: &str) -> bool {
    const SHORTEST: usize = 5;
    written.len() >= SHORTEST && strsim::osa_distance(written, meant) <= 1
}

/// `"a"`, `"a" or "b"`, `"a", "b" or "c"`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// `"a", "b"`, as an array holds them.
pub(super) fn quoted_list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
    quoted.join(", ")
}
