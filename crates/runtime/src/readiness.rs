//! Telling systemd how we are (`sd_notify(3)`). Without systemd nothing happens.

use std::time::Duration;

use sd_notify::NotifyState;

/// The daemon works. A watchdog begins anew: what took this one's place as the same process has not
/// spoken yet.
pub fn ready(status: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(status), NotifyState::Watchdog]);
}

/// What the daemon does, for `systemctl status`: one line.
pub fn status(status: &str) {
    tell(&[NotifyState::Status(status)]);
}

/// The configuration is being read again; [`ready`] ends it.
pub fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::debug!(%error, "cannot read the monotonic clock"),
    }
}

/// The daemon ends in order.
pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// The longest time between two calls of [`alive`]. Whoever speaks more often than it must leaves a
/// program that takes its place the more time to begin.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

/// How often [`alive`] must be called, when systemd watches us: each second, or twice within a
/// limit that is shorter than two.
pub fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| SIGN_OF_LIFE.min(limit / 2))
}

/// The daemon is alive.
pub fn alive() {
    tell(&[NotifyState::Watchdog]);
}

/// systemd may be restarting itself: a failure is not ours to act on.
fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(%error, "cannot tell systemd");
    }
}
