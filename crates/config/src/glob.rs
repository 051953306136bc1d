//! Files that a pattern names.

use std::path::{Component, Path, PathBuf};

use crate::files::Files;

/// Most files that one pattern stands for.
pub(crate) const MOST_FILES: usize = 1000;

/// The paths that a pattern stands for, sorted; without a wildcard, itself. Folders that are looked
/// into are watched, because a file that fits may appear.
pub(crate) fn paths(files: &mut Files<'_>, pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for component in pattern.components() {
        let text = component.as_os_str().to_string_lossy();
        let wild = matches!(component, Component::Normal(_)) && is_pattern(&text);
        let mut next = Vec::new();
        for path in found {
            if wild {
                let names = files.list(&path).into_iter();
                let fits = names.filter(|name| matches(text.as_bytes(), name.as_bytes()));
                next.extend(fits.map(|name| path.join(name)));
            } else {
                next.push(path.join(component));
            }
        }
        next.truncate(MOST_FILES);
        found = next;
    }
    found
}

/// Whether a text stands for more than itself.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// The path without `name/..`, so that a file has one name.
pub(crate) fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        let last = plain.components().next_back();
        match component {
            Component::ParentDir if matches!(last, Some(Component::Normal(_))) => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

/// Whether a name fits a pattern of `*`, `?` and `[…]`. A `.` at its beginning is only met by one.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.first() == Some(&b'.') && pattern.first() != Some(&b'.') {
        return false;
    }
    fits(pattern, name)
}

fn fits(pattern: &[u8], name: &[u8]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        let step = match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, n));
                p += 1;
                continue;
            }
            Some(_) => one(pattern.get(p..).unwrap_or_default(), name.get(n).copied()),
            None => None,
        };
        match (step, star) {
            (Some(length), _) => (p, n) = (p + length, n + 1),
            (None, Some((at, from))) => {
                star = Some((at, from + 1));
                (p, n) = (at + 1, from + 1);
            }
            (None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|byte| *byte == b'*')
}

/// How much of a pattern one byte takes, if it fits.
fn one(pattern: &[u8], byte: Option<u8>) -> Option<usize> {
    let byte = byte?;
    let (first, rest) = pattern.split_first()?;
    let close = rest.iter().skip(1).position(|c| *c == b']').map(|at| at + 1);
    match (first, close) {
        (b'?', _) => Some(1),
        (b'[', Some(close)) => {
            let set = rest.get(..close).unwrap_or_default();
            let (set, not) = match set.split_first() {
                Some((b'!' | b'^', set)) => (set, true),
                _ => (set, false),
            };
            let range = |w: &[u8]| matches!(w, [a, b'-', z] if (*a..=*z).contains(&byte));
            let inside = set.contains(&byte) || set.windows(3).any(range);
            (inside != not).then_some(close + 2)
        }
        (literal, _) => (*literal == byte).then_some(1),
    }
}
