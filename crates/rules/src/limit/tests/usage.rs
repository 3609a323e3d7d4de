//! What operators see of limits.

use std::time::Duration;

use super::*;
use crate::limit::LimitUsage;

fn usage(limiter: &Limiter) -> Vec<LimitUsage> {
    limiter.usage().collect()
}

#[test]
fn it_is_told_how_many_are_counted_at_their_bound_and_refused() {
    let (limiter, clock) = limiter(&[limit(Per::Route, "1/s", 20), limit(Per::Address, "1/s", 2)]);
    let [address, route] = &usage(&limiter)[..] else { panic!() };
    assert_eq!((&*address.name, address.burst, address.window, address.keys), ("address", 2, 2, 0));
    assert_eq!((&*route.name, route.burst, route.window, route.at_bound), ("route", 20, 20, 0));
    for address in ["192.0.2.1", "192.0.2.1", "192.0.2.1", "192.0.2.2"] {
        drop(ask(&limiter, address));
    }
    let address = &usage(&limiter)[0];
    assert_eq!((address.keys, address.at_bound, address.refused), (2, 1, 1));
    clock.advance(Duration::from_secs(1));
    let address = &usage(&limiter)[0];
    assert_eq!((address.keys, address.at_bound, address.refused), (1, 0, 1), "one is at rest again");
    assert!(passes(&limiter, "192.0.2.1"), "as it says");
    (0..40).for_each(|number| drop(ask(&limiter, &address_of(number))));
    let route = &usage(&limiter)[1];
    assert!(route.at_bound == 1 && route.refused > 10, "{route:?}");
    clock.advance(Duration::from_secs(60));
    let [address, route] = &usage(&limiter)[..] else { panic!() };
    assert_eq!((address.keys, address.at_bound, route.at_bound), (0, 0, 0));
}
