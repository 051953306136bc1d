//! Parts to text.

use super::super::yaml::{INDENT, WIDTH};
use super::{Members, Part, Shape, Trivia};

/// The whole file.
pub(super) fn print(top: &Part) -> String {
    let mut text = String::new();
    if let Shape::Block(members) = &top.shape {
        block(members, 0, &mut text, false);
    }
    let end = text.trim_end().len();
    text.truncate(end);
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Members below each other. The first one may stand behind a dash that is there already.
fn block(members: &Members, indent: usize, text: &mut String, behind_dash: bool) {
    for (index, member) in members.list.iter().enumerate() {
        let inline = behind_dash && index == 0;
        trivia(&member.before, indent, text, index == 0);
        if !inline {
            text.push_str(&" ".repeat(indent));
        }
        if members.is_map {
            text.push_str(&member.key);
            text.push(':');
        } else {
            text.push('-');
        }
        value(&member.part, indent, members.is_map, text);
    }
    trivia(&members.foot, indent, text, members.list.is_empty());
}

/// Comments and at most one empty line in a row; none at the beginning.
fn trivia(all: &[Trivia], indent: usize, text: &mut String, is_first: bool) {
    let mut blank = is_first;
    for one in all {
        match one {
            Trivia::Blank => {
                if !blank {
                    text.push('\n');
                }
                blank = true;
            }
            Trivia::Comment(comment, _) => {
                text.push_str(&format!("{}{comment}\n", " ".repeat(indent)));
                blank = false;
            }
        }
    }
}

/// What stands behind a key or a dash at `indent`.
fn value(part: &Part, indent: usize, behind_key: bool, text: &mut String) {
    if !part.anchor.is_empty() {
        text.push_str(&format!(" {}", part.anchor));
    }
    match &part.shape {
        Shape::Nothing => {}
        Shape::Scalar(scalar) => text.push_str(&format!(" {scalar}")),
        Shape::Lines(mark, lines) => {
            text.push_str(&format!(" {mark}"));
            end_of_line(part, text);
            for line in lines {
                let blanks = if line.is_empty() { 0 } else { indent + INDENT };
                text.push_str(&format!("{}{line}\n", " ".repeat(blanks)));
            }
            return;
        }
        Shape::Flow(members) => match one_line(members) {
            Some(line) if fits(text, &line) => text.push_str(&format!(" {line}")),
            _ if members.list.is_empty() => {
                text.push_str(if members.is_map { " {}" } else { " []" });
                end_of_line(part, text);
                trivia(&members.foot, indent + INDENT, text, true);
                return;
            }
            _ => return below(part, members, indent, behind_key, text),
        },
        Shape::Block(members) => return below(part, members, indent, behind_key, text),
    }
    end_of_line(part, text);
}

/// Members on lines of their own.
fn below(part: &Part, members: &Members, indent: usize, behind_key: bool, text: &mut String) {
    let first = members.list.first();
    let inline = !behind_key
        && part.anchor.is_empty()
        && part.comment.is_none()
        && first.is_some_and(|first| first.before.is_empty());
    if inline {
        text.push_str(&" ".repeat(INDENT - 1));
        block(members, indent + INDENT, text, true);
    } else {
        end_of_line(part, text);
        block(members, indent + INDENT, text, false);
    }
}

/// The comment behind a value stays in its column where it can.
fn end_of_line(part: &Part, text: &mut String) {
    if let Some((comment, column)) = &part.comment {
        let written = line_length(text);
        let blanks = column.saturating_sub(written).max(2);
        text.push_str(&" ".repeat(blanks));
        text.push_str(comment);
    }
    text.push('\n');
}

fn line_length(text: &str) -> usize {
    text.rsplit('\n').next().unwrap_or_default().chars().count()
}

fn fits(text: &str, line: &str) -> bool {
    line_length(text) + 1 + line.chars().count() <= WIDTH
}

/// The whole on one line, if no comment is in the way.
fn one_line(members: &Members) -> Option<String> {
    if !members.foot.is_empty() {
        return None;
    }
    let mut list = Vec::new();
    for member in &members.list {
        if !member.before.is_empty() || member.part.comment.is_some() {
            return None;
        }
        let value = match &member.part.shape {
            Shape::Nothing => String::new(),
            Shape::Scalar(scalar) => scalar.clone(),
            Shape::Flow(members) => one_line(members)?,
            Shape::Lines(..) | Shape::Block(_) => return None,
        };
        let words = [member.part.anchor.as_str(), value.as_str()];
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let value = words.join(" ");
        list.push(match (members.is_map, value.is_empty()) {
            (false, _) => value,
            (true, true) => format!("{}:", member.key),
            (true, false) => format!("{}: {value}", member.key),
        });
    }
    Some(match (members.is_map, list.is_empty()) {
        (true, true) => "{}".into(),
        (true, false) => format!("{{ {} }}", list.join(", ")),
        (false, _) => format!("[{}]", list.join(", ")),
    })
}
