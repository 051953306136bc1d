//! Passwords of checks.

use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

/// A password. Its debug form says nothing of it, it has no other form for people, and no file
/// of ours is written with it.
///
/// It is serialised as it is, for the two places that need it: what lvsd says to nanny, and what a
/// daemon remembers of the configuration in force, in a file that nobody else may read.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Secret {
    /// The file that holds it, relative to the configuration's folder; none when it stands in the
    /// configuration itself (ldirectord's `passwd`).
    pub file: Option<String>,
    text: String,
}

impl Secret {
    /// A password that stands in the configuration itself.
    pub fn inline(text: impl Into<String>) -> Self {
        Self { file: None, text: text.into() }
    }

    /// A password that has yet to be [read](Self::read) from its file.
    pub fn in_file(file: impl Into<String>) -> Self {
        Self { file: Some(file.into()), text: String::new() }
    }

    /// What its file holds.
    pub fn read(&mut self, text: String) {
        self.text = text;
    }

    /// The password, for whoever logs in with it.
    pub fn expose(&self) -> &str {
        &self.text
    }
}

/// Two are the same when they say the same, wherever they stand.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Secret {}

impl Hash for Secret {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "Secret(… of {file})"),
            None => f.write_str("Secret(…)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_debug_form_names_the_file_and_says_nothing_of_the_password() {
        assert_eq!(format!("{:?}", Secret::inline("geheim")), "Secret(…)");
        let mut secret = Secret::in_file("imap.password");
        secret.read("geheim".to_owned());
        assert_eq!(format!("{secret:?}"), "Secret(… of imap.password)");
        assert_eq!(secret, Secret::inline("geheim"));
        assert_ne!(secret, Secret::inline("anders"));
    }
}
