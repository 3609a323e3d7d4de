//! A browser's words about itself in words for people: "Firefox on Windows".
//!
//! Nothing of them is shown: whatever a browser sends, what comes out is one of the texts below. So nobody writes into
//! somebody else's page (invariant 15), and no spelling need be escaped or cut. Browsers have frozen what their
//! `User-Agent` says (user agent reduction), and hide behind each other's names: which of them it is, their client hints
//! tell better, where they send any.

use std::net::{IpAddr, Ipv4Addr};

use http::{HeaderMap, HeaderName, header};

use crate::pages::Look;
use crate::session::SignInOrigin;
use crate::words::{Arg, Word};

/// User-Agent Client Hints, sections 3.1 and 3.8: sent unasked, in secure contexts.
const BRANDS: HeaderName = HeaderName::from_static("sec-ch-ua");
const PLATFORM: HeaderName = HeaderName::from_static("sec-ch-ua-platform");

/// What a card keeps of where a sign-in came from.
pub(super) fn sign_in_origin(headers: &HeaderMap, address: IpAddr) -> SignInOrigin {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let hints: Vec<_> = [PLATFORM, BRANDS].iter().filter_map(text).collect();
    let hints = Some(hints.join(", ")).filter(|hints| !hints.is_empty());
    SignInOrigin::new(text(&header::USER_AGENT), address).with_hints(hints.as_deref())
}

/// What sent a request with these fields, in words.
pub(super) fn of(headers: &HeaderMap) -> String {
    in_words(&sign_in_origin(headers, Ipv4Addr::UNSPECIFIED.into()))
}

/// What `origin` was, in English words.
#[must_use]
pub fn in_words(origin: &SignInOrigin) -> String {
    match Device::of(origin) {
        Device::Program(program) => format!("a program ({program})"),
        Device::Browser(browser, None) => browser.to_owned(),
        Device::Browser(browser, Some(system)) => format!("{browser} on {system}"),
    }
}

/// The same for whoever reads a page.
pub(super) fn told(origin: &SignInOrigin, look: Look<'_>) -> String {
    let name = |name: &str| special(name).map_or_else(|| name.to_owned(), |word| look.say(word));
    match Device::of(origin) {
        Device::Program(program) => look.plain(Word::DeviceProgram, &[("program", Arg::Text(program))]),
        Device::Browser(browser, None) => name(browser),
        Device::Browser(browser, Some(system)) => {
            let (browser, system) = (name(browser), name(system));
            look.plain(Word::DeviceOn, &[("browser", Arg::Text(&browser)), ("system", Arg::Text(&system))])
        }
    }
}

/// Those of the names below that are no names.
fn special(name: &str) -> Option<Word> {
    Some(match name {
        UNKNOWN => Word::DeviceUnknown,
        "Chrome without a window" => Word::DeviceHidden,
        "An Electron app" => Word::DeviceElectron,
        "A Qt app" => Word::DeviceQt,
        "An Android app" => Word::DeviceAndroid,
        "an iPhone" => Word::DeviceIphone,
        "an iPad" => Word::DeviceIpad,
        "an iPod" => Word::DeviceIpod,
        "a Mac" => Word::DeviceMac,
        _ => return None,
    })
}

const UNKNOWN: &str = "An unknown browser";

