//! What the manual says is different on purpose.

/// The page where a person who comes from another program reads it.
const PAGE: &str = include_str!("../../man/caribe.7");

/// Whether the page has this sentence, whatever its lines and marks are.
pub(crate) fn says(sentence: &str) -> bool {
    let words = PAGE.lines().filter_map(|line| match line.strip_prefix('.') {
        None => Some(line.to_owned()),
        // A quoted word, with what follows it.
        Some(mark) => Some(mark.strip_prefix("Ql ")?.replace(" .", ".").replace(" ,", ",")),
    });
    words.collect::<Vec<_>>().join(" ").contains(sentence)
}
