//! Rate limits: `limits` of a route, `[server] sign_in_limits`.

use std::num::NonZeroU32;

use http::HeaderName;

use crate::limit::{LimitSettings, Per, Rate};

use super::Lowering;
use crate::config::diagnostic::Diagnostic;
use crate::config::located::{Located, at};
use crate::config::raw::{Limit, OneOrMany, PerWord};

impl Lowering<'_> {
    pub(super) fn limits(
        &mut self,
        at: Located<'_, Option<OneOrMany<Limit>>>,
        public: bool,
    ) -> Vec<LimitSettings> {
        at.all().into_iter().filter_map(|at| self.limit(at, public)).collect()
    }

    fn limit(&mut self, at: Located<'_, Limit>, public: bool) -> Option<LimitSettings> {
        let per = self.per(at, public);
        let rate = self.keep(rate(at!(at.rate)));
        let (per, rate) = (per?, rate?);
        let burst = at.value.burst.and_then(NonZeroU32::new).unwrap_or(rate.count);
        Some(LimitSettings { per, rate, burst })
    }

    fn per(&mut self, at: Located<'_, Limit>, public: bool) -> Option<Per> {
        let header = at!(at.header).given();
        if let (Some(header), false) = (header, at.value.per == PerWord::Header) {
            self.fault(
                Diagnostic::new(header.place, "`header` without `per = \"header\"`")
                    .expected("expected one with the other"),
            );
        }
        match at.value.per {
            PerWord::Address => Some(Per::Address),
            PerWord::Route => Some(Per::Route),
            PerWord::Principal if public => {
                self.fault(
                    Diagnostic::new(at!(at.per).place, "a public route knows nobody whom it could count")
                        .expected("expected \"address\", \"route\" or \"header\""),
                );
                None
            }
            PerWord::Principal => Some(Per::Principal),
            PerWord::Header => self.keep(header_key(at)).map(Per::Header),
        }
    }
}

fn rate(at: Located<'_, String>) -> Result<Rate, Diagnostic> {
    at.value.parse().map_err(|error| Diagnostic::new(at.place, "not a rate").expected(format!("{error}")))
}

fn header_key(at: Located<'_, Limit>) -> Result<HeaderName, Diagnostic> {
    let expected = "expected a header such as `header = \"X-Api-Client\"`";
    let Some(header) = at!(at.header).given() else {
        return Err(
            Diagnostic::new(at!(at.per).place, "`per = \"header\"` without `header`").expected(expected)
        );
    };
    HeaderName::from_bytes(header.value.as_bytes())
        .map_err(|_| Diagnostic::new(header.place, "not the name of a header").expected(expected))
}
