//! Text to parts. The text is known to be YAML; what is rare there is refused.

use super::{Member, Members, Part, Refusal, Shape, Trivia};

/// The text that is left.
pub(super) struct Scanner<'t> {
    pub(super) text: &'t str,
    pub(super) at: usize,
    /// What stood alone before the next part.
    pub(super) pending: Vec<Trivia>,
}

/// The whole file: a map or list below each other, or one value.
pub(super) fn scan(text: &str) -> Result<Part, Refusal> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut scanner = Scanner { text, at: 0, pending: Vec::new() };
    scanner.trivia()?;
    // The mark of the first document stays where it is.
    if scanner.rest().starts_with("---")
        && scanner.rest().trim_start_matches('-').starts_with(['\n', '\r'])
    {
        scanner.pending.push(Trivia::Comment("---".into(), 0));
        scanner.end_of_line();
        scanner.trivia()?;
    }
    let column = scanner.column();
    let mut part = scanner.value_below(column)?;
    scanner.trivia()?;
    if scanner.at < text.len() {
        return scanner.refuse("a second document, or a mark of one, has no layout");
    }
    let foot = std::mem::take(&mut scanner.pending);
    match &mut part.shape {
        Shape::Block(members) => members.foot.extend(foot),
        Shape::Nothing => {
            part.shape = Shape::Block(Members { is_map: true, list: Vec::new(), foot });
        }
        _ => return scanner.refuse("a file that is one value has no layout"),
    }
    Ok(part)
}

impl<'t> Scanner<'t> {
    pub(super) fn refuse<T>(&self, message: &'static str) -> Result<T, Refusal> {
        Err(Refusal { at: self.at, message })
    }

    pub(super) fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    pub(super) fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Characters from the beginning of the line.
    pub(super) fn column(&self) -> usize {
        let before = self.text.get(..self.at).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().chars().count()
    }

    pub(super) fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    /// Empty lines and comments up to the next part, from any place on a line.
    pub(super) fn trivia(&mut self) -> Result<(), Refusal> {
        loop {
            let line_begins = self.column() == 0;
            self.blanks();
            match self.next() {
                Some('\n' | '\r') => {
                    if line_begins {
                        self.pending.push(Trivia::Blank);
                    }
                    self.end_of_line();
                }
                Some('#') => {
                    let column = self.column();
                    let text = self.comment_text();
                    self.pending.push(Trivia::Comment(text, column));
                    self.end_of_line();
                }
                Some('%' | '?') if self.column() == 0 || self.rest().starts_with("? ") => {
                    return self.refuse("this part of YAML has no layout");
                }
                _ => return Ok(()),
            }
        }
    }

    pub(super) fn end_of_line(&mut self) {
        let rest = self.rest();
        self.at += rest.find('\n').map_or(rest.len(), |end| end + 1);
    }

    pub(super) fn comment_text(&mut self) -> String {
        let line = self.rest().split('\n').next().unwrap_or_default();
        self.at += line.len();
        line.trim_end().to_owned()
    }

    /// The comment behind a value, up to the end of the line.
    pub(super) fn comment_behind(&mut self) -> Option<(String, usize)> {
        self.blanks();
        if self.next() != Some('#') {
            return None;
        }
        let column = self.column();
        Some((self.comment_text(), column))
    }

    fn is_dash(&self) -> bool {
        let mut rest = self.rest().chars();
        rest.next() == Some('-') && rest.next().is_none_or(char::is_whitespace)
    }

    /// The value that begins here, with its own lines from `column` on.
    fn value_below(&mut self, column: usize) -> Result<Part, Refusal> {
        if self.next().is_none() {
            return Ok(Part::default());
        }
        if self.is_dash() {
            let members = self.members(self.column(), column, false)?;
            return Ok(Part { shape: Shape::Block(members), ..Part::default() });
        }
        if self.key_ahead()?.is_some() {
            let members = self.members(self.column(), column, true)?;
            return Ok(Part { shape: Shape::Block(members), ..Part::default() });
        }
        self.value_here(column)
    }

