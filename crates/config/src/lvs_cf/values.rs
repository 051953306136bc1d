//! Values of lvs.cf: numbers, switches, addresses, masks, text with escapes.

use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use super::lexer::{Setting, Value};
use crate::diagnostic::{Diagnostics, nearest};
use crate::foreign::hosts::{self, Lookup};
use crate::foreign::report::Reporter;
use crate::foreign::{host, mask, ports};
use crate::model::Host;
use crate::source::Source;

/// Where problems are reported while the file is read.
pub(super) struct Report<'a> {
    /// The file.
    pub(super) source: &'a Source,
    out: &'a mut Diagnostics,
    lookup: &'a mut Lookup<'a>,
}

/// The settings of one block.
#[derive(Clone, Copy)]
pub(super) struct Settings<'a>(pub(super) &'a [Setting]);

impl<'a> Settings<'a> {
    /// The setting of a key.
    pub(super) fn get(self, key: &str) -> Option<&'a Setting> {
        self.0.iter().find(|setting| setting.key.text == key)
    }
}

impl Reporter for Report<'_> {
    fn at(&mut self) -> (&Source, &mut Diagnostics) {
        (self.source, self.out)
    }
}

impl<'a> Report<'a> {
    /// Nothing reported yet.
    pub(super) fn new(
        source: &'a Source,
        out: &'a mut Diagnostics,
        lookup: &'a mut Lookup<'a>,
    ) -> Self {
        Self { source, out, lookup }
    }

    /// Whether the file is refused already: then what is missing may be a consequence.
    pub(super) fn is_refused(&self) -> bool {
        self.out.has_errors()
    }

