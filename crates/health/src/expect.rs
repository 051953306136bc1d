//! Is the answer the wanted one?
//!
//! An answer comes in pieces of any size, so the same bytes must lead to the same end however
//! they are cut. Memory and work are bounded whatever a server sends.

use config::model::{Digest, Expect};
use regex::bytes::{Regex, RegexBuilder};
use thiserror::Error;

use crate::escape::{one_line, show};
use automaton::Walk;

mod automaton;

pub use automaton::Automaton;

/// Compiled size of a regular expression, in bytes.
const REGEX_SIZE: usize = 1 << 20;

/// Memory that matching may use for its cache, in bytes.
const REGEX_CACHE: usize = 256 << 10;

/// Bytes of an answer that are kept for a regular expression without an automaton.
pub const KEPT: usize = 1 << 20;

/// The same where it is asked after each piece: each time it looks through all of them.
const KEPT_ASKED_AGAIN: usize = 8 << 10;

/// A regular expression that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the regular expression {} cannot be used: {}", one_line(.pattern), one_line(.why))]
pub struct PatternError {
    /// As it was written.
    pub pattern: String,
    /// What is wrong with it.
    pub why: String,
}

/// What an answer must hold, ready to be looked for.
#[derive(Clone, Debug)]
pub enum Pattern {
    /// Any byte at all.
    Anything,
    /// It begins with these bytes.
    Prefix(Vec<u8>),
    /// It holds these bytes.
    Contains(Vec<u8>),
    /// It matches. The automaton finds the same and keeps nothing of the answer; a few
    /// expressions have none.
    Regex(Regex, Option<Automaton>),
}

/// How much of an answer a regular expression must see before it is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// After each piece: for a dialogue, where the server waits and the end never comes.
    EachPiece,
    /// Only when all is there: for a body, where `$` means its end.
    AtEnd,
}

/// Where a match stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// Undecided; more is wanted.
    More,
    /// It matches, whatever follows.
    Matched,
    /// It cannot match any more.
    Failed(Mismatch),
}

/// Why an answer is not the wanted one, in a few words that follow on "answer", "body", "output".
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Mismatch {
    /// Nothing came.
    #[error("is empty")]
    Empty,
    /// It begins with something else.
    #[error("begins with {}, wanted {}", show(.seen), show(.wanted))]
    Prefix {
        /// What came.
        seen: Vec<u8>,
        /// What was wanted.
        wanted: Vec<u8>,
    },
    /// The text is not in it.
    #[error("does not hold {}", show(.wanted))]
    Absent {
        /// What was wanted.
        wanted: Vec<u8>,
    },
    /// The regular expression does not match.
    #[error("does not match {}", one_line(.pattern))]
    NoMatch {
        /// The regular expression.
        pattern: String,
    },
    /// Its bytes are others.
    #[error("has the MD5 {seen}, wanted {wanted}")]
    Digest {
        /// Of what came.
        seen: Digest,
        /// What was wanted.
        wanted: Digest,
    },
    /// It is too long for a digest.
    #[error("is above {limit} bytes, more than are hashed")]
    TooLong {
        /// What is hashed at most.
        limit: usize,
    },
}

impl Pattern {
    /// Makes ready what the configuration says.
    ///
    /// # Errors
    /// A regular expression that is wrong or too large.
    pub fn new(expect: &Expect) -> Result<Self, PatternError> {
        Ok(match expect {
            Expect::Anything => Self::Anything,
            Expect::Prefix(bytes) => Self::Prefix(bytes.clone()),
            Expect::Contains(bytes) => Self::Contains(bytes.clone()),
            Expect::Regex(pattern) => {
                let regex = RegexBuilder::new(pattern)
                    .size_limit(REGEX_SIZE)
                    .dfa_size_limit(REGEX_CACHE)
                    .build()
                    .map_err(|error| PatternError {
                        pattern: pattern.clone(),
                        why: last_line(&error.to_string()),
                    })?;
                Self::Regex(regex, Automaton::new(pattern))
            }
        })
    }

    /// Begins with an answer. A regular expression sees its first `limit` bytes; if it has no
    /// automaton, [`KEPT`] at most, or 8 KiB where it is asked after each piece. The rest of the
    /// answer is not looked at.
    pub fn matcher(&self, limit: usize, ask: Ask) -> Matcher<'_> {
        let walk = match self {
            Self::Regex(_, Some(automaton)) => automaton.walk(),
            _ => None,
        };
        let limit = match (&walk, ask) {
            (Some(_), _) => limit,
            (None, Ask::AtEnd) => limit.min(KEPT),
            (None, Ask::EachPiece) => limit.min(KEPT_ASKED_AGAIN),
        };
        Matcher { pattern: self, walk, limit, ask, seen: 0, kept: Vec::new(), any: false }
    }
}

