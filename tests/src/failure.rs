//! Why a scenario failed, in words for the person who reads it.

use std::fmt::Display;

/// A broken promise, or a lab that could not do what was asked of it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Failure(String);

/// What every step of a scenario returns.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that says `message`.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// An error of the system, with what was being tried.
    pub fn of(what: impl Display, error: impl Display) -> Self {
        Self(format!("{what}: {error}"))
    }
}

/// Says what was being tried when a system call or a parser failed.
pub trait Context<T> {
    /// Puts `what` before the error's own text.
    fn context(self, what: impl Display) -> Outcome<T>;
}

impl<T, E: Display> Context<T> for Result<T, E> {
    fn context(self, what: impl Display) -> Outcome<T> {
        self.map_err(|error| Failure::of(what, error))
    }
}

/// Ends the scenario with a sentence when a promise is broken.
#[macro_export]
macro_rules! ensure {
    ($promise:expr, $($sentence:tt)+) => {
        if !$promise {
            return Err($crate::Failure::new(format!($($sentence)+)));
        }
    };
}
