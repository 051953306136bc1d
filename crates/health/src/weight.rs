//! Slow start: the weight of a server that has just come back.

use std::time::Duration;

/// Steps of one slow start. Each is a change in the kernel, so there are few.
const STEPS: u128 = 16;

/// The weight of a server that has been up for `up_for` and reaches `weight` after `over`.
///
/// It rises in at most sixteen equal steps and is never below 1, so that the server takes some
/// traffic at once. A weight of 0 stays 0; an `over` of zero is no slow start.
pub fn slow_start(weight: u32, up_for: Duration, over: Duration) -> u32 {
    if weight == 0 || up_for >= over {
        return weight;
    }
    let step = STEPS * up_for.as_nanos() / over.as_nanos().max(1);
    let risen = u128::from(weight) * (step + 1) / (STEPS + 1);
    u32::try_from(risen).unwrap_or(weight).clamp(1, weight)
}

/// How long until [`slow_start`] gives another weight; none when the full weight is reached.
pub fn until_next_step(up_for: Duration, over: Duration) -> Option<Duration> {
    if up_for >= over {
        return None;
    }
    let step = STEPS * up_for.as_nanos() / over.as_nanos().max(1);
    let next = (over.as_nanos() * (step + 1)).div_ceil(STEPS);
    let wait = next.saturating_sub(up_for.as_nanos());
    Some(Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_returning_server_begins_low_and_ends_at_its_weight() {
        assert_eq!(slow_start(100, Duration::ZERO, MINUTE), 5);
        assert_eq!(slow_start(100, MINUTE / 2, MINUTE), 52);
        assert_eq!(slow_start(100, MINUTE, MINUTE), 100);
        assert_eq!(slow_start(1, Duration::ZERO, MINUTE), 1);
        assert_eq!(slow_start(0, Duration::ZERO, MINUTE), 0);
        assert_eq!(slow_start(7, Duration::ZERO, Duration::ZERO), 7);
    }

    proptest! {
        #[test]
        fn the_weight_never_falls_and_changes_only_at_the_told_steps(
            weight in 0_u32..=65535, at in 0_u64..60_000_000_000
        ) {
            let at = Duration::from_nanos(at);
            let wait = until_next_step(at, MINUTE).unwrap();
            let now = slow_start(weight, at, MINUTE);
            prop_assert!(now <= weight && (weight == 0 || now >= 1));
            prop_assert_eq!(now, slow_start(weight, at + wait - Duration::from_nanos(1), MINUTE));
            prop_assert!(slow_start(weight, at + wait, MINUTE) >= now);
        }
    }
}
