//! A regular expression as an automaton: a long answer goes through it byte by byte, and nothing
//! of it is kept.

use std::fmt;
use std::sync::Arc;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::util::primitives::StateID;
use regex_automata::util::{start, syntax};
use regex_automata::{Anchored, MatchKind};

/// Memory of one automaton, and of making it, in bytes.
const SIZE: usize = 1 << 20;

/// All states of a regular expression.
#[derive(Clone)]
pub struct Automaton(Arc<dense::DFA<Vec<u32>>>);

impl fmt::Debug for Automaton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Automaton")
    }
}

impl Automaton {
    /// None for a regular expression that needs too many states, or one that no automaton can
    /// decide byte by byte: `\b` looks at whole characters.
    pub(super) fn new(pattern: &str) -> Option<Self> {
        let config = dense::Config::new()
            .start_kind(StartKind::Unanchored)
            .match_kind(MatchKind::All)
            .dfa_size_limit(Some(SIZE))
            .determinize_size_limit(Some(SIZE));
        dense::Builder::new()
            .configure(config)
            .syntax(syntax::Config::new().utf8(false))
            .thompson(thompson::Config::new().utf8(false).nfa_size_limit(Some(SIZE)))
            .build(pattern)
            .ok()
            .map(|automaton| Self(Arc::new(automaton)))
    }

    /// Begins with an answer.
    pub(super) fn walk(&self) -> Option<Walk<'_>> {
        let start = start::Config::new().anchored(Anchored::No);
        let state = self.0.start_state(&start).ok()?;
        Some(Walk { automaton: &self.0, state })
    }
}

/// Where one answer stands.
pub(super) struct Walk<'a> {
    automaton: &'a dense::DFA<Vec<u32>>,
    state: StateID,
}

impl fmt::Debug for Walk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Walk({:?})", self.state)
    }
}

impl Walk<'_> {
    /// Takes in the next piece: whether it matches now, or not any more; none is undecided.
    pub(super) fn push(&mut self, piece: &[u8]) -> Option<bool> {
        for byte in piece {
            self.state = self.automaton.next_state(self.state, *byte);
            if !self.automaton.is_special_state(self.state) {
                continue;
            }
            if self.automaton.is_match_state(self.state) {
                return Some(true);
            }
            if self.automaton.is_dead_state(self.state) {
                return Some(false);
            }
        }
        None
    }

    /// The answer is over: whether it matches.
    pub(super) fn end(&self) -> bool {
        let end = self.automaton.next_eoi_state(self.state);
        self.automaton.is_match_state(end)
    }
}
