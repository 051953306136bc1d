//! Numbers, times, switches, addresses and ports.

use std::net::IpAddr;
use std::time::Duration;

use super::report::Report;
use super::tree::Node;
use super::words::Word;
use crate::foreign::host;

/// Longest time that is taken, in seconds.
const LONGEST: u64 = 86_400;

impl Report {
    /// The word behind a keyword; without one that is reported.
    pub(super) fn value<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n Word> {
        if node.word(0).is_none() {
            let name = &node.name.text;
            let help = format!("write `{name} {what}`");
            self.error(&node.name.at, format!("`{name}` has no value"), help);
        }
        node.word(0)
    }

    /// The whole number behind a keyword.
    pub(super) fn number(&mut self, node: &Node, least: u32, most: u32) -> Option<u32> {
        let word = self.value(node, &least.max(1).to_string())?;
        self.number_in(word, least, most)
    }

    /// A whole number.
    pub(super) fn number_in(&mut self, word: &Word, least: u32, most: u32) -> Option<u32> {
        match word.text.parse::<u32>() {
            Ok(number) if (least..=most).contains(&number) => Some(number),
            Ok(number) => {
                let help = format!("write {least} to {most}");
                self.error(&word.at, format!("{number} is out of range"), help);
                None
            }
            Err(_) => {
                let help = format!("write a whole number, {least} to {most}");
                self.error(&word.at, format!("`{}` is no number", word.text), help);
                None
            }
        }
    }

    /// Seconds with a fraction, at least `least`; rounded to milliseconds, as far as there are any.
    pub(super) fn seconds(&mut self, node: &Node, least: Duration) -> Option<Duration> {
        let word = self.value(node, "5")?;
        let Some(time) = seconds(&word.text) else {
            let help = "write seconds, as 5 or 0.25";
            self.error(&word.at, format!("`{}` is no time", word.text), help);
            return None;
        };
        if time < least || time > Duration::from_secs(LONGEST) {
            let help = format!("write {} to {LONGEST} seconds", least.as_secs_f64());
            self.error(
                &word.at,
                format!("`{} {}` is out of range", node.name.text, word.text),
                help,
            );
            return None;
        }
        Some(time)
    }

    /// A switch: on without a word behind it.
    pub(super) fn switch(&mut self, node: &Node) -> bool {
        match node.word(0).map(|word| word.text.to_ascii_lowercase()).as_deref() {
            None | Some("on" | "true" | "yes") => true,
            Some("off" | "false" | "no") => false,
            Some(other) => {
                let help = format!("write `{0} on` or `{0} off`", node.name.text);
                self.error(node.value_at(), format!("`{other}` is neither on nor off"), help);
                false
            }
        }
    }

    /// An address.
    pub(super) fn address(&mut self, word: &Word) -> Option<IpAddr> {
        let found = word.text.parse().ok();
        if found.is_none() {
            let message = format!("`{}` is no address", word.text);
            self.error(&word.at, message, host::help_for_address(&word.text));
        }
        found
    }

    /// A port; 0 is every port, and `None` here.
    pub(super) fn port(&mut self, word: &Word) -> Option<u16> {
        match crate::foreign::ports::port(&word.text) {
            Ok(port) => Some(port).filter(|port| *port > 0),
            Err(bad) => {
                let (message, help) = bad.words(&word.text);
                self.error(&word.at, message, help);
                None
            }
        }
    }
}

/// Seconds with up to six digits behind the point, in whole milliseconds.
fn seconds(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() + fraction.len() == 0 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let fraction: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let micros = whole.checked_mul(1_000_000)?.checked_add(fraction)?;
    Some(Duration::from_millis(micros.div_ceil(1000)))
}