    /// Members that begin in one column; comments behind them are theirs from column `inside` on.
    fn members(&mut self, column: usize, inside: usize, is_map: bool) -> Result<Members, Refusal> {
        let mut members = Members { is_map, ..Members::default() };
        loop {
            let mut before = std::mem::take(&mut self.pending);
            if members.list.is_empty() {
                let blank = before.iter().take_while(|trivia| **trivia == Trivia::Blank).count();
                before.drain(..blank);
            }
            let key = if is_map {
                let Some(key) = self.key_ahead()? else {
                    return self.refuse("a key was expected here");
                };
                self.at += key.len();
                self.blanks();
                self.at += 1;
                key
            } else {
                self.at += 1;
                String::new()
            };
            let part = self.value_of_member(column, is_map)?;
            members.list.push(Member { before, key, part });
            self.trivia()?;
            let goes_on = self.next().is_some()
                && self.column() == column
                && self.is_dash() != is_map
                && !self.rest().starts_with("...")
                && !self.rest().starts_with("---");
            if !goes_on {
                if self.next().is_some() && self.column() > column {
                    return self.refuse("this line belongs to nothing above it");
                }
                members.foot = self.foot(column.max(inside));
                return Ok(members);
            }
        }
    }

    /// The comments behind the last member that belong to it by their column.
    fn foot(&mut self, column: usize) -> Vec<Trivia> {
        let ours =
            |trivia: &Trivia| matches!(trivia, Trivia::Comment(_, at) if *at >= column && *at > 0);
        let end = self.pending.iter().rposition(ours).map_or(0, |last| last + 1);
        self.pending.drain(..end).collect()
    }

    /// What stands behind a key or a dash.
    fn value_of_member(&mut self, column: usize, is_map: bool) -> Result<Part, Refusal> {
        self.blanks();
        let anchor = self.anchor();
        let comment = self.comment_behind();
        if !matches!(self.next(), None | Some('\n' | '\r')) {
            let inline_map = !is_map && anchor.is_empty() && self.key_ahead()?.is_some();
            if inline_map || !is_map && self.is_dash() {
                let inside = self.column();
                let part = self.value_below(inside)?;
                return Ok(part);
            }
            let part = self.value_here(column + 1)?;
            return Ok(Part { anchor, ..part });
        }
        self.trivia()?;
        // A list may stand right below its key.
        let least = if is_map && self.is_dash() { column } else { column + 1 };
        if self.next().is_none() || self.column() < least {
            return Ok(Part { anchor, comment, ..Part::default() });
        }
        let mut part = self.value_below(column + 1)?;
        if part.comment.is_some() && comment.is_some() {
            return self.refuse("a value with a comment before and behind it has no layout");
        }
        part.comment = part.comment.or(comment);
        Ok(Part { anchor, ..part })
    }

    fn anchor(&mut self) -> String {
        if self.next() != Some('&') {
            return String::new();
        }
        let word = self.rest().split([' ', '\t', '\n', '\r']).next().unwrap_or_default();
        self.at += word.len();
        self.blanks();
        word.to_owned()
    }

    /// A value that begins on this line and has none of its own lines to the left of `column`.
    fn value_here(&mut self, column: usize) -> Result<Part, Refusal> {
        let anchor = self.anchor();
        let shape = match self.next() {
            Some('[' | '{') => Shape::Flow(self.flow()?),
            Some('|' | '>') => return self.lines(anchor, column),
            Some('!' | '?' | '@' | '`') => return self.refuse("a tag has no layout"),
            Some('"' | '\'') => Shape::Scalar(self.quoted()?),
            _ => Shape::Scalar(self.plain(column)),
        };
        let comment = self.comment_behind();
        if !matches!(self.next(), None | Some('\n' | '\r')) {
            return self.refuse("what stands behind this value has no layout");
        }
        Ok(Part { anchor, shape, comment })
    }

    /// Text in quotes; over several lines it is one with blanks between.
    pub(super) fn quoted(&mut self) -> Result<String, Refusal> {
        let quote = self.next().unwrap_or('"');
        let mut end = None;
        let mut characters = self.rest().char_indices().skip(1).peekable();
        while let Some((at, character)) = characters.next() {
            let doubled = character == quote
                && quote == '\''
                && characters.peek().is_some_and(|(_, next)| *next == quote);
            if doubled || character == '\\' && quote == '"' {
                characters.next();
            } else if character == quote {
                end = Some(at + 1);
                break;
            }
        }
        let Some(end) = end else { return self.refuse("a closing quote is missing") };
        let raw = self.rest().get(..end).unwrap_or_default();
        if raw.contains('\n') && (raw.contains("\n\n") || raw.contains("\\\n")) {
            return self.refuse("text over several lines in quotes has no layout");
        }
        self.at += end;
        Ok(joined(raw))
    }

