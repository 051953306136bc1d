//! Values with their tag and length (BER), as far as LDAP has them.

/// Integers, texts and choices of a sequence.
pub(super) const SEQUENCE: u8 = 0x30;
/// A whole number.
pub(super) const INTEGER: u8 = 2;
/// Bytes.
pub(super) const TEXT: u8 = 4;
/// A number that stands for a word.
pub(super) const ENUMERATED: u8 = 10;

/// A value of these parts.
pub(super) fn tagged(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let mut whole = vec![tag];
    match u8::try_from(value.len()) {
        Ok(length) if length < 0x80 => whole.push(length),
        _ => {
            let length = u32::try_from(value.len()).unwrap_or(u32::MAX);
            whole.push(0x84);
            whole.extend(length.to_be_bytes());
        }
    }
    whole.extend(value);
    whole
}

/// What stands before a value: its tag, how long this is, and how long the value is. None while
/// it is not whole, and where its length has a form that LDAP does not allow.
pub(super) fn head(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let (tag, first) = (*bytes.first()?, *bytes.get(1)?);
    let count = usize::from(first & 0x7f);
    if first < 0x80 {
        return Some((tag, 2, count));
    }
    if !(1..=4).contains(&count) {
        return None;
    }
    let digits = bytes.get(2..2 + count)?;
    let length = digits.iter().fold(0_usize, |length, digit| length << 8 | usize::from(*digit));
    Some((tag, 2 + count, length))
}

/// The first value's tag and content, and what follows it.
pub(super) fn value(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, begin, length) = head(bytes)?;
    let (whole, rest) = bytes.split_at_checked(begin.checked_add(length)?)?;
    Some((tag, whole.get(begin..)?, rest))
}

/// The first value, which has this tag, and what follows it.
pub(super) fn of(tag: u8, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    value(bytes).filter(|(found, ..)| *found == tag).map(|(_, content, rest)| (content, rest))
}
