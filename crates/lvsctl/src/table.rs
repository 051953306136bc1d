//! Text in columns.

use anstyle::Style;

use crate::output::{BOLD, DIM, PLAIN, styled};

/// Blanks between columns.
const GAP: usize = 2;

/// Prose that would take more lines than this in its column goes to lines of its own.
const MOST_LINES: usize = 2;

/// The last column is not made narrower than this.
const NARROWEST: usize = 20;

/// One cell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cell {
    text: String,
    style: Style,
}

impl Cell {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self::styled(text, PLAIN)
    }

    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self { text: runtime::logging::sentence(&text.into()), style }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Rows of cells, below a header unless that is empty. The last column holds prose and is wrapped.
#[derive(Debug)]
pub(crate) struct Table {
    indent: usize,
    header: Vec<Cell>,
    /// Columns of numbers, which stand to the right.
    numbers: Vec<usize>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    pub(crate) fn new(indent: usize, header: &[&str], numbers: &[usize]) -> Self {
        let header = header.iter().map(|title| Cell::styled(*title, DIM)).collect();
        Self { indent, header, numbers: numbers.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Adds the lines to `out`; without a width nothing is wrapped.
    pub(crate) fn render(&self, width: Option<usize>, out: &mut String) {
        let widths = self.widths();
        for row in std::iter::once(&self.header).chain(&self.rows) {
            self.render_row(row, &widths, width, out);
        }
    }

    fn widths(&self) -> Vec<usize> {
        let rows = || std::iter::once(&self.header).chain(&self.rows);
        let width_of = |column: usize| {
            rows().filter_map(|row| row.get(column)).map(Cell::width).max().unwrap_or(0)
        };
        let columns = rows().map(Vec::len).max().unwrap_or(0);
        (0..columns).map(width_of).collect()
    }

    fn render_row(&self, row: &[Cell], widths: &[usize], width: Option<usize>, out: &mut String) {
        let mut line = " ".repeat(self.indent);
        let mut used = self.indent;
        let (last, cells) = match row.split_last() {
            Some(split) => split,
            None => return,
        };
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            let fill = " ".repeat(width.saturating_sub(cell.width()));
            let text = styled(&cell.text, cell.style);
            if self.numbers.contains(&column) {
                line.push_str(&format!("{fill}{text}"));
            } else {
                line.push_str(&format!("{text}{fill}"));
            }
            line.push_str(&" ".repeat(GAP));
            used += width + GAP;
        }
        let room = width.map_or(usize::MAX, |width| width.saturating_sub(used));
        let fits =
            last.width() <= room || room >= NARROWEST && wrap(&last.text, room).len() <= MOST_LINES;
        let (room, column) = if !fits {
            push_line(out, &line);
            line = " ".repeat(self.indent + GAP);
            let room = width.map_or(usize::MAX, |width| width.saturating_sub(self.indent + GAP));
            (room.max(NARROWEST), self.indent + GAP)
        } else {
            (room, used)
        };
        for (number, part) in wrap(&last.text, room).iter().enumerate() {
            if number > 0 {
                push_line(out, &line);
                line = " ".repeat(column);
            }
            line.push_str(&styled(part, last.style));
        }
        push_line(out, &line);
    }
}

/// A headline of several parts, the first one bold, wrapped at the width.
pub(crate) fn headline(parts: &[(&str, Style)], width: Option<usize>, out: &mut String) {
    let mut line = String::new();
    let mut used = 0;
    for (number, (text, style)) in parts.iter().filter(|(text, _)| !text.is_empty()).enumerate() {
        let length = text.chars().count();
        if number > 0 {
            if width.is_some_and(|width| used + GAP + length > width) {
                push_line(out, &line);
                line = " ".repeat(GAP);
                used = GAP;
            } else {
                line.push_str(&" ".repeat(GAP));
                used += GAP;
            }
        }
        let style = if number == 0 { BOLD } else { *style };
        line.push_str(&styled(text, style));
        used += length;
    }
    push_line(out, &line);
}

fn push_line(out: &mut String, line: &str) {
    out.push_str(line.trim_end());
    out.push('\n');
}

/// Words in lines of at most `room` characters; a longer word is cut. At least one line.
pub(crate) fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut rest: Vec<char> = word.chars().collect();
        while !rest.is_empty() {
            let gap = usize::from(used > 0);
            if used + gap + rest.len() > room && used > 0 {
                lines.push(String::new());
                used = 0;
                continue;
            }
            let take = rest.len().min(room.max(1));
            if let Some(line) = lines.last_mut() {
                line.push_str(if gap > 0 { " " } else { "" });
                line.extend(rest.drain(..take));
            }
            used += gap + take;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::{BAD, without_colour};

    fn sample(why: &str) -> Table {
        let mut table = Table::new(2, &["Server", "Weight", "Why"], &[1]);
        table.row(vec![Cell::new("192.168.1.4:80"), Cell::new("1"), Cell::new("")]);
        table.row(vec![Cell::new("[2001:db8::5]:80"), Cell::new("100"), Cell::styled(why, BAD)]);
        table
    }

    fn lines(table: &Table, width: Option<usize>) -> Vec<String> {
        let mut out = String::new();
        table.render(width, &mut out);
        without_colour(&out).lines().map(str::to_owned).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_numbers_stand_to_the_right() {
        assert_eq!(
            lines(&sample("connection refused"), None),
            [
                "  Server            Weight  Why",
                "  192.168.1.4:80         1",
                "  [2001:db8::5]:80     100  connection refused",
            ]
        );
    }

    #[test]
    fn prose_is_wrapped_under_itself() {
        let found = lines(&sample("no answer within three seconds"), Some(49));
        assert_eq!(found[2], "  [2001:db8::5]:80     100  no answer within");
        assert_eq!(found[3], "                            three seconds");
    }

    #[test]
    fn prose_without_room_has_lines_of_its_own() {
        let found = lines(&sample("no answer within three seconds"), Some(36));
        assert_eq!(found[2], "  [2001:db8::5]:80     100");
        assert_eq!(found[3], "    no answer within three seconds");
        assert_eq!(lines(&sample("refused"), Some(36))[2], "  [2001:db8::5]:80     100  refused");
    }

    #[test]
    fn a_cell_cannot_bring_colours_or_lines_of_its_own() {
        let found = lines(&sample("\u{1b}[32mfine\u{1b}[0m\nup"), None);
        assert_eq!(found[2], r"  [2001:db8::5]:80     100  \u{1b}[32mfine\u{1b}[0m\nup");
    }

    #[test]
    fn a_word_longer_than_the_room_is_cut() {
        assert_eq!(wrap("abcdefgh ij", 3), ["abc", "def", "gh", "ij"]);
        assert_eq!(wrap("", 3), [""]);
    }
}
