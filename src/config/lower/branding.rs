//! `[branding]`.

use std::path::Path;
use std::sync::Arc;

use crate::gate::BrandingSettings;
use crate::pages::{Accent, BrandLink, BrandSettings, BrandTexts, Colour, LowContrast};
use crate::words::{Catalogue, LARGEST_FILE, Languages};

use super::Lowering;
use super::value::{unknown, url};
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{self, Branding};

/// Bytes of a logo, which stands in every page, at most.
const LARGEST_LOGO: usize = 32 * 1024;

/// Characters of a name or the title of a link, and of a text, at most.
const LONGEST_NAME: usize = 60;
const LONGEST_TEXT: usize = 500;

/// Links at most.
const MOST_LINKS: usize = 10;

impl Lowering<'_> {
    pub(super) fn branding(&mut self, at: Located<'_, Option<Branding>>) -> BrandingSettings {
        let Some(at) = at.given() else { return BrandingSettings::default() };
        let brand = BrandSettings {
            name: self.line(at!(at.name), LONGEST_NAME),
            logo: self.logo(at),
            accent: self.accent(at),
            links: self.links(at),
            texts: at!(at.texts).given().map(|at| self.brand_texts(at)).unwrap_or_default(),
        };
        BrandingSettings { brand, languages: self.languages(at) }
    }

    fn logo(&mut self, at: Located<'_, Branding>) -> Option<crate::pages::Picture> {
        let picture = self.picture(at!(at.logo))?;
        if picture.len() > LARGEST_LOGO {
            self.fault(
                Diagnostic::new(at!(at.logo).place, "the logo is larger than 32 KiB")
                    .expected("expected a smaller picture: it stands in every page"),
            );
        }
        Some(Arc::unwrap_or_clone(picture))
    }

    fn accent(&mut self, at: Located<'_, Branding>) -> Option<Accent> {
        let light = at!(at.accent).given().and_then(|at| self.keep(colour(at)));
        let dark = at!(at.accent_dark).given().and_then(|at| self.keep(colour(at)));
        if at.value.accent.is_none() && at.value.accent_dark.is_some() {
            self.fault(
                Diagnostic::new(at!(at.accent_dark).place, "`accent_dark` without `accent`")
                    .expected("expected both, or `accent` alone"),
            );
        }
        let accent = Accent::new(light?, dark).map_err(|low| {
            let key = if low.by_day { at!(at.accent).place } else { at!(at.accent_dark).place };
            low_contrast(Diagnostic::new(key, "the accent cannot be read"), low)
        });
        self.keep(accent)
    }

    fn links(&mut self, at: Located<'_, Branding>) -> Vec<BrandLink> {
        let links = at!(at.links).all();
        if links.len() > MOST_LINKS {
            let place = at!(at.links).place;
            self.fault(Diagnostic::new(place, "too many links").expected("expected up to 10"));
        }
        links.into_iter().filter_map(|at| self.brand_link(at)).collect()
    }

    fn brand_link(&mut self, at: Located<'_, raw::BrandLink>) -> Option<BrandLink> {
        let title = Some(at.value.title.clone());
        let title = self.line(Located { value: &title, place: at!(at.title).place }, LONGEST_NAME);
        let (text, place) = (at.value.url.as_str(), at!(at.url).place);
        let url = self.keep(url(text, place, &["https", "http"], "https://help.corp.example"));
        Some(BrandLink { title: title?, url: url? })
    }

    fn brand_texts(&mut self, at: Located<'_, raw::BrandTexts>) -> BrandTexts {
        BrandTexts {
            sign_in: self.line(at!(at.sign_in), LONGEST_TEXT),
            refused: self.line(at!(at.refused), LONGEST_TEXT),
            portal: self.line(at!(at.portal), LONGEST_TEXT),
        }
    }

    fn languages(&mut self, at: Located<'_, Branding>) -> Languages {
        if at.value.languages.is_none() {
            return Languages::default();
        }
        let (at, mut found) = (at!(at.languages), Vec::<Arc<Catalogue>>::new());
        for written in at.all() {
            let Some(language) = self.language(written) else { continue };
            if found.iter().any(|known| known.tag().eq_ignore_ascii_case(language.tag())) {
                let what = format!("the language {} twice", language.tag());
                self.fault(Diagnostic::new(written.place, what).expected("expected it once"));
            }
            found.push(language);
        }
        if at.all().is_empty() {
            self.fault(
                Diagnostic::new(at.place, "no language").expected("expected \"en\", \"de\" or a file"),
            );
        }
        Languages::new(found)
    }

    fn language(&mut self, at: Located<'_, String>) -> Option<Arc<Catalogue>> {
        if let Some(built_in) = Catalogue::built_in(at.value) {
            return Some(Arc::clone(built_in));
        }
        let path = Path::new(at.value);
        if path.extension().is_none_or(|end| end != "ftl") {
            let known = ["en", "de"].into_iter();
            self.fault(
                unknown(at, "language", known)
                    .help("another language is a file called by it, such as \"fr.ftl\""),
            );
            return None;
        }
        let Some(tag) = path.file_stem().and_then(|stem| stem.to_str()).filter(|tag| is_tag(tag)) else {
            self.fault(
                Diagnostic::new(at.place, "the file is not called by a language")
                    .expected("expected a name such as \"fr.ftl\" or \"pt-BR.ftl\" (RFC 5646)"),
            );
            return None;
        };
        let read = self.reading(|this| this.file(path, at.place));
        let bytes = self.keep(read).flatten()?;
        self.language_file(at, tag, &bytes)
    }

    /// What is wrong with texts is a warning: those of the language that is built in stand in.
    fn language_file(&mut self, at: Located<'_, String>, tag: &str, bytes: &[u8]) -> Option<Arc<Catalogue>> {
        let text = std::str::from_utf8(bytes).ok().filter(|_| bytes.len() <= LARGEST_FILE);
        let Some(text) = text else {
            self.fault(
                Diagnostic::new(at.place, "not a file of texts")
                    .expected("expected Fluent in UTF-8, of up to 256 KiB"),
            );
            return None;
        };
        let (catalogue, flaws) = Catalogue::read(tag, text);
        for flaw in flaws {
            self.diagnostics.warn(
                Diagnostic::new(at.place, format!("{tag}: {flaw}")).expected("the built-in text stands in"),
            );
        }
        Some(Arc::new(catalogue))
    }
}

fn colour(at: Located<'_, String>) -> Result<Colour, Diagnostic> {
    at.value.parse().map_err(|_| {
        Diagnostic::new(at.place, "not a colour")
            .expected("expected `#` and six hexadecimal digits, such as \"#1f4fbf\"")
    })
}

fn low_contrast(diagnostic: Diagnostic, low: LowContrast) -> Diagnostic {
    let (page, key) = if low.by_day { ("light", "accent") } else { ("dark", "accent_dark") };
    let hundredths = (low.found * 100.0).floor() / 100.0;
    diagnostic
        .expected(format!(
            "it stands out from a {page} page by {hundredths} to 1; expected at least 4.5 to 1"
        ))
        .help(format!("the nearest that can be read: {key} = \"{}\"", low.instead))
}

/// A language tag as far as it is needed here (RFC 5646, section 2.1).
fn is_tag(text: &str) -> bool {
    let part =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let first = text.split('-').next().unwrap_or_default();
    (2..=3).contains(&first.len())
        && first.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.split('-').all(part)
}
