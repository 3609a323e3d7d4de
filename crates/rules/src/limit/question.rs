//! What a store that counts for all replicas is asked, in the place of this process's memory, and what it answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;

use super::limiter::{Limiter, network, only_value};
use super::policy::QuotaPolicy;
use super::{Exceeded, Per, RateLimitState};
use crate::identity::Principal;
use crate::request::ClientAddress;

/// One limit, and whose requests it counts this one with.
#[derive(Clone, Debug)]
pub struct RateQuestion {
    policy: Arc<QuotaPolicy>,
    counted: Vec<u8>,
}

/// What one limit makes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateAnswer {
    /// It is counted.
    Admitted {
        /// Requests that may still come at once.
        left: u32,
    },
    /// It is over the rate, and does not count.
    Refused {
        /// How long it takes until another one is let pass.
        wait: Duration,
    },
}

impl RateQuestion {
    /// The limit and those whose requests count together, in bytes that no other limit of the route and nobody else
    /// has. They hold addresses and names: only a keyed digest of them leaves the process (invariant 15).
    #[must_use]
    pub fn counted(&self) -> &[u8] {
        &self.counted
    }

    /// The time between two requests of the rate.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.policy.time_for(1)
    }

    /// The requests that may come at once.
    #[must_use]
    pub fn burst(&self) -> u32 {
        self.policy.burst()
    }

    /// What the client is told. An answer that no count comes to is cut to one that the limit allows.
    ///
    /// # Errors
    /// Where the limit is reached.
    pub fn tell(&self, answer: RateAnswer) -> Result<RateLimitState, Exceeded> {
        match answer {
            RateAnswer::Admitted { left } => Ok(RateLimitState::new(&self.policy, left.min(self.burst()))),
            RateAnswer::Refused { wait } => {
                Err(Exceeded::new(&self.policy, wait.min(self.policy.time_for(self.burst()))))
            }
        }
    }
}

impl Limiter {
    /// What [`Limiter::count_client`] would count, in its order.
    #[must_use]
    pub fn client_questions(&self, client: ClientAddress, headers: &HeaderMap) -> Vec<RateQuestion> {
        self.questions(|per| match per {
            Per::Address => Some(address(network(client))),
            Per::Header(name) => {
                let value = only_value(headers, name);
                let told: &[u8] = if value.is_some() { b"=" } else { b"" };
                Some([name.as_str().as_bytes(), told, value.unwrap_or_default()].concat())
            }
            Per::Route => Some(Vec::new()),
            Per::Principal => None,
        })
    }

    /// What [`Limiter::count_principal`] would count, in its order.
    #[must_use]
    pub fn principal_questions(&self, principal: &Principal) -> Vec<RateQuestion> {
        self.questions(|per| match per {
            Per::Principal => {
                let (provider, subject) = (principal.provider.as_str(), principal.subject.as_str());
                let length = (provider.len() as u64).to_be_bytes();
                Some([&length[..], provider.as_bytes(), subject.as_bytes()].concat())
            }
            Per::Address | Per::Header(_) | Per::Route => None,
        })
    }

    fn questions(&self, counted: impl Fn(&Per) -> Option<Vec<u8>>) -> Vec<RateQuestion> {
        let question = |(per, policy): (&Per, &Arc<QuotaPolicy>)| {
            let counted = [limit(policy), counted(per)?].concat();
            Some(RateQuestion { policy: Arc::clone(policy), counted })
        };
        self.policies().filter_map(question).collect()
    }
}

fn address(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// The limit itself: one whose rate has changed counts anew.
fn limit(policy: &QuotaPolicy) -> Vec<u8> {
    let interval = policy.time_for(1).as_nanos().to_be_bytes();
    let name = policy.name.as_bytes();
    [&(name.len() as u64).to_be_bytes()[..], name, &interval, &policy.burst().to_be_bytes()].concat()
}