/// What somebody signed in with.
#[derive(Clone, Copy)]
enum Device {
    Program(&'static str),
    /// A browser, and on which system.
    Browser(&'static str, Option<&'static str>),
}

impl Device {
    fn of(origin: &SignInOrigin) -> Self {
        let agent = origin.device.as_deref().unwrap_or_default();
        let hints: Vec<_> = origin.hints.as_deref().map(quoted).unwrap_or_default();
        let hinted = |table: &[Row]| named(table, |word| hints.contains(&word));
        let written = |table: &[Row]| named(table, |word| agent.contains(word));
        if let Some(program) = named(PROGRAMS, |word| agent.starts_with(word)) {
            return Self::Program(program);
        }
        let browser = hinted(HINTED_BROWSERS).or_else(|| written(BROWSERS)).unwrap_or(UNKNOWN);
        // Before the hint: of what runs on Chrome OS or on a telephone, the words say more.
        Self::Browser(browser, written(SYSTEMS).or_else(|| hinted(HINTED_SYSTEMS)))
    }
}

/// The strings of structured fields (RFC 9651, section 3.3.3), as far as names need them: none has a `\` or a `"`.
fn quoted(field: &str) -> Vec<&str> {
    field.split('"').skip(1).step_by(2).collect()
}

/// What is looked for, and what it is called.
type Row = (&'static str, &'static str);

fn named(table: &[Row], is_there: impl Fn(&'static str) -> bool) -> Option<&'static str> {
    table.iter().find(|(word, _)| is_there(word)).map(|(_, name)| *name)
}

/// Those that others are built on come last.
const HINTED_BROWSERS: &[Row] = &[
    ("Brave", "Brave"),
    ("Microsoft Edge", "Edge"),
    ("Opera", "Opera"),
    ("Opera GX", "Opera"),
    ("Vivaldi", "Vivaldi"),
    ("Samsung Internet", "Samsung Internet"),
    ("YaBrowser", "Yandex Browser"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Google Chrome", "Chrome"),
    ("HeadlessChrome", "Chrome without a window"),
    ("Chromium", "Chromium"),
];

/// Those that others name as well come last.
const BROWSERS: &[Row] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("OPX/", "Opera"),
    ("Opera", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("UCBrowser/", "UC Browser"),
    ("MiuiBrowser/", "Mi Browser"),
    ("HuaweiBrowser/", "Huawei Browser"),
    ("Silk/", "Silk"),
    ("Whale/", "Whale"),
    ("SeaMonkey/", "SeaMonkey"),
    ("PaleMoon/", "Pale Moon"),
    ("FxiOS/", "Firefox"),
    ("Focus/", "Firefox Focus"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome without a window"),
    ("Electron/", "An Electron app"),
    ("QtWebEngine/", "A Qt app"),
    ("; wv)", "An Android app"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Trident/", "Internet Explorer"),
    ("MSIE ", "Internet Explorer"),
    ("Epiphany/", "GNOME Web"),
    ("Safari/", "Safari"),
];

/// Those that others name as well come last.
const SYSTEMS: &[Row] = &[
    ("iPhone", "an iPhone"),
    ("iPad", "an iPad"),
    ("iPod", "an iPod"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("KAIOS/", "KaiOS"),
    ("Tizen", "Tizen"),
    ("Windows", "Windows"),
    ("Macintosh", "a Mac"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("NetBSD", "NetBSD"),
    ("Linux", "Linux"),
];

const HINTED_SYSTEMS: &[Row] = &[
    ("Android", "Android"),
    ("Chrome OS", "ChromeOS"),
    ("Chromium OS", "ChromeOS"),
    ("iOS", "iOS"),
    ("Linux", "Linux"),
    ("macOS", "a Mac"),
    ("Windows", "Windows"),
];

/// What is no browser says so at the beginning.
const PROGRAMS: &[Row] = &[
    ("curl/", "curl"),
    ("Wget/", "Wget"),
    ("HTTPie/", "HTTPie"),
    ("PostmanRuntime/", "Postman"),
    ("insomnia/", "Insomnia"),
    ("python-requests/", "Python Requests"),
    ("python-httpx/", "Python HTTPX"),
    ("Python-urllib/", "Python"),
    ("Python/", "Python"),
    ("Go-http-client/", "Go"),
    ("okhttp/", "OkHttp"),
    ("Java/", "Java"),
    ("Apache-HttpClient/", "Java"),
    ("Java-http-client/", "Java"),
    ("axios/", "Axios"),
    ("node", "Node.js"),
    ("undici", "Node.js"),
    ("Ruby", "Ruby"),
    ("PHP", "PHP"),
    ("git/", "Git"),
    ("docker/", "Docker"),
];

#[cfg(any(test, fuzzing))]
pub(super) mod testing {
    use super::*;

    /// Every text that [`in_words`] is put together from.
    pub(in crate::endpoints) fn is_ours(words: &str) -> bool {
        let is_named =
            |tables: [&[Row]; 2], text: &str| tables.concat().iter().any(|(_, name)| *name == text);
        let is_browser =
            |text: &str| text == "An unknown browser" || is_named([BROWSERS, HINTED_BROWSERS], text);
        let program = words.strip_prefix("a program (").and_then(|rest| rest.strip_suffix(')'));
        let on_system = words.rsplit_once(" on ");
        program.is_some_and(|name| is_named([PROGRAMS, &[]], name))
            || is_browser(words)
            || on_system.is_some_and(|(browser, system)| {
                is_browser(browser) && is_named([SYSTEMS, HINTED_SYSTEMS], system)
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(agent: &str, hints: Option<&str>) -> String {
        in_words(&SignInOrigin::new(Some(agent), [10, 0, 0, 1].into()).with_hints(hints))
    }

    /// As these browsers sent them in 2025 and 2026.
    const AGENTS: [(&str, &str); 20] = [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
            "Firefox on Windows",
        ),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0", "Firefox on Android"),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/145.0 Mobile/15E148 Safari/605.1.15",
            "Firefox on an iPhone",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/142.0.0.0 Mobile Safari/537.36",
            "An Android app on Android",
        ),
        (
            "Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
            "Chrome on ChromeOS",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
            "Safari on a Mac",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
            "Safari on an iPhone",
        ),
        (
            "Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0.0.0 Mobile/15E148 Safari/604.1",
            "Chrome on an iPad",
        ),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0",
            "Opera on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36",
            "Samsung Internet on Android",
        ),
        (
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0.0.0 Safari/537.36",
            "Chrome without a window on Linux",
        ),
        ("Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko", "Internet Explorer on Windows"),
        ("curl/8.14.1", "a program (curl)"),
        ("python-requests/2.32.3", "a program (Python Requests)"),
        ("", "An unknown browser"),
        ("Lynx/2.9.2 libwww-FM/2.14", "An unknown browser"),
    ];

    #[test]
    fn browsers_are_named_as_people_know_them() {
        for (agent, expected) in AGENTS {
            assert_eq!(words(agent, None), expected, "{agent}");
        }
        assert_eq!(in_words(&SignInOrigin::default()), "An unknown browser");
    }

    /// Whatever is said in English has its words in other languages, or is a name.
    #[test]
    fn what_is_no_name_is_said_in_every_language() {
        let german = crate::pages::tests::german();
        let told = |agent: &str| told(&SignInOrigin::new(Some(agent), [10, 0, 0, 1].into()), german);
        assert_eq!(told(AGENTS[3].0), "Firefox auf einem iPhone");
        assert_eq!(told(AGENTS[0].0), "Firefox auf Windows");
        assert_eq!(
            (told("curl/8"), told("")),
            ("ein Programm (curl)".into(), "Ein unbekannter Browser".into())
        );
        for (_, name) in [BROWSERS, SYSTEMS, HINTED_BROWSERS, HINTED_SYSTEMS].concat() {
            let is_name = !["a ", "an ", "A ", "An "].iter().any(|article| name.starts_with(article));
            assert!(is_name && !name.contains(" without ") || special(name).is_some(), "{name}");
        }
        for agent in AGENTS.map(|(agent, _)| agent) {
            let origin = SignInOrigin::new(Some(agent), [10, 0, 0, 1].into());
            assert_eq!(super::told(&origin, crate::pages::tests::plain()), in_words(&origin));
        }
    }

    #[test]
    fn client_hints_say_what_hides_behind_the_name_of_another() {
        let chrome = AGENTS[4].0;
        for (hints, expected) in [
            (
                "\"Windows\", \"Chromium\";v=\"142\", \"Brave\";v=\"142\", \"Not_A Brand\";v=\"99\"",
                "Brave on Windows",
            ),
            ("\"Windows\", \"Google Chrome\";v=\"142\", \"Chromium\";v=\"142\"", "Chrome on Windows"),
            ("\"Chromium\";v=\"142\", \"Microsoft Edge\";v=\"142\"", "Edge on Windows"),
            ("Brave", "Chrome on Windows"),
            ("\"Brave", "Brave on Windows"),
            ("\"<b>\";v=\"1\"", "Chrome on Windows"),
        ] {
            assert_eq!(words(chrome, Some(hints)), expected, "{hints}");
        }
        assert_eq!(words("Mozilla/5.0", Some("\"macOS\"")), "An unknown browser on a Mac");
    }

    #[test]
    fn invariant_15_nothing_that_a_browser_says_is_shown() {
        for text in ["<script>", "\u{202e}Firefox/1", "Firefox/ on <b>Windows", "a program (x)", "curl/<b>"] {
            for hints in [None, Some(text)] {
                let words = words(text, hints);
                assert!(testing::is_ours(&words), "{words}");
            }
        }
    }
}
