//! Debian packages that the lab needs on the host: installed when that is allowed, else named.

use crate::process::{command, find, read, show};
use crate::trouble::{Context, Result, Trouble};
use lab::console;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Programs of every lab, and the packages that bring them.
const PROGRAMS: [(&str, &str); 7] = [
    ("ip", "iproute2"),
    ("tc", "iproute2"),
    ("ipvsadm", "ipvsadm"),
    ("modprobe", "kmod"),
    ("depmod", "kmod"),
    ("curl", "curl"),
    ("ping", "iputils-ping"),
];
/// Programs of the tests outside of the lab.
const TEST_PROGRAMS: [(&str, &str); 2] = [("man", "man-db"), ("systemd-analyze", "systemd")];
/// Servers that the tests outside of the lab ask.
const TEST_SERVERS: [&str; 7] = [
    "dovecot-imapd",
    "dovecot-pop3d",
    "freeradius",
    "mariadb-server-core",
    "postgresql",
    "slapd",
    "vsftpd",
];
/// Programs of the machine in software.
const MACHINE_PROGRAMS: [(&str, &str); 1] = [("qemu-system-x86_64", "qemu-system-x86")];
/// What Debian asks before it starts the service of a package that was just installed.
const POLICY: &str = "/usr/sbin/policy-rc.d";

/// Makes sure that the programs of the lab and the scenarios' own packages are there.
pub(crate) fn ensure(machine: bool, wanted: &BTreeSet<String>) -> Result {
    let mut missing: BTreeSet<String> = PROGRAMS
        .iter()
        .chain(if machine { MACHINE_PROGRAMS.as_slice() } else { &[] })
        .filter(|(program, _)| find(program).is_none())
        .map(|(_, package)| (*package).to_owned())
        .collect();
    if machine && !has_static_busybox() {
        missing.insert("busybox-static".to_owned());
    }
    missing.extend(wanted.iter().filter(|package| !is_installed(package)).cloned());
    bring(missing)
}

/// Makes sure that the programs of the tests outside of the lab are there.
pub(crate) fn ensure_for_tests() -> Result {
    let programs = TEST_PROGRAMS.iter().filter(|(program, _)| find(program).is_none());
    let servers = TEST_SERVERS.iter().filter(|package| !is_installed(package));
    bring(
        programs.map(|(_, package)| package).chain(servers).map(|&name| name.to_owned()).collect(),
    )
}

fn bring(missing: BTreeSet<String>) -> Result {
    if missing.is_empty() {
        return Ok(());
    }
    let list: Vec<&str> = missing.iter().map(String::as_str).collect();
    let line = format!("apt-get install -y --no-install-recommends {}", list.join(" "));
    if !rustix::process::geteuid().is_root() || find("apt-get").is_none() {
        return Err(Trouble::new(format!("programs are missing on this host; run: {line}")));
    }
    console::line(&line);
    install(&list)
}

fn install(packages: &[&str]) -> Result {
    let _quiet = NoServices::new()?;
    let run = |words: &[&str]| {
        read(
            command("apt-get")
                .args(["-q", "-y", "-o", "Dpkg::Use-Pty=0"])
                .args(words)
                .env("DEBIAN_FRONTEND", "noninteractive"),
        )
    };
    let mut words = vec!["install", "--no-install-recommends"];
    words.extend(packages);
    if run(&words).is_err() {
        // Most often the lists are old or were never fetched.
        run(&["update"])?;
        run(&words)?;
    }
    Ok(())
}

/// While it lives, installing a package does not start its services on this host.
struct NoServices {
    ours: bool,
}

impl NoServices {
    fn new() -> Result<Self> {
        if Path::new(POLICY).exists() {
            return Ok(Self { ours: false });
        }
        let mut options = fs::OpenOptions::new();
        let mut file =
            options.write(true).create_new(true).mode(0o755).open(POLICY).trying(POLICY)?;
        std::io::Write::write_all(&mut file, b"#!/bin/sh\nexit 101\n").trying(POLICY)?;
        file.set_permissions(fs::Permissions::from_mode(0o755)).trying(POLICY)?;
        Ok(Self { ours: true })
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if self.ours {
            let _ = fs::remove_file(POLICY);
        }
    }
}

/// Whether the host's busybox runs without the host's libraries, as it must in an initrd.
fn has_static_busybox() -> bool {
    find("busybox").and_then(|path| fs::read(path).ok()).is_some_and(|bytes| is_static(&bytes))
}

/// Whether a 64-bit ELF program names no interpreter, which would load libraries (gABI, chapter
/// "Program Header").
fn is_static(program: &[u8]) -> bool {
    const PT_INTERP: u32 = 3;
    let half = |at: usize| Some(u16::from_le_bytes(program.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_le_bytes(program.get(at..at + 4)?.try_into().ok()?));
    let headers = || {
        let (start, size, count) = (word(32)?, half(54)?, half(56)?);
        let at =
            |index| Some(usize::try_from(start).ok()? + usize::from(index) * usize::from(size));
        (0..count).map(|index| word(at(index)?)).collect::<Option<Vec<u32>>>()
    };
    program.starts_with(b"\x7fELF") && headers().is_some_and(|kinds| !kinds.contains(&PT_INTERP))
}

fn is_installed(package: &str) -> bool {
    let asked = read(command("dpkg-query").args(["-W", "-f", "${db:Status-Status}", package]));
    asked.is_ok_and(|status| status == "installed")
}

/// Fetches Debian's lists, when that is allowed.
pub(crate) fn refresh_lists() -> Result {
    if !rustix::process::geteuid().is_root() {
        return Err(Trouble::new("the package lists are missing; run as root: apt-get update"));
    }
    if show(command("apt-get").args(["-q", "update"]))? {
        return Ok(());
    }
    Err(Trouble::new("apt-get update failed; is the network there?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_names_an_interpreter_is_not_static() {
        let own = fs::read("/proc/self/exe").unwrap();
        assert!(!is_static(&own));
        assert!(!is_static(b"#!/bin/sh"));
    }

    #[test]
    fn a_program_without_an_interpreter_is_static() {
        let mut program = vec![0; 64 + 56];
        program[..4].copy_from_slice(b"\x7fELF");
        (program[32], program[54], program[56], program[64]) = (64, 56, 1, 1);
        assert!(is_static(&program));
        program[64] = 3;
        assert!(!is_static(&program));
    }
}