    /// Text without quotes, up to a comment; over several lines it is one with blanks between.
    fn plain(&mut self, column: usize) -> String {
        let mut text = String::new();
        loop {
            let line = self.rest().split('\n').next().unwrap_or_default();
            let end = line.find(" #").or(line.find("\t#")).unwrap_or(line.len());
            let has_comment = end < line.len();
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(line.get(..end).unwrap_or_default().trim());
            self.at += end;
            let mark = self.at;
            self.end_of_line();
            self.blanks();
            let goes_on = !has_comment
                && self.column() >= column
                && !matches!(self.next(), None | Some('\n' | '\r' | '#'));
            if !goes_on {
                self.at = mark;
                return text;
            }
        }
    }

    /// `|` and `>`, and the lines that belong to them.
    fn lines(&mut self, anchor: String, column: usize) -> Result<Part, Refusal> {
        let head = self.rest().split('\n').next().unwrap_or_default();
        let (mark, comment) = head.split_once('#').map_or((head, None), |(m, c)| (m, Some(c)));
        if mark.chars().any(|c| c.is_ascii_digit()) {
            return self.refuse("lines with an indentation of their own have no layout");
        }
        let comment_column = self.column() + mark.chars().count();
        let comment = comment.map(|text| (format!("#{}", text.trim_end()), comment_column));
        let mark = mark.trim_end().to_owned();
        self.end_of_line();
        let mut lines: Vec<&str> = Vec::new();
        while self.at < self.text.len() {
            let line = self.rest().split('\n').next().unwrap_or_default();
            let indent = line.len() - line.trim_start_matches(' ').len();
            if indent < column.max(1) && !line.trim().is_empty() {
                break;
            }
            lines.push(line.trim_end_matches('\r'));
            self.end_of_line();
        }
        let full = lines.iter().filter(|line| !line.trim().is_empty());
        let least = full.map(|line| line.len() - line.trim_start_matches(' ').len()).min();
        let mut lines: Vec<String> = lines
            .into_iter()
            .map(|line| line.get(least.unwrap_or(0)..).unwrap_or_default().to_owned())
            .collect();
        while !mark.contains('+') && lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        // The end of the last line is the one that ends the value.
        self.at -=
            usize::from(self.text.get(..self.at).is_some_and(|before| before.ends_with('\n')));
        Ok(Part { anchor, shape: Shape::Lines(mark, lines), comment })
    }

    /// The key that stands here, if one does: text and then `:`.
    pub(super) fn key_ahead(&mut self) -> Result<Option<String>, Refusal> {
        let begin = self.at;
        let key = match self.next() {
            Some('"' | '\'') => {
                let quoted = self.quoted()?;
                let is_one_line = self.text.get(begin..self.at).is_some_and(|raw| raw == quoted);
                self.at = begin;
                is_one_line.then_some(quoted)
            }
            Some('[' | '{' | '|' | '>' | '&' | '!' | '#') | None => None,
            _ => {
                let line = self.rest().split('\n').next().unwrap_or_default();
                let line = line.split(" #").next().unwrap_or_default();
                let ends = |at: &usize| {
                    line.get(at + 1..)
                        .is_none_or(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\r']))
                };
                let end = line.match_indices(':').map(|(at, _)| at).find(ends);
                end.map(|end| line.get(..end).unwrap_or_default().trim_end().to_owned())
            }
        };
        let Some(key) = key else { return Ok(None) };
        let behind =
            self.rest().get(key.len()..).unwrap_or_default().trim_start_matches([' ', '\t']);
        let ends = behind
            .strip_prefix(':')
            .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '\t', '\n', '\r']));
        Ok(ends.then_some(key))
    }
}

/// Lines as one, with a blank between.
pub(super) fn joined(text: &str) -> String {
    let lines: Vec<&str> = text.split('\n').collect();
    match lines.split_first() {
        Some((first, [])) => (*first).to_owned(),
        Some((first, others)) => {
            let (last, middle) = others.split_last().unwrap_or((&"", &[]));
            let mut parts = vec![first.trim_end()];
            parts.extend(middle.iter().map(|line| line.trim()));
            parts.push(last.trim_start());
            parts.join(" ")
        }
        None => String::new(),
    }
}
