//! What keeps a chore from being done, and what to do about it.

use std::fmt::Display;

/// One line for the person: what was tried, why it failed, what to do next.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Trouble(String);

/// What every part of a chore returns.
pub(crate) type Result<T = ()> = std::result::Result<T, Trouble>;

impl Trouble {
    pub(crate) fn new(line: impl Into<String>) -> Self {
        Self(line.into())
    }
}

/// Says what was being tried when something failed.
pub(crate) trait Context<T> {
    /// Puts `what` before the error's own text.
    fn trying(self, what: impl Display) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn trying(self, what: impl Display) -> Result<T> {
        self.map_err(|error| Trouble(format!("{what}: {error}")))
    }
}
