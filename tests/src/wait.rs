//! Waiting for something to become true, with a limit.

use crate::{Failure, Outcome};
use std::time::{Duration, Instant};

/// How often a condition is looked at. Short, because outages are measured in milliseconds.
const PERIOD: Duration = Duration::from_millis(5);

/// Waits until `condition` gives a value, and fails with `what` was waited for after `limit`.
///
/// # Errors
/// When the limit passes first, or when the condition itself fails.
pub fn wait_for<T>(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let start = Instant::now();
    loop {
        if let Some(value) = condition()? {
            return Ok(value);
        }
        if start.elapsed() >= limit {
            return Err(Failure::new(format!("waited {limit:?} in vain until {what}")));
        }
        std::thread::sleep(PERIOD);
    }
}

/// Waits until `condition` holds; returns how long that took.
///
/// # Errors
/// When the limit passes first, or when the condition itself fails.
pub fn wait_until(
    limit: Duration,
    what: &str,
    mut condition: impl FnMut() -> Outcome<bool>,
) -> Outcome<Duration> {
    let start = Instant::now();
    wait_for(limit, what, || Ok(condition()?.then_some(())))?;
    Ok(start.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_condition_that_never_holds_fails_with_its_name() {
        let failure = wait_until(Duration::ZERO, "pigs fly", || Ok(false)).unwrap_err();
        assert_eq!(failure.to_string(), "waited 0ns in vain until pigs fly");
    }

    #[test]
    fn a_condition_is_looked_at_even_when_no_time_is_left() {
        assert!(wait_until(Duration::ZERO, "it is so", || Ok(true)).is_ok());
    }

    #[test]
    fn a_failing_condition_ends_the_wait_at_once() {
        let failure =
            wait_until(Duration::from_secs(3600), "x", || Err(Failure::new("gone"))).unwrap_err();
        assert_eq!(failure.to_string(), "gone");
    }
}
