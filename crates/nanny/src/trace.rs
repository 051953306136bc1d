//! How far a check has come, and how long each part took.

use std::time::{Duration, Instant};

/// A part of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waiting for the connection.
    Connect,
    /// Waiting for the TLS handshake.
    Handshake,
    /// Waiting for the answer, or its head.
    Answer,
    /// Waiting for what the server says to a login.
    Login,
    /// Waiting for the rest of the answer.
    Body,
    /// Waiting for a program to end.
    Program,
    /// Waiting for an echo.
    Echo,
}

impl Phase {
    /// What did not happen when this part did not end.
    pub(crate) fn missing(self) -> &'static str {
        match self {
            Self::Connect => "no connection",
            Self::Handshake => "no TLS handshake",
            Self::Answer => "no answer",
            Self::Login => "no answer to the login",
            Self::Body => "the answer did not end",
            Self::Program => "the program did not end",
            Self::Echo => "no echo",
        }
    }

    /// Name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Handshake => "TLS handshake",
            Self::Answer => "answer",
            Self::Login => "login",
            Self::Body => "body",
            Self::Program => "program",
            Self::Echo => "echo",
        }
    }
}

/// Follows one check. The daemon only wants to know the part a check is stuck in; a check by hand
/// also keeps the times.
#[derive(Debug)]
pub struct Trace {
    phase: Phase,
    times: Option<(Instant, Vec<(Phase, Duration)>)>,
    heard: Vec<u8>,
    asked: Option<u32>,
}

/// Bytes of an answer that are kept to be shown when nothing better came.
const HEARD: usize = 64;

impl Trace {
    /// Keeps no times.
    pub fn quiet() -> Self {
        Self { phase: Phase::Connect, times: None, heard: Vec::new(), asked: None }
    }

    /// Keeps the time of each part.
    pub fn timed() -> Self {
        Self {
            phase: Phase::Connect,
            times: Some((Instant::now(), Vec::new())),
            heard: Vec::new(),
            asked: None,
        }
    }

    /// The part that is going on.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The next part begins.
    pub fn enter(&mut self, phase: Phase) {
        if phase != self.phase {
            self.mark();
            self.phase = phase;
        }
    }

    /// Something came that is not the expected answer yet.
    pub(crate) fn heard(&mut self, piece: &[u8]) {
        let room = HEARD.saturating_sub(self.heard.len());
        self.heard.extend(piece.iter().take(room));
    }

    /// The expected answer came.
    pub(crate) fn forget_heard(&mut self) {
        self.heard.clear();
    }

    /// What came and was not the expected answer.
    pub(crate) fn unexpected(&self) -> Option<&[u8]> {
        Some(self.heard.as_slice()).filter(|heard| !heard.is_empty())
    }

    /// The server asks for this weight, or for none.
    pub(crate) fn asks(&mut self, weight: Option<u32>) {
        self.asked = weight;
    }

    /// The weight that the server asks for.
    pub(crate) fn asked(&self) -> Option<u32> {
        self.asked
    }

    /// The times of all parts that began, in order.
    pub fn times(mut self) -> Vec<(Phase, Duration)> {
        self.mark();
        self.times.map(|(_, times)| times).unwrap_or_default()
    }

    fn mark(&mut self) {
        if let Some((since, times)) = &mut self.times {
            let now = Instant::now();
            // A check that has no connection enters its first real part at once.
            let took = now.duration_since(*since);
            if !(times.is_empty() && took < Duration::from_micros(1)) {
                times.push((self.phase, took));
            }
            *since = now;
        }
    }
}
