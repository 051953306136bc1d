//! How a program ends.

use std::process::ExitCode;

/// The exit codes that scripts rely on (BSD `sysexits.h` numbers).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Done.
    Done,
    /// The command line is wrong.
    Usage,
    /// The kernel has no IPVS, or a daemon that is needed does not answer.
    Unavailable,
    /// A defect of our own, or a failure that nothing else describes.
    Internal,
    /// A privilege is missing.
    Privilege,
    /// The configuration is wrong.
    Configuration,
}

impl Exit {
    /// Every one of them, by number.
    pub const ALL: [Self; 6] = [
        Self::Done,
        Self::Usage,
        Self::Unavailable,
        Self::Internal,
        Self::Privilege,
        Self::Configuration,
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Usage => 64,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Privilege => 77,
            Self::Configuration => 78,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

/// Why a program ends early: a code, and one line that says what was tried, on what, why it
/// failed and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExitError {
    /// The code.
    pub exit: Exit,
    /// The line.
    pub message: String,
}

impl ExitError {
    /// An end with this code and line.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }

    /// The command line is wrong: 64.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// No IPVS, or no daemon answers: 69.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Exit::Unavailable, message)
    }

    /// A defect or an unforeseen failure: 70.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Internal, message)
    }

    /// A privilege is missing: 77.
    pub fn privilege(message: impl Into<String>) -> Self {
        Self::new(Exit::Privilege, message)
    }

    /// The configuration is wrong: 78.
    pub fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, message)
    }

    /// The code that fits a failed system call: 77 for a refused permission, else `otherwise`.
    pub fn from_io(error: &std::io::Error, otherwise: Exit, message: impl Into<String>) -> Self {
        let exit = match error.kind() {
            std::io::ErrorKind::PermissionDenied => Exit::Privilege,
            _ => otherwise,
        };
        Self::new(exit, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_the_documented_ones() {
        assert_eq!(Exit::ALL.map(Exit::code), [0, 64, 69, 70, 77, 78]);
    }

    #[test]
    fn a_refused_permission_is_told_from_other_failures() {
        let denied = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
        let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
        assert_eq!(ExitError::from_io(&denied, Exit::Internal, "x").exit, Exit::Privilege);
        assert_eq!(ExitError::from_io(&missing, Exit::Internal, "x").exit, Exit::Internal);
    }
}