    /// The only value of a key.
    pub(super) fn one<'s>(&mut self, setting: &'s Setting) -> Option<&'s Value> {
        let first = setting.values.first()?;
        if let Some(extra) = setting.values.get(1) {
            let all: Vec<&str> = setting.values.iter().map(|value| value.text.as_str()).collect();
            let help = format!(
                "text with blanks stands between quotes: `{} = \"{}\"`",
                setting.key.text,
                all.join(" ")
            );
            let message =
                format!("`{}` has one value, `{}` is too many", setting.key.text, extra.text);
            self.error(&extra.span, message, help);
            return None;
        }
        Some(first)
    }

    /// A whole number of 0 or more, or the default when the key is absent.
    pub(super) fn number(&mut self, settings: Settings<'_>, key: &str, default: u32) -> u32 {
        let Some(setting) = settings.get(key) else { return default };
        let Some(value) = self.one(setting) else { return default };
        self.number_of(key, value).unwrap_or(default)
    }

    /// Piranha reads numbers as C does: 0x10 is 16, 010 is 8.
    fn number_of(&mut self, key: &str, value: &Value) -> Option<u32> {
        let text = value.text.as_str();
        let parsed = match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None if text.len() > 1 && text.starts_with('0') => u32::from_str_radix(text, 8).ok(),
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
            None => None,
        };
        let Some(number) = parsed else {
            let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
            let help = match text.strip_prefix('-') {
                Some(_) => "write 0 or more".to_string(),
                None if digits.is_empty() => format!("write a whole number: `{key} = 5`"),
                None if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    "numbers go up to 4294967295".to_string()
                }
                None => format!("write `{key} = {digits}`: times are whole seconds"),
            };
            self.error(&value.span, format!("`{}` is no number for `{key}`", value.text), help);
            return None;
        };
        if number.to_string() != text {
            let message = format!("`{text}` is {number}");
            let help = format!("read as C and Piranha read it; write `{key} = {number}`");
            self.warning(&value.span, message, help);
        }
        Some(number)
    }

    /// Seconds.
    pub(super) fn seconds(&mut self, settings: Settings<'_>, key: &str, default: u32) -> Duration {
        Duration::from_secs(u64::from(self.number(settings, key, default)))
    }

    /// Seconds of 1 or more.
    pub(super) fn some_seconds(
        &mut self,
        settings: Settings<'_>,
        key: &str,
        default: u32,
    ) -> Duration {
        let time = self.seconds(settings, key, default);
        if !time.is_zero() {
            return time;
        }
        if let Some(setting) = settings.get(key) {
            let span = setting.values.first().map_or(&setting.key.span, |value| &value.span);
            self.error(span, format!("`{key}` cannot be 0"), "write whole seconds, 1 or more");
        }
        Duration::from_secs(u64::from(default))
    }

    /// `0` or `1`.
    pub(super) fn switch(&mut self, settings: Settings<'_>, key: &str, default: bool) -> bool {
        let Some(setting) = settings.get(key) else { return default };
        let Some(value) = self.one(setting) else { return default };
        match value.text.as_str() {
            "0" => false,
            "1" => true,
            other => {
                let help = match other.to_lowercase().as_str() {
                    "yes" | "true" | "on" => format!("write `{key} = 1`"),
                    "no" | "false" | "off" => format!("write `{key} = 0`"),
                    _ => format!("write `{key} = 1` for on, `{key} = 0` for off"),
                };
                self.error(&value.span, format!("`{other}` is neither 0 nor 1"), help);
                default
            }
        }
    }

    /// A port by number or name.
    pub(super) fn port(
        &mut self,
        settings: Settings<'_>,
        key: &str,
    ) -> Option<(u16, Range<usize>)> {
        let setting = settings.get(key)?;
        let value = self.one(setting)?;
        match ports::port(&value.text) {
            Ok(port) => Some((port, value.span.clone())),
            Err(bad) => {
                let (message, help) = bad.words(&value.text);
                self.error(&value.span, message, help);
                None
            }
        }
    }

    /// One of some words; capitals are forgiven.
    pub(super) fn word<'w>(
        &mut self,
        settings: Settings<'_>,
        key: &str,
        words: &'w [&'w str],
    ) -> Option<&'w str> {
        let setting = settings.get(key)?;
        let value = self.one(setting)?;
        if let Some(word) = words.iter().find(|word| **word == value.text) {
            return Some(*word);
        }
        let lower = value.text.to_lowercase();
        if let Some(word) = words.iter().find(|word| **word == lower) {
            let help = format!("write `{key} = {word}`; Piranha itself would refuse capitals");
            self.warning(&value.span, format!("`{}` is taken for `{word}`", value.text), help);
            return Some(*word);
        }
        let help = match nearest(&value.text, words.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", words.join(", ")),
        };
        self.error(&value.span, format!("`{}` is no value for `{key}`", value.text), help);
        None
    }

    /// A host: an address or a name.
    pub(super) fn host(&mut self, setting: &Setting) -> Option<Host> {
        let value = self.one(setting)?;
        let found = host::host(&value.text);
        if found.is_none() {
            let message = format!("`{}` is no host", value.text);
            self.error(&value.span, message, host::help(&value.text));
        }
        found
    }

    /// An address; `0.0.0.0` means none.
    pub(super) fn address(&mut self, settings: Settings<'_>, key: &str) -> Option<IpAddr> {
        let setting = settings.get(key)?;
        let value = self.one(setting)?;
        self.address_of(value).filter(|address| !address.is_unspecified())
    }

    /// An address, or a name that stands in /etc/hosts: nobody is asked while a file is read.
    pub(super) fn address_of(&mut self, value: &Value) -> Option<IpAddr> {
        match host::host(&value.text) {
            Some(Host::Address(address)) => Some(address),
            Some(Host::Name(name)) => {
                let found = (self.lookup)(&name).into_iter().find(IpAddr::is_ipv4);
                if found.is_none() {
                    let message = format!("`{name}` has no IPv4 address in /etc/hosts");
                    self.error(&value.span, message, hosts::HELP);
                }
                found
            }
            None => {
                let help = "write an address like 192.168.1.1";
                self.error(&value.span, format!("`{}` is no address", value.text), help);
                None
            }
        }
    }

    /// A netmask as a prefix length; `0.0.0.0` means none.
    pub(super) fn mask(&mut self, settings: Settings<'_>, key: &str, bits: u8) -> Option<u8> {
        let setting = settings.get(key)?;
        let value = self.one(setting)?;
        match mask::prefix_length(&value.text, bits) {
            Ok(length) => Some(length).filter(|length| *length > 0),
            Err(bad) => {
                let help = format!("write `{key} = 255.255.255.0`");
                self.error(&value.span, bad.message(&value.text), help);
                None
            }
        }
    }

    /// Text as it is sent or expected: `\r \n \t \' \" \\` stand for what they do in C.
    pub(super) fn text(&mut self, setting: &Setting) -> Option<String> {
        let value = self.one(setting)?;
        if value.quote == Some('\'') {
            let help = "only what is between them counts; Piranha itself would send them too";
            self.warning(&value.span, "the single quotes are not sent", help);
        }
        let mut text = String::new();
        let mut characters = value.text.chars().peekable();
        while let Some(character) = characters.next() {
            let escaped = match characters.peek() {
                Some('r') => '\r',
                Some('n') => '\n',
                Some('t') => '\t',
                Some(quote @ ('\'' | '"' | '\\')) => *quote,
                _ => '\0',
            };
            if character == '\\' && escaped != '\0' {
                characters.next();
                text.push(escaped);
            } else {
                text.push(character);
            }
        }
        Some(text)
    }

    /// A program with its arguments; there is no shell.
    pub(super) fn program(&mut self, setting: &Setting) -> Option<Vec<String>> {
        let value = self.one(setting)?;
        let argv: Vec<String> = value.text.split_whitespace().map(str::to_string).collect();
        if argv.is_empty() {
            let help = format!("write `{} = \"/path/to/program argument\"`", setting.key.text);
            self.error(&value.span, format!("`{}` names no program", setting.key.text), help);
            return None;
        }
        Some(argv)
    }
}
