//! Lines that hold a password are shown without it: a diagnostic goes into logs and the status.

use super::{Diagnostic, Diagnostics, nearest};

/// What a password is called, in files of other programs and where somebody tries it in ours.
const NAMES: [&str; 4] = ["passwd", "password", "secret", "pass"];

impl Diagnostics {
    /// Takes the passwords out of every problem. What a line says behind such a name is a password
    /// up to the end of the line.
    pub(crate) fn hide_passwords(&mut self) {
        for diagnostic in &mut self.found {
            if let Some(start) = password(&diagnostic.source_line) {
                hide(diagnostic, start);
            }
        }
    }
}

/// Where a line begins to say a password.
fn password(line: &str) -> Option<usize> {
    let mut at = 0;
    let mut is_first = true;
    for word in line.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let is_name = match is_first {
            // Somebody may have mistyped the name of a directive.
            true => word.len() > 3 && nearest(word, NAMES).is_some(),
            false => NAMES.contains(&word.to_lowercase().as_str()),
        };
        is_first &= word.is_empty();
        at += word.len();
        if is_name {
            return Some(at);
        }
        at += line.get(at..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    }
    None
}

fn hide(diagnostic: &mut Diagnostic, start: usize) {
    let (name, said) = diagnostic.source_line.split_at(start);
    let kept = |c: char| c.is_whitespace() || ['=', ':', '"', '\''].contains(&c);
    let stars: String = said.chars().map(|c| if kept(c) { c } else { '*' }).collect();
    let whole = said.trim_matches(kept).to_owned();
    let words = said.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let words: Vec<String> = words.filter(|word| word.chars().count() > 2).collect();
    diagnostic.source_line = format!("{name}{stars}");
    // A comment or a bracket may stand behind it.
    let tells = |text: &str| {
        let has_word = words.iter().any(|word| text.contains(word));
        has_word || !whole.is_empty() && text.contains(&whole)
    };
    if tells(&diagnostic.message) {
        diagnostic.message = "this line cannot be used".to_owned();
    }
    if diagnostic.help.as_deref().is_some_and(tells) {
        diagnostic.help = Some("write the password between plain quotes".to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Source;

    fn told(line: &str, message: &str, help: &str) -> String {
        let mut out = Diagnostics::new();
        out.error(&Source::new("f", line.as_bytes()), 0..line.len(), message, help);
        out.hide_passwords();
        crate::render(out.as_slice(), false)
    }

    #[test]
    fn a_password_is_shown_neither_in_its_line_nor_in_the_words_about_it() {
        for line in [
            "\tpasswd = \"top geheim\"",
            "passwd=top geheim",
            "passwrd=\"top geheim\" # c",
            "  - { type: imap, password: top geheim }",
            "    secret=“top geheim”",
        ] {
            let shown = told(line, "`top geheim` is wrong", "write \"top geheim\"");
            assert!(!shown.contains("geheim") && !shown.contains("top"), "{line}: {shown}");
            assert!(shown.contains("***"), "{line}: {shown}");
        }
    }

    #[test]
    fn other_lines_are_shown_as_they_are() {
        for line in ["password_file: imap.password", "server web {", "service=imap", "pass"] {
            assert!(told(line, "wrong", "mend").contains(line), "{line}");
        }
    }
}
