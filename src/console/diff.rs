//! What has changed between two texts, line by line.

/// A line of both texts, or of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change<'a> {
    Same(&'a str),
    Gone(&'a str),
    New(&'a str),
}

/// Pairs of lines that are compared at most; what is larger is shown as replaced whole.
const MOST: usize = 4_000_000;

/// The fewest changes that make `after` of `before`.
pub(super) fn diff<'a>(before: &'a [String], after: &'a [String]) -> Vec<Change<'a>> {
    let begin = before.iter().zip(after).take_while(|(a, b)| a == b).count();
    let most = before.len().min(after.len()) - begin;
    let end = before.iter().rev().zip(after.iter().rev()).take(most).take_while(|(a, b)| a == b).count();
    let (gone, new) = (&before[begin..before.len() - end], &after[begin..after.len() - end]);
    let same = |lines: &'a [String]| lines.iter().map(|line| Change::Same(line));
    let mut changes: Vec<_> = same(&before[..begin]).collect();
    changes.extend(between(gone, new));
    changes.extend(same(&before[before.len() - end..]));
    changes
}

/// By the longest common subsequence.
fn between<'a>(before: &'a [String], after: &'a [String]) -> Vec<Change<'a>> {
    if before.len().saturating_mul(after.len()) > MOST {
        return before
            .iter()
            .map(|line| Change::Gone(line))
            .chain(after.iter().map(|line| Change::New(line)))
            .collect();
    }
    let width = after.len() + 1;
    let mut longest = vec![0_u32; (before.len() + 1) * width];
    for i in (0..before.len()).rev() {
        for j in (0..after.len()).rev() {
            longest[i * width + j] = if before[i] == after[j] {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j, mut changes) = (0, 0, Vec::new());
    while i < before.len() || j < after.len() {
        if i < before.len() && j < after.len() && before[i] == after[j] {
            changes.push(Change::Same(&before[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == after.len()
            || (i < before.len() && longest[(i + 1) * width + j] >= longest[i * width + j + 1])
        {
            changes.push(Change::Gone(&before[i]));
            i += 1;
        } else {
            changes.push(Change::New(&after[j]));
            j += 1;
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes(before: &str, after: &str) -> String {
        let lines = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let (before, after) = (lines(before), lines(after));
        let told = diff(&before, &after);
        let told = told.iter().map(|change| match change {
            Change::Same(line) => (*line).to_owned(),
            Change::Gone(line) => format!("-{line}"),
            Change::New(line) => format!("+{line}"),
        });
        told.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn as_few_lines_as_can_be_have_changed() {
        assert_eq!(changes("a b c", "a b c"), "a b c");
        assert_eq!(changes("a b c", "a x c"), "a -b +x c");
        assert_eq!(changes("a b c d e", "a c e f"), "a -b c -d e +f");
        assert_eq!(changes("a a a", "a a"), "a a -a");
        assert_eq!(changes("x", "y z"), "-x +y +z");
    }

    #[test]
    fn invariant_14_what_is_too_large_to_be_compared_is_replaced_whole() {
        let lines = |mark: &str| (0..2_100).map(|n| format!("{mark}{n}")).collect::<Vec<_>>();
        assert_eq!(diff(&lines("a"), &lines("b")).len(), 4_200);
    }
}