/// regex draws its errors over several lines; the last one says what is wrong.
fn last_line(text: &str) -> String {
    let line = text.lines().last().unwrap_or(text).trim();
    line.strip_prefix("error: ").unwrap_or(line).to_owned()
}

/// One answer on its way in.
#[derive(Debug)]
pub struct Matcher<'a> {
    pattern: &'a Pattern,
    walk: Option<Walk<'a>>,
    limit: usize,
    ask: Ask,
    /// Bytes that a regular expression has seen.
    seen: usize,
    /// The part of the answer that is still needed.
    kept: Vec<u8>,
    any: bool,
}

impl Matcher<'_> {
    /// Takes in the next piece.
    pub fn push(&mut self, piece: &[u8]) -> Progress {
        if piece.is_empty() {
            return Progress::More;
        }
        self.any = true;
        match self.pattern {
            Pattern::Anything => Progress::Matched,
            Pattern::Prefix(wanted) => {
                let missing = wanted.len().saturating_sub(self.kept.len());
                self.keep(piece, missing);
                if !wanted.starts_with(&self.kept) {
                    Progress::Failed(self.prefix_mismatch(wanted))
                } else if self.kept.len() == wanted.len() {
                    Progress::Matched
                } else {
                    Progress::More
                }
            }
            Pattern::Contains(wanted) => self.push_contains(wanted, piece),
            Pattern::Regex(regex, _) => self.push_regex(regex, piece),
        }
    }

    /// The answer is over.
    ///
    /// # Errors
    /// It is not the wanted one.
    pub fn end(self) -> Result<(), Mismatch> {
        match self.pattern {
            // An empty answer matches what wants nothing of it: /^$/, or an empty text.
            Pattern::Prefix(wanted) | Pattern::Contains(wanted) if wanted.is_empty() => Ok(()),
            Pattern::Regex(regex, _) if self.matches(regex) => Ok(()),
            _ if !self.any => Err(Mismatch::Empty),
            Pattern::Anything => Ok(()),
            Pattern::Prefix(wanted) => Err(self.prefix_mismatch(wanted)),
            Pattern::Contains(wanted) => Err(Mismatch::Absent { wanted: wanted.clone() }),
            Pattern::Regex(regex, _) => Err(no_match(regex)),
        }
    }

    fn keep(&mut self, piece: &[u8], at_most: usize) {
        self.kept.extend_from_slice(piece.get(..at_most).unwrap_or(piece));
    }

    /// Only so many bytes are kept as a match across two pieces needs.
    fn push_contains(&mut self, wanted: &[u8], piece: &[u8]) -> Progress {
        self.kept.extend_from_slice(piece);
        if wanted.is_empty() || self.kept.windows(wanted.len()).any(|part| part == wanted) {
            return Progress::Matched;
        }
        let spare = self.kept.len().saturating_sub(wanted.len().saturating_sub(1));
        self.kept.drain(..spare);
        Progress::More
    }

    fn push_regex(&mut self, regex: &Regex, piece: &[u8]) -> Progress {
        let room = self.limit.saturating_sub(self.seen);
        let piece = piece.get(..room).unwrap_or(piece);
        self.seen = self.seen.saturating_add(piece.len());
        let decided = match (&mut self.walk, self.ask) {
            (Some(walk), Ask::AtEnd) => walk.push(piece),
            // One that cannot match any more is heard out, so that it can be shown.
            (Some(walk), Ask::EachPiece) => {
                let matched = walk.push(piece) == Some(true) || walk.end();
                matched.then_some(true)
            }
            (None, ask) => {
                self.kept.extend_from_slice(piece);
                (ask == Ask::EachPiece && regex.is_match(&self.kept)).then_some(true)
            }
        };
        let full = || (self.seen >= self.limit).then(|| self.matches(regex));
        match decided.or_else(full) {
            Some(true) => Progress::Matched,
            Some(false) => Progress::Failed(no_match(regex)),
            None => Progress::More,
        }
    }

    /// Whether it does, when nothing follows.
    fn matches(&self, regex: &Regex) -> bool {
        match &self.walk {
            Some(walk) => walk.end(),
            None => regex.is_match(&self.kept),
        }
    }

    fn prefix_mismatch(&self, wanted: &[u8]) -> Mismatch {
        Mismatch::Prefix { seen: self.kept.clone(), wanted: wanted.to_vec() }
    }
}

fn no_match(regex: &Regex) -> Mismatch {
    Mismatch::NoMatch { pattern: regex.as_str().to_owned() }
}

#[cfg(test)]
mod tests;
