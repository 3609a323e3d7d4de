//! The gateway's own endpoints: `[server] sign_in_limits` and `[session] clear_site_data`.

use std::num::NonZeroU32;
use std::time::Duration;

use crate::endpoints::SiteData;
use crate::gate::OwnSettings;
use crate::limit::{LimitSettings, Per, Rate};

use super::Lowering;
use crate::config::located::{Located, at};
use crate::config::raw::{Server, Session, SiteDataWord};

/// Requests of one address in a second, and at once: an office that comes to work behind one address signs in with
/// all the tabs that its browsers restore.
const RATE: NonZeroU32 = NonZeroU32::new(20).unwrap();
const BURST: NonZeroU32 = NonZeroU32::new(2000).unwrap();

impl Lowering<'_> {
    pub(super) fn own(
        &mut self,
        server: Located<'_, Server>,
        session: Located<'_, Option<Session>>,
    ) -> OwnSettings {
        let limits = at!(server.sign_in_limits);
        let default = || LimitSettings {
            per: Per::Address,
            rate: Rate { count: RATE, period: Duration::from_secs(1) },
            burst: BURST,
        };
        let limits = match limits.value {
            Some(_) => self.limits(limits, true),
            None => vec![default()],
        };
        let forget = session.given().and_then(|session| at!(session.clear_site_data).given());
        let forget =
            forget.map(|words| words.items().into_iter().map(|word| site_data(word.value)).collect());
        OwnSettings { limits, forget: forget.unwrap_or_else(|| vec![SiteData::Cache]) }
    }
}

const fn site_data(word: &SiteDataWord) -> SiteData {
    match word {
        SiteDataWord::Cache => SiteData::Cache,
        SiteDataWord::Cookies => SiteData::Cookies,
        SiteDataWord::Storage => SiteData::Storage,
    }
}
