//! How this router switches its partner off.

use std::time::Duration;

use config::fencing::Call;
use config::model::{Fence, FenceFailure, Router};
use heartbeat::{FenceSetup, Side};

/// The program, ready to be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FencePlan {
    pub(crate) call: Call,
    pub(crate) setup: FenceSetup,
    /// Named in the configuration.
    pub(crate) user: Option<String>,
}

impl FencePlan {
    /// As the router of `me`.
    pub(crate) fn new(fence: &Fence, routers: &[Router; 2], me: Side) -> Self {
        let ([one, other], [off_one, off_other]) = (routers, &fence.off);
        let (own, partner, argv) = match me {
            Side::First => (one, other, off_other),
            Side::Second => (other, one, off_one),
        };
        let word = |word: &String| word.replace("%r", &partner.name).replace("%R", &own.name);
        let setup = FenceSetup {
            limit: fence.timeout,
            delay: fence.delay,
            take_over_on_failure: fence.on_failure == FenceFailure::TakeOver,
        };
        let call = Call::new(argv.iter().map(word).collect());
        Self { call, setup, user: fence.user.clone() }
    }

    pub(crate) fn limit(&self) -> Duration {
        self.setup.limit
    }
}
