//! What happened, for people.

use std::fmt;

use crate::fault::Micros;

/// Lines with times, when somebody wants to read them.
#[derive(Clone, Debug, Default)]
pub struct Story(Option<Vec<(Micros, String)>>);

impl Story {
    /// One that is written down.
    pub fn written() -> Self {
        Self(Some(Vec::new()))
    }

    /// One that nobody reads: it costs nothing.
    pub fn untold() -> Self {
        Self(None)
    }

    pub(crate) fn tell(&mut self, at: Micros, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push((at, line()));
        }
    }

    /// The lines in order, with their times in microseconds.
    pub fn lines(&self) -> &[(Micros, String)] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines().iter().try_for_each(|(at, line)| {
            writeln!(f, "{:>5}.{:06} s  {line}", at / 1_000_000, at % 1_000_000)
        })
    }
}
