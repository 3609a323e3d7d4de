mod bounds;
mod fields;
mod questions;
mod rates;
mod threads;
mod usage;

use http::HeaderMap;

use super::{Exceeded, LimitSettings, Limiter, Per, RateLimitState};
use crate::clock::{Clock, Timestamp};
use crate::identity::fixtures::alice;
use crate::identity::{Principal, ProviderName, Subject};
use crate::request::ClientAddress;

fn limit(per: Per, rate: &str, burst: u32) -> LimitSettings {
    LimitSettings { per, rate: rate.parse().unwrap(), burst: burst.try_into().unwrap() }
}

fn clock() -> Clock {
    Clock::manual(Timestamp::from_seconds(1_700_000_000))
}

fn limiter(limits: &[LimitSettings]) -> (Limiter, Clock) {
    let clock = clock();
    (Limiter::with_clock(limits, 1000, &clock), clock)
}

fn client(address: &str) -> ClientAddress {
    ClientAddress::new(address.parse().unwrap())
}

fn address_of(number: usize) -> String {
    std::net::Ipv4Addr::from_bits(number as u32).to_string()
}

fn ask(limiter: &Limiter, address: &str) -> Result<RateLimitState, Exceeded> {
    limiter.count_client(client(address), &HeaderMap::new())
}

fn passes(limiter: &Limiter, address: &str) -> bool {
    ask(limiter, address).is_ok()
}

fn principal(provider: &str, subject: &str) -> Principal {
    Principal { provider: ProviderName::new(provider), subject: Subject::new(subject), ..alice() }
}
