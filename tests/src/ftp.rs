//! An FTP server on a host, and files that go to it and come from it.

use crate::failure::Context;
use crate::{Daemon, Failure, Node, Outcome};
use std::fs;
use std::os::unix::fs::chown;
use std::path::PathBuf;

/// The file that each server has: its own name.
const NAME: &str = "who";
/// Where files may be put.
const INBOX: &str = "inbox";
/// The user that the server's package makes.
const USER: &str = "ftp";
/// Ports for the data of passive transfers.
pub const PASSIVE: &str = "10000-10009";

/// How the data connection comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// The client opens it, to the port that the answer to `PASV` names.
    Passive,
    /// The same with `EPSV`.
    ExtendedPassive,
    /// The server opens it, to the port that `PORT` names.
    Active,
    /// The same with `EPRT`.
    ExtendedActive,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 4] =
        [Self::Passive, Self::ExtendedPassive, Self::Active, Self::ExtendedActive];

    fn options(self) -> &'static [&'static str] {
        match self {
            Self::Passive => &["--disable-epsv"],
            Self::ExtendedPassive => &[],
            Self::Active => &["-P", "-", "--disable-eprt"],
            Self::ExtendedActive => &["-P", "-"],
        }
    }
}

/// `vsftpd` on a host; it ends with this.
#[derive(Debug)]
pub struct FtpServer {
    /// Keeps the program.
    _daemon: Daemon,
    inbox: PathBuf,
}

impl FtpServer {
    /// Starts it on port 21, for anybody.
    ///
    /// # Errors
    /// When its package is not there, or a file cannot be written.
    pub fn start(node: &Node) -> Outcome<Self> {
        Self::start_with(node, "no_anon_password=YES\n")
    }

    /// The same for whoever knows a password that stands in this file, on a line of its own.
    ///
    /// # Errors
    /// As those of [`Self::start`].
    pub fn start_guarded(node: &Node, passwords: &str) -> Outcome<Self> {
        let more = "secure_email_list_enable=YES\nemail_password_file=";
        Self::start_with(node, &format!("{more}{passwords}\n"))
    }

    fn start_with(node: &Node, more: &str) -> Outcome<Self> {
        let root = node.folder().join("ftp");
        let inbox = root.join(INBOX);
        fs::create_dir_all(&inbox).context(inbox.display())?;
        fs::write(root.join(NAME), node.name()).context(root.display())?;
        let (user, group) = user(node)?;
        chown(&inbox, Some(user), Some(group)).context(inbox.display())?;
        let text = format!(
            "listen=YES\nbackground=NO\nanonymous_enable=YES\n{more}\
             write_enable=YES\nanon_upload_enable=YES\nanon_umask=022\nanon_root={}\n\
             connect_from_port_20=YES\npasv_min_port=10000\npasv_max_port=10009\n\
             secure_chroot_dir=/run/vsftpd\nseccomp_sandbox=NO\n",
            root.display()
        );
        node.write("/run/vsftpd/.kept", "")?;
        node.write("/etc/vsftpd.lab", &text)?;
        let daemon = node.start(&["vsftpd", "/etc/vsftpd.lab"])?;
        Ok(Self { _daemon: daemon, inbox })
    }

    /// What was put there under a name, if anything was.
    pub fn received(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.inbox.join(name)).ok()
    }
}

/// Numbers of the server's user and group.
fn user(node: &Node) -> Outcome<(u32, u32)> {
    let known = node.read("/etc/passwd")?;
    let line = known.lines().find(|line| line.split(':').next() == Some(USER));
    let mut fields = line.into_iter().flat_map(|line| line.split(':')).skip(2);
    let mut number = || fields.next()?.parse().ok();
    number()
        .zip(number())
        .ok_or_else(|| Failure::new(format!("{} has no user {USER}: install vsftpd", node.name())))
}

/// Fetches a server's name.
///
/// # Errors
/// When the transfer fails.
pub fn fetch(client: &Node, address: &str, way: Way) -> Outcome<String> {
    let url = format!("ftp://{address}/{NAME}");
    let words = [&["curl", "-sS", "--max-time", "10"], way.options(), &[url.as_str()]].concat();
    client.execute(&words)
}

/// Puts a file there under a name.
///
/// # Errors
/// When the transfer fails.
pub fn put(client: &Node, address: &str, way: Way, name: &str, text: &str) -> Outcome {
    let url = format!("ftp://{address}/{INBOX}/{name}");
    let words =
        [&["curl", "-sS", "--max-time", "10", "-T", "-"], way.options(), &[url.as_str()]].concat();
    client.execute_with(&words, text)?.good(&format!("putting {name}, {way:?}")).map(drop)
}
