//! Paths of HTTP requests that were written as people write them.

use std::fmt::Write;

/// A path, or a whole address, with all that it may not hold in percent signs and digits, as the
/// library of ldirectord has it; what is written so already stays, and blanks at the end go.
pub(crate) fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for character in path.trim_ascii_end().chars() {
        if character.is_ascii_alphanumeric() || ALLOWED.contains(character) {
            text.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            // Writing to a String does not fail.
            let _written = write!(text, "%{byte:02X}");
        }
    }
    text
}

/// Reserved and unreserved characters, and those around what is encoded or left out.
const ALLOWED: &str = "-_.!~*'();/?:@&=+$,[]%#";
