//! The service manager of a host: systemd itself, as the first process of a container.

use crate::command::{Output, program};
use crate::failure::Context;
use crate::wait::wait_for;
use crate::{Daemon, Failure, Node, Outcome, wait_until};
use rustix::mount::{MountFlags, mount, mount_bind};
use std::ffi::CString;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// The programs that a package installs.
const PROGRAMS: [&str; 5] = ["pulse", "lvsd", "nanny", "send-arp", "lvsctl"];
/// Where it installs them.
const SBIN: &str = "/usr/sbin";
/// What the manager may take to start under emulation.
const START: Duration = Duration::from_secs(90);

/// First of the container: the manager's control group, a /dev without the console of the lab's
/// machine, a /sys that says that nobody looks after devices here, and a /tmp of its own, because
/// systemd empties that at a start (tmpfiles.d(5), "D") and the one outside is its owner's.
const BOOT: &str = "\
set -e
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/systemd/$1
echo 0 > /sys/fs/cgroup/systemd/$1/cgroup.procs
umount /sys/fs/cgroup
mkdir -p /run/dev
mount -t tmpfs -o mode=755 dev /run/dev
for name in null zero full random urandom tty; do
    : > /run/dev/$name
    mount --bind /dev/$name /run/dev/$name
done
mkdir /run/dev/shm /run/dev/pts /run/dev/mqueue
mount --move /run/dev /dev
mount -t devpts -o ptmxmode=666 devpts /dev/pts
ln -s pts/ptmx /dev/ptmx
mount -o remount,bind,ro /sys
mount -t tmpfs -o mode=1777 tmp /tmp
exec unshare --cgroup /bin/sh -c \"
    mount -t cgroup2 cgroup2 /sys/fs/cgroup &&
    exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \\
        /lib/systemd/systemd --system --unit=lab.target --show-status=no --log-target=journal\"
";

/// What is started: what every service of a host may rely on. No timers, which would look for updates.
const TARGET: &str = "\
[Unit]
Requires=sysinit.target sockets.target
After=sysinit.target sockets.target
AllowIsolate=yes
";

/// Runs a program as a child of the container: the manager believes nobody else. The number of its
/// first process follows.
const INSIDE: [&str; 5] = ["nsenter", "--mount", "--root", "--pid", "--target"];

/// A running manager. Dropping it kills everything that it has started.
#[derive(Debug)]
pub struct Systemd<'a> {
    host: &'a Node,
    _container: Daemon,
    /// Its process number, as the lab sees it.
    manager: String,
    follower: Daemon,
}

impl<'a> Systemd<'a> {
    /// Installs our programs on a host, as a package would, and starts its manager.
    ///
    /// # Errors
    /// When the kernel refuses a part of the container, or the manager is not up in time.
    pub fn boot(host: &'a Node) -> Outcome<Self> {
        let folder = host.folder().join("sbin");
        let what = format!("installing our programs on {}", host.name());
        host.run(move || install(&folder))?.context(what)?;
        host.write("/etc/systemd/system/lab.target", TARGET)?;
        host.write("/etc/hostname", &host.execute(&["uname", "-n"])?)?;
        let container =
            ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc", "--ipc"];
        let script = ["/bin/sh", "-c", BOOT, "boot", host.name()];
        let container = host.start_as(&["systemd"], &[&container[..], &script].concat())?;
        let what = format!("systemd runs on {}", host.name());
        let manager = wait_for(START, &what, || Ok(host.process("systemd").ok()))?.id.to_string();
        let follow = ["journalctl", "--follow", "--no-tail", "--output=short-precise"];
        let follower =
            host.start_as(&["journal"], &[&INSIDE[..], &[&manager], &follow].concat())?;
        let this = Self { host, _container: container, manager, follower };
        let what = format!("systemd is up on {}", host.name());
        wait_until(START, &what, || Ok(this.is("lab.target", "active")))?;
        Ok(this)
    }

    /// Asks the manager for something, as a person does.
    ///
    /// # Errors
    /// When it refuses or fails; then with what it said, and what the journal says last.
    pub fn control(&self, words: &[&str]) -> Outcome<String> {
        let what = format!("systemctl {} on {}", words.join(" "), self.host.name());
        self.execute(&[&["systemctl"], words].concat())?.good(&what).map_err(|failure| {
            let last = self.journal(&["--lines=20"]).unwrap_or_default();
            Failure::new(format!("{failure}\n{last}"))
        })
    }

    /// Whether a unit is in this state: `active`, `failed`.
    pub fn is(&self, unit: &str, state: &str) -> bool {
        let said = self.execute(&["systemctl", "is-active", unit]);
        said.is_ok_and(|output| output.stdout.trim() == state)
    }

    /// Runs a program in the manager's own view, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn execute(&self, words: &[&str]) -> Outcome<Output> {
        self.host.try_execute(&[&INSIDE[..], &[&self.manager], words].concat())
    }

    /// A property of a unit, as `systemctl show` has it.
    ///
    /// # Errors
    /// When the manager cannot be asked.
    pub fn property(&self, unit: &str, name: &str) -> Outcome<String> {
        let text = self.control(&["show", "--value", "--property", name, unit])?;
        Ok(text.trim().to_owned())
    }

    /// What the journal has so far, without times.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub fn journal(&self, words: &[&str]) -> Outcome<String> {
        let ask = ["journalctl", "--no-pager", "--output=cat"];
        self.execute(&[&ask[..], words].concat())?.good("journalctl")
    }

    /// Waits until the journal has a line that contains `text`; returns that line.
    ///
    /// # Errors
    /// When the limit passes.
    pub fn wait_for_log(&mut self, limit: Duration, text: &str) -> Outcome<String> {
        self.follower.wait_for_log(limit, text)
    }
}

/// Puts our programs where a package puts them, in the calling thread's view.
fn install(folder: &Path) -> std::io::Result<()> {
    let (upper, work) = (folder.join("upper"), folder.join("work"));
    fs::create_dir_all(&upper)?;
    fs::create_dir_all(&work)?;
    let options =
        format!("lowerdir={SBIN},upperdir={},workdir={}", upper.display(), work.display());
    let options = CString::new(options)?;
    mount("overlay", SBIN, "overlay", MountFlags::empty(), Some(&*options))?;
    for name in PROGRAMS {
        let path = Path::new(SBIN).join(name);
        fs::write(&path, "")?;
        mount_bind(program(name), &path)?;
    }
    Ok(())
}
