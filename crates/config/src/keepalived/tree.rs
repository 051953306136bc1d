//! Statements and the blocks below them.

use super::report::Report;
use super::text::{At, Text};
use super::words::{Token, Word, tokens};
use crate::foreign::word::NOT_UTF8;

/// A statement: its words, and the block behind them if there is one.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// The keyword.
    pub(super) name: Word,
    /// What stands behind it.
    pub(super) words: Vec<Word>,
    /// The statements between its braces; empty without any.
    pub(super) block: Vec<Node>,
}

impl Node {
    /// The word at a place behind the keyword.
    pub(super) fn word(&self, index: usize) -> Option<&Word> {
        self.words.get(index)
    }

    /// All words, the keyword first.
    pub(super) fn all(&self) -> impl Iterator<Item = &Word> {
        std::iter::once(&self.name).chain(&self.words)
    }

    /// Where its value stands, or it itself without one.
    pub(super) fn value_at(&self) -> &At {
        self.word(0).map_or(&self.name.at, |word| &word.at)
    }
}

/// A block that is not closed yet.
struct Open {
    owner: Option<Node>,
    at: At,
    inside: Vec<Node>,
}

/// Deepest nesting: the format itself needs five.
const DEEPEST: usize = 32;

/// Puts the lines together.
pub(super) fn tree(lines: &[Text], report: &mut Report) -> Vec<Node> {
    let mut stack: Vec<Open> = vec![Open { owner: None, at: At::default(), inside: Vec::new() }];
    for line in lines {
        if let Some(at) = line.not_utf8() {
            report.error(&at, NOT_UTF8.0, NOT_UTF8.1);
        }
        let (found, quote) = tokens(line);
        if let Some(at) = quote {
            report.error(&at, "this quote is never closed", "close it on the same line");
        }
        let mut words = Vec::new();
        for token in found {
            match token {
                Token::Word(word) => words.push(word),
                Token::Open(at) => open(&mut stack, &mut words, at, report),
                Token::Close(at) => {
                    end_of_statement(&mut stack, &mut words);
                    close(&mut stack, &at, report);
                }
            }
        }
        end_of_statement(&mut stack, &mut words);
    }
    while stack.len() > 1 {
        if let Some(block) = stack.last() {
            let at = block.at.clone();
            report.error(&at, "this block is never closed", "add a `}` where it ends");
        }
        fold(&mut stack);
    }
    stack.pop().map(|top| top.inside).unwrap_or_default()
}

fn end_of_statement(stack: &mut [Open], words: &mut Vec<Word>) {
    if words.is_empty() {
        return;
    }
    let name = words.remove(0);
    let node = Node { name, words: std::mem::take(words), block: Vec::new() };
    if let Some(top) = stack.last_mut() {
        top.inside.push(node);
    }
}

/// A brace on a line of its own belongs to the statement before.
fn open(stack: &mut Vec<Open>, words: &mut Vec<Word>, at: At, report: &mut Report) {
    end_of_statement(stack, words);
    if stack.len() == DEEPEST {
        report.error(&at, "blocks are nested too deeply", "close those that are done with `}`");
        return;
    }
    let owner = stack.last_mut().and_then(|top| {
        let free = top.inside.last().is_some_and(|node| node.block.is_empty());
        if free { top.inside.pop() } else { None }
    });
    if owner.is_none() {
        report.error(&at, "this block has no name", "write what it is before the `{`");
    }
    stack.push(Open { owner, at, inside: Vec::new() });
}

fn close(stack: &mut Vec<Open>, at: &At, report: &mut Report) {
    if stack.len() > 1 {
        fold(stack);
    } else {
        report.error(at, "this `}` closes nothing", "remove it, or open a block before it");
    }
}

fn fold(stack: &mut Vec<Open>) {
    let Some(done) = stack.pop() else { return };
    if let (Some(mut owner), Some(top)) = (done.owner, stack.last_mut()) {
        owner.block = done.inside;
        top.inside.push(owner);
    }
}
