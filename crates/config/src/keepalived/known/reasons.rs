//! Why keywords are not carried, and what is to be done instead.

use super::Use::{self, Dropped};

pub(super) const NO_MAIL: Use = Dropped(
    "mails tell of real servers alone; every other change is one line in the log, and in `lvsctl history`",
);
pub(super) const MAIL_SERVER: Use = Dropped("a mail is handed over as the mail server wants it");
pub(super) const MAILED: Use =
    Dropped("mails are one setting of the virtual server: write `smtp_alert` there");
pub(super) const NO_PROGRAM: Use = Dropped(
    "no program is run for it: every change is one line in the log, and in `lvsctl history`",
);
pub(super) const NO_FIFO: Use =
    Dropped("read the log, `lvsctl history --json` or the control socket instead");
pub(super) const HOST: Use =
    Dropped("it stays on this host: write it into the host's own network configuration");
/// What is to be done instead of tracking something.
pub(in crate::keepalived) const INSTEAD_OF_TRACKING: &str = "a group moves when its router, its paths or its own interfaces fail, not for anything else; a program of yours can call `lvsctl failover`";
pub(super) const TRACKED: Use = Dropped(INSTEAD_OF_TRACKING);
pub(super) const ANNOUNCED: Use = Dropped(
    "floating addresses are announced several times within a few seconds, and again when they must",
);
pub(super) const WIRE: Use = Dropped("heartbeats are packets of their own over UDP, not VRRP");
pub(super) const VMAC: Use = Dropped(
    "floating addresses keep the interface's own MAC address, and are announced when they move",
);
pub(super) const PROCESS: Use = Dropped("set it in the daemon's systemd unit");
pub(super) const SPACE: Use = Dropped("start the daemons within that network namespace");
pub(super) const SNMP: Use =
    Dropped("read `lvsctl status --json`, or /metrics of the control socket");
pub(super) const SOURCE: Use =
    Dropped("a check leaves by the route and from the address that the kernel chooses");
pub(super) const SPREAD: Use =
    Dropped("the first checks are spread by themselves, and every change is logged");
pub(super) const USER: Use = Dropped("programs of checks run as the user caribe-script");
