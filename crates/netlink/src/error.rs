//! Why the kernel did not do, or could not be asked.

use std::io;

use ipvs::wire::WireError;

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The kernel has no IPVS, and could not load it by itself.
    #[error("this kernel has no IPVS: load it with `modprobe ip_vs`")]
    NoIpvs,
    /// The kernel has no nf_tables, and could not load it by itself.
    #[error("this kernel has no nf_tables: load it with `modprobe nf_tables`")]
    NoNetfilter,
    /// The process lacks a capability.
    #[error("not permitted: this needs CAP_NET_ADMIN in the first user namespace")]
    NotPermitted,
    /// The kernel refused the request.
    #[error("{}", refusal(*errno, text.as_deref()))]
    Refused {
        /// The kernel's error number.
        errno: i32,
        /// The kernel's own words, or what the number means here.
        text: Option<String>,
    },
    /// No answer within three seconds.
    #[error("the kernel did not answer within 3 s")]
    Timeout,
    /// Answers or notices were lost because they were not read fast enough: ask for everything anew.
    #[error("the kernel's answers overran the socket; the state has to be read anew")]
    Overrun,
    /// The table changed on and on while it was being listed.
    #[error("the list changed while it was read, several times in a row")]
    Unsteady,
    /// The answer cannot be read.
    #[error("the kernel's answer cannot be read: {0}")]
    Wire(#[from] WireError),
    /// The socket itself failed.
    #[error("netlink socket: {0}")]
    Socket(String),
}

fn refusal(errno: i32, text: Option<&str>) -> String {
    let name = io::Error::from_raw_os_error(errno);
    match text {
        Some(text) => format!("{text} ({name})"),
        None => name.to_string(),
    }
}

impl KernelError {
    /// The kernel's error number, if it gave one.
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::NotPermitted => Some(libc::EPERM),
            Self::Refused { errno, .. } => Some(*errno),
            _ => None,
        }
    }

    pub(crate) fn refused(errno: i32, text: Option<String>) -> Self {
        match errno {
            libc::EPERM => Self::NotPermitted,
            errno => Self::Refused { errno, text },
        }
    }
}

impl From<rustix::io::Errno> for KernelError {
    fn from(errno: rustix::io::Errno) -> Self {
        io::Error::from(errno).into()
    }
}

impl From<io::Error> for KernelError {
    fn from(error: io::Error) -> Self {
        match error.raw_os_error() {
            Some(libc::ENOBUFS) => Self::Overrun,
            Some(libc::EPERM) => Self::NotPermitted,
            _ => Self::Socket(error.to_string()),
        }
    }
}
