//! Lines that hold a password are shown without it: a diagnostic goes into logs and the status.

use super::{Diagnostic, Diagnostics, nearest};

/// What a password is called, in files of other programs and where somebody tries it in ours.
const NAMES: [&str; 4] = ["passwd", "password", "secret", "pass"];

/// What the name of a file with a password is called in ours: a name is not a password.
const FILES: [&str; 2] = ["password_file", "secret_file"];

/// A directive of ha.cf: host, device, and what the device is told.
const DEVICE: &str = "stonith_host";

impl Diagnostics {
    /// Takes the passwords out of every problem. What a line says behind such a name is a password
    /// up to the end of the line.
    pub(crate) fn hide_passwords(&mut self) {
        for diagnostic in &mut self.found {
            if let Some(start) = parameters(&diagnostic.source_line) {
                // No message repeats them.
                hide_behind(&mut diagnostic.source_line, start);
            } else if let Some(start) = password(&diagnostic.source_line) {
                hide(diagnostic, start);
            }
        }
    }
}

/// Where a line begins to say what a device is told, which may be a password.
fn parameters(line: &str) -> Option<usize> {
    let mut ends = words(line);
    let (name, _) = ends.next()?;
    nearest(name, [DEVICE])?;
    ends.nth(1).map(|(_, end)| end)
}

/// The words of a line of ha.cf, each with where it ends.
fn words(line: &str) -> impl Iterator<Item = (&str, usize)> {
    let mut at = 0;
    line.split(|c: char| c.is_whitespace() || c == ',').filter_map(move |word| {
        let end = at + word.len();
        // What separates two words may be longer than a byte.
        let separator = line.get(end..).and_then(|rest| rest.chars().next());
        at = end + separator.map_or(0, char::len_utf8);
        (!word.is_empty()).then_some((word, end))
    })
}

/// Where a line begins to say a password.
fn password(line: &str) -> Option<usize> {
    let mut at = 0;
    let mut is_first = true;
    for word in line.split(|c: char| !(c.is_alphanumeric() || c == '_')) {
        let behind = line.get(at + word.len()..).unwrap_or_default();
        let is_name = match is_first {
            // Somebody may have mistyped the name of a directive.
            true => word.len() > 3 && is_near(word),
            // Others stand in names of files, too.
            false => NAMES.contains(&word.to_lowercase().as_str()) && is_set(behind),
        };
        is_first &= word.is_empty();
        at += word.len();
        if is_name {
            return Some(at);
        }
        at += behind.chars().next().map_or(0, char::len_utf8);
    }
    None
}

fn is_near(word: &str) -> bool {
    let known = NAMES.into_iter().chain(FILES);
    nearest(word, known).is_some_and(|near| NAMES.contains(&near))
}

/// Whether a value follows.
fn is_set(behind: &str) -> bool {
    behind.trim_start_matches(['"', '\'', ' ', '\t']).starts_with(['=', ':'])
}

/// What stays of a line behind the name of a password.
fn kept(c: char) -> bool {
    c.is_whitespace() || ['=', ':', '"', '\''].contains(&c)
}

fn hide_behind(line: &mut String, start: usize) {
    let (name, said) = line.split_at(start);
    let stars: String = said.chars().map(|c| if kept(c) { c } else { '*' }).collect();
    *line = format!("{name}{stars}");
}

fn hide(diagnostic: &mut Diagnostic, start: usize) {
    let said = diagnostic.source_line.get(start..).unwrap_or_default();
    let whole = said.trim_matches(kept).to_owned();
    let words = said.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
    let words: Vec<String> = words.filter(|word| word.chars().count() > 2).collect();
    hide_behind(&mut diagnostic.source_line, start);
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
        for line in [
            "password_file: imap.password",
            "password_fil: imap.password",
            "pasword_file: imap.password",
            "  - { imap: { login: a, password_file: secret/imap, tls: true } }",
            "    check: { pop: { password_file: pop.password, login: anna } }",
            "server web {",
            "service=imap",
            "pass",
            "stonith apcmaster /etc/ha.d/apc.conf",
        ] {
            assert!(told(line, "wrong", "mend").contains(line), "{line}");
        }
    }

    #[test]
    fn what_a_device_is_told_is_not_shown() {
        for line in [
            "stonith_host * baytech 10.0.0.3 login geheim",
            "\tstonith_host one, external/ipmi\ttwo 10.0.0.3 admin geheim lan # c",
            "stonit_host * baytech geheim",
        ] {
            let shown = told(line, "these can be seen", "write `stonith /etc/ha.d/x.conf`");
            assert!(!shown.contains("geheim") && shown.contains("******"), "{line}: {shown}");
            assert!(shown.contains("/etc/ha.d/x.conf") && shown.contains("can be seen"), "{shown}");
            assert!(shown.contains("baytech") || shown.contains("ipmi"), "{shown}");
        }
    }
}
