//! Paths that carry secrets, such as the links of invitations: what stands in the record, the log and traces in place of them
//! (invariant 15).

use std::borrow::Cow;

use crate::request::RequestPath;

/// What stands for a segment that is not told, here and in the record.
const HIDDEN: &str = "{}";
/// Bytes of a mask.
const LONGEST: usize = 1024;

/// The beginning of a path: segments that are what is written, and some that are not told. Whatever is written differently and
/// could be read as the same is taken for the same: what is hidden once too often is no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathMask(Box<[Segment]>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    /// As it is, in lower case.
    Is(Box<str>),
    Hidden,
}

/// The masks of a route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathMasks(Box<[PathMask]>);

impl PathMask {
    /// Reads one, such as `/invite/{}`. A `{}` at its end stands for everything below as well.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let segments = text.strip_prefix('/').filter(|_| text.len() <= LONGEST)?.split('/').map(segment);
        let segments: Option<Box<[_]>> = segments.collect();
        segments.filter(|segments| segments.contains(&Segment::Hidden)).map(Self)
    }

    /// Whether it begins as this path does, segment by segment.
    #[must_use]
    pub fn is_below(&self, path: &str) -> bool {
        let below = self.0.iter().map(Some).chain(std::iter::repeat(None));
        segments(path).iter().zip(below).all(|(is, segment)| match segment {
            Some(Segment::Is(text)) => **text == **is,
            Some(Segment::Hidden) | None => false,
        })
    }

    /// Marks what it hides of a path.
    fn hide(&self, path: &[String], hidden: &mut [bool]) {
        for (at, segment) in self.0.iter().enumerate().take(path.len()) {
            match segment {
                Segment::Is(text) if **text != *path[at] => return,
                Segment::Is(_) => {}
                Segment::Hidden if at + 1 == self.0.len() => return hidden[at..].fill(true),
                Segment::Hidden => hidden[at] = true,
            }
        }
    }
}

fn segment(text: &str) -> Option<Segment> {
    if text == HIDDEN {
        return Some(Segment::Hidden);
    }
    let odd = |c: char| c.is_control() || c.is_whitespace() || "{}%;?#\\".contains(c);
    let good = !text.is_empty() && text != "." && text != ".." && !text.contains(odd);
    good.then(|| Segment::Is(text.to_lowercase().into()))
}

/// The segments of a decoded path, in lower case; encoded slashes part them as well.
fn segments(path: &str) -> Vec<String> {
    let path = path.to_lowercase().replace("%2f", "/").replace("%5c", "/");
    path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect()
}

impl PathMasks {
    /// These.
    #[must_use]
    pub fn new(masks: Vec<PathMask>) -> Self {
        Self(masks.into())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The path as it may be told; `is_clear`: whether it can be read in one way only, as one that was let through.
    pub(super) fn told<'p>(&self, path: &'p RequestPath, is_clear: bool) -> Cow<'p, str> {
        if mutant!(self.0.is_empty(), "masked-path-in-the-record" => true) {
            return Cow::Borrowed(path.raw());
        }
        if !is_clear {
            return Cow::Borrowed("/{}");
        }
        let segments = segments(path.decoded());
        let mut hidden = vec![false; segments.len()];
        self.0.iter().for_each(|mask| mask.hide(&segments, &mut hidden));
        if !hidden.contains(&true) {
            return Cow::Borrowed(path.raw());
        }
        let told =
            segments.iter().zip(&hidden).map(|(text, hidden)| if *hidden { HIDDEN } else { text.as_str() });
        Cow::Owned(told.fold(String::new(), |path, segment| path + "/" + segment))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(masks: &[&str], path: &str) -> String {
        let masks = PathMasks::new(masks.iter().map(|mask| PathMask::parse(mask).unwrap()).collect());
        masks.told(&RequestPath::parse(path).unwrap(), true).into_owned()
    }

    #[test]
    fn segments_that_carry_secrets_are_not_told_however_they_are_written() {
        for path in [
            "/invite/s3cret",
            "/INVITE/s3cret",
            "/%69nvite/s3cret",
            "//invite//s3cret",
            "/invite;a=b/s3cret",
            "/invite%2Fs3cret",
            "/invite/s3cret/",
        ] {
            assert_eq!(told(&["/invite/{}"], path), "/invite/{}", "{path}");
        }
        assert_eq!(
            told(&["/invite/{}"], "/invite/s3/cret/x"),
            "/invite/{}/{}/{}",
            "a secret may have slashes"
        );
        assert_eq!(told(&["/reset/{}/confirm"], "/reset/s3cret/confirm"), "/reset/{}/confirm");
        assert_eq!(told(&["/reset/{}/confirm"], "/reset/s3cret"), "/reset/{}");
        assert_eq!(told(&["/reset/{}/confirm"], "/reset/s3cret/other"), "/reset/{}/other");
        assert_eq!(told(&["/a/{}", "/b/{}/c/{}"], "/b/1/c/2/3"), "/b/{}/c/{}/{}");
    }

    #[test]
    fn other_paths_are_told_as_they_came() {
        for path in ["/", "/invite", "/invites/x", "/a/invite/x", "/A%20b"] {
            assert_eq!(told(&["/invite/{}"], path), path);
        }
        assert_eq!(told(&[], "/invite/s3cret"), "/invite/s3cret");
    }

    #[test]
    fn what_can_be_read_in_several_ways_is_not_told_at_all() {
        let masks = PathMasks::new(vec![PathMask::parse("/invite/{}").unwrap()]);
        assert_eq!(masks.told(&RequestPath::parse("/x%2finvite/s3cret").unwrap(), false), "/{}");
    }

    #[test]
    fn a_mask_hides_something_and_is_a_plain_path() {
        for bad in
            ["", "/", "/invite", "invite/{}", "/a{}/x", "/../{}", "/a//{}", "/%61/{}", "/a;b/{}", "/{}?x"]
        {
            assert_eq!(PathMask::parse(bad), None, "{bad}");
        }
        let mask = PathMask::parse("/App/invite/{}").unwrap();
        assert!(mask.is_below("/app") && mask.is_below("/") && mask.is_below("/App/invite"));
        assert!(
            !mask.is_below("/other") && !mask.is_below("/app/invite/x") && !mask.is_below("/app/invite/x/y")
        );
    }

    proptest! {
        /// Whatever comes behind the beginning of a mask is told nowhere.
        #[test]
        fn a_secret_is_in_no_path_that_is_told(secret in "[a-z0-9]{12}", before in "(/[iI]nvite|/%69nvite|//invite|/invite;x)", behind in "(/|%2F|//)[a-z/]{0,8}") {
            let path = format!("{before}/{secret}{behind}");
            let told = told(&["/invite/{}"], &path);
            prop_assert!(!told.contains(&secret), "{}", told);
        }
    }
}
