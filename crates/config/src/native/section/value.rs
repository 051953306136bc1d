//! The value of a key: a time, a number, a word.

use std::time::Duration;

use super::{Reading, Section, not_empty, word};
use crate::native::key::{Default, Kind};
use crate::native::scalar::{self, Problem};
use crate::native::tree::{Node, Value};

impl<'n, 'a: 'n> Reading<'a> {
    /// A time within the table's range, or the table's default if that is a value.
    pub(in crate::native) fn duration(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
    ) -> Option<Duration> {
        let key = section.key(name)?;
        let parse = |text: &str| {
            let time = scalar::duration(text)?;
            match key.kind {
                Kind::Duration { min, max }
                    if time < Duration::from_millis(min) || time > Duration::from_millis(max) =>
                {
                    let help = format!("give it {}", key.kind_text());
                    Err(Problem::new(format!("{text} is out of range"), help))
                }
                _ => Ok(time),
            }
        };
        self.or_default(section, key, parse)
    }

    /// A time in whole seconds, which is all that the kernel takes.
    pub(in crate::native) fn seconds(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
    ) -> Option<Duration> {
        let span = section.span_of(name);
        let time = self.duration(section, name)?;
        if time.subsec_nanos() != 0 {
            let message = format!("{name}: the kernel counts in whole seconds");
            let help = format!("write {}s or {}s", time.as_secs(), time.as_secs() + 1);
            self.error(span.unwrap_or(0..0), message, help);
        }
        Some(time)
    }

    /// A whole number within the table's range, or the table's default if that is a value.
    pub(in crate::native) fn integer<T: TryFrom<u64>>(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
    ) -> Option<T> {
        let key = section.key(name)?;
        let parse = |text: &str| {
            let value = text.trim().parse::<u64>();
            let help = format!("give it {}", key.kind_text());
            let Ok(value) = value else {
                return Err(Problem::new(format!("{text} is not a whole number"), help));
            };
            let in_range = match key.kind {
                Kind::Integer { min, max, .. } => (min..=max).contains(&value),
                _ => true,
            };
            match T::try_from(value) {
                Ok(value) if in_range => Ok(value),
                _ => Err(Problem::new(format!("{text} is out of range"), help)),
            }
        };
        self.or_default(section, key, parse)
    }

    /// One of the table's words, as given or by default, turned into a value by `meaning`.
    pub(in crate::native) fn choice<T>(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
        meaning: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let key = section.key(name)?;
        self.or_default(section, key, |text| word(text, key.kind, &meaning))
    }

    /// `true` or `false`.
    pub(in crate::native) fn boolean(&mut self, section: &mut Section<'n>, name: &str) -> bool {
        let fallback = section.key(name).is_some_and(|key| key.default == Default::Value("true"));
        match self.given(section, name) {
            None => fallback,
            Some(Node { value: Value::Boolean(value), .. }) => value,
            Some(node) => {
                let text = self.text_of(&node).unwrap_or_default().to_lowercase();
                let meant = match text.as_str() {
                    "yes" | "on" | "1" => "write true",
                    "no" | "off" | "0" => "write false",
                    _ => "write true or false",
                };
                let message = format!("{name} wants true or false, not {}", node.value.noun());
                self.error(node.span, message, meant);
                fallback
            }
        }
    }

    /// Text that is not empty.
    pub(in crate::native) fn text(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
    ) -> Option<String> {
        self.parsed(section, name, not_empty).map(|given| given.value)
    }

    /// An IPv4 or IPv6 address.
    pub(in crate::native) fn address(
        &mut self,
        section: &mut Section<'n>,
        name: &str,
    ) -> Option<std::net::IpAddr> {
        self.parsed(section, name, scalar::address).map(|given| given.value)
    }
}
