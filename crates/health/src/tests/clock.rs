//! Some instant for the tests; which one does not matter.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "an Instant cannot be made otherwise")]
pub(crate) fn origin() -> Instant {
    Instant::now()
}
