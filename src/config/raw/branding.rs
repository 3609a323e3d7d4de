//! `[branding]`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use super::OneOrMany;

/// How the pages look that people see: the portal, the choice of a provider, refusals and errors. The console shows name and
/// logo alone.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct Branding {
    /// What stands at the head of every page.
    #[schemars(extend("default" = "Portcullis"))]
    pub name: Option<String>,
    /// A picture beside the name: a PNG, SVG or WebP of up to 32 KiB, which stands in every page.
    #[schemars(extend("x-default" = "a portcullis", "examples" = ["logo.svg"]))]
    pub logo: Option<PathBuf>,
    /// The colour of what stands out, by day: `#` and six hexadecimal digits. It must stand out from a light page by 4.5 to 1.
    #[schemars(extend("x-default" = "a green", "examples" = ["#1f4fbf"]))]
    pub accent: Option<String>,
    /// The same by night, on dark pages.
    #[schemars(extend("x-default" = "`accent`, made lighter until it can be read", "examples" = ["#9db8ff"]))]
    pub accent_dark: Option<String>,
    /// Links at the end of every page.
    #[schemars(extend("x-default" = "none", "examples" = [[{"title": "Help desk", "url": "https://help.corp.example"}]]))]
    pub links: Option<OneOrMany<BrandLink>>,
    /// Texts of your own, in one language; markup in them is shown as it stands.
    #[schemars(extend("x-default" = "none", "examples" = [{"sign_in": "Use your company account."}]))]
    pub texts: Option<BrandTexts>,
    /// The languages of the pages: `"en"`, `"de"`, or a file such as `"/etc/portcullis/fr.ftl"`, called by its language. A page
    /// is in the one that its reader asks for (`Accept-Language`), and in the first where they ask for none of them.
    #[schemars(extend("default" = ["en", "de"]))]
    pub languages: Option<OneOrMany<String>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct BrandLink {
    /// What the link says.
    #[schemars(extend("examples" = ["Help desk"]))]
    pub title: String,
    /// Where it leads: `https://` or `http://`.
    #[schemars(extend("examples" = ["https://help.corp.example"]))]
    pub url: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct BrandTexts {
    /// Where people choose how to sign in.
    #[schemars(extend("x-default" = "none", "examples" = ["Use your company account."]))]
    pub sign_in: Option<String>,
    /// Where an app is closed to somebody: whom to ask, for example.
    #[schemars(extend("x-default" = "none", "examples" = ["Ask for access at the service desk, extension 4711."]))]
    pub refused: Option<String>,
    /// Above the apps of the portal.
    #[schemars(extend("x-default" = "none", "examples" = ["On Friday from 6 pm on nothing will answer for an hour."]))]
    pub portal: Option<String>,
}
