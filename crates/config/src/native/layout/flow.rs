//! `[a, b]` and `{ a: b }`, over one or several lines.

use super::scan::Scanner;
use super::{Member, Members, Part, Refusal, Shape, Trivia};

impl Scanner<'_> {
    /// A list or map in brackets, which begins here.
    pub(super) fn flow(&mut self) -> Result<Members, Refusal> {
        let is_map = self.next() == Some('{');
        let close = if is_map { '}' } else { ']' };
        // What waits already belongs to somebody else.
        let waiting = std::mem::take(&mut self.pending);
        self.at += 1;
        let mut members = Members { is_map, ..Members::default() };
        loop {
            self.trivia()?;
            self.behind_the_last(&mut members);
            match self.next() {
                Some(c) if c == close => {
                    self.at += 1;
                    self.pending.retain(|trivia| *trivia != Trivia::Blank);
                    members.foot = std::mem::replace(&mut self.pending, waiting);
                    return Ok(members);
                }
                Some(',') => self.at += 1,
                Some(_) => {
                    let member = self.flow_member(is_map)?;
                    members.list.push(member);
                }
                None => return self.refuse("a closing bracket is missing"),
            }
        }
    }

    /// A comment on the line of a member belongs to that one.
    fn behind_the_last(&mut self, members: &mut Members) {
        self.pending.retain(|trivia| *trivia != Trivia::Blank);
        let Some(Trivia::Comment(text, column)) = self.pending.first().cloned() else { return };
        if let Some(last) = members.list.last_mut().filter(|last| last.part.comment.is_none())
            && self.stands_behind(&text)
        {
            last.part.comment = Some((text, column));
            self.pending.remove(0);
        }
    }

    /// Whether the line of this comment, which was just read, holds something before it.
    fn stands_behind(&self, comment: &str) -> bool {
        let before = self.text.get(..self.at).unwrap_or_default();
        let line = before.rfind(comment).and_then(|at| before.get(..at));
        let line = line.and_then(|before| before.rsplit('\n').next()).unwrap_or_default();
        !line.trim().is_empty()
    }

    fn flow_member(&mut self, is_map: bool) -> Result<Member, Refusal> {
        let before = std::mem::take(&mut self.pending);
        if !is_map {
            let part = self.flow_value()?;
            return Ok(Member { before, key: String::new(), part });
        }
        let key = match self.next() {
            Some('"' | '\'') => self.quoted()?,
            Some('[' | '{' | '&' | '!') => return self.refuse("such a key has no layout"),
            _ => self.flow_plain(),
        };
        self.blanks();
        if self.next() != Some(':') {
            // A key without a value.
            return Ok(Member { before, key, part: Part::default() });
        }
        self.at += 1;
        self.trivia()?;
        if !self.pending.is_empty() {
            return self.refuse("a comment between a key and its value has no layout");
        }
        let part = match self.next() {
            Some(',' | '}') => Part::default(),
            _ => self.flow_value()?,
        };
        Ok(Member { before, key, part })
    }

    fn flow_value(&mut self) -> Result<Part, Refusal> {
        let mut anchor = String::new();
        if self.next() == Some('&') {
            anchor = self
                .rest()
                .split([' ', '\t', '\n', '\r', ','])
                .next()
                .unwrap_or_default()
                .to_owned();
            self.at += anchor.len();
            self.trivia()?;
        }
        let shape = match self.next() {
            Some('[' | '{') => Shape::Flow(self.flow()?),
            Some('!' | '?' | '|' | '>') => return self.refuse("this value has no layout"),
            Some('"' | '\'') => Shape::Scalar(self.quoted()?),
            _ => Shape::Scalar(self.flow_plain()),
        };
        self.blanks();
        if self.next() == Some(':') {
            return self.refuse("a key in a list has no layout");
        }
        Ok(Part { anchor, shape, comment: None })
    }

    /// Text without quotes, up to what ends it within brackets.
    fn flow_plain(&mut self) -> String {
        let rest = self.rest();
        let mut end = rest.len();
        let mut before = ' ';
        for (at, character) in rest.char_indices() {
            let next = rest.get(at + 1..).and_then(|rest| rest.chars().next());
            let colon =
                character == ':' && next.is_none_or(|c| c.is_whitespace() || ",[]{}".contains(c));
            let comment = character == '#' && before.is_whitespace() && at > 0;
            if ",[]{}".contains(character) || colon || comment {
                end = at;
                break;
            }
            before = character;
        }
        let text = rest.get(..end).unwrap_or_default();
        self.at += text.trim_end().len();
        let lines: Vec<&str> = text.trim_end().split('\n').map(str::trim).collect();
        lines.join(" ")
    }
}
