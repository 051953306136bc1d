//! One host of the lab: its programs, its files, its cables.

use crate::command::{self, Output, clean};
use crate::daemon::{Daemon, Process};
use crate::failure::Context;
use crate::namespace::{Namespace, network_of};
use crate::wire::{Wire, batch, cut_all, mend_all};
use crate::{Cgroup, Failure, KernelService, Outcome, Run, kernel_table};
use rustix::mount::{MountFlags, mount};
use std::ffi::CString;
use std::fs::{self, File};
use std::net::{IpAddr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A host: a client, a router or a real server.
#[derive(Debug)]
pub struct Node {
    space: Namespace,
    wires: Vec<Wire>,
    /// How it gets its addresses, as lines for `ip -batch`.
    addresses: String,
    /// Where its logs and own files are kept, in memory.
    folder: PathBuf,
}

impl Node {
    pub(crate) fn new(
        space: Namespace,
        wires: Vec<Wire>,
        addresses: String,
        run: &Run,
    ) -> Outcome<Self> {
        let folder = run.folder().join(space.name());
        fs::create_dir_all(&folder).context(folder.display())?;
        let (own, what) = (folder.clone(), format!("own files of {}", space.name()));
        space.run(move || own_files(&own))?.context(what)?;
        Ok(Self { space, wires, addresses, folder })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.space.name()
    }

    /// Its namespaces, for what the methods here do not cover.
    pub fn namespace(&self) -> &Namespace {
        &self.space
    }

    /// Its folder in memory, seen at the same path from every host: for files and logs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Its cable number `index` (0 is eth0).
    ///
    /// # Errors
    /// When there is no such cable.
    pub fn wire(&self, index: usize) -> Outcome<&Wire> {
        let wire = self.wires.get(index);
        wire.ok_or_else(|| Failure::new(format!("{} has no cable {index}", self.name())))
    }

    /// All its cables.
    pub(crate) fn wires(&self) -> &[Wire] {
        &self.wires
    }

    /// Makes interface number `index` anew, with another number and link-layer address, after it
    /// was deleted; it has the host's own addresses again.
    ///
    /// # Errors
    /// When it is still there, or the system refuses.
    pub fn remake_interface(&self, index: usize) -> Outcome {
        let wire = self.wire(index)?;
        Wire::make(&[wire])?;
        let name = wire.interface();
        let own = |line: &&str| line.split(' ').any(|word| word == name);
        let lines: Vec<&str> = self.addresses.lines().filter(own).collect();
        self.ip(&lines)
    }

    /// Gives the interfaces their addresses.
    pub(crate) fn address(&self) -> Outcome {
        batch(&self.space, &self.addresses)
    }

    /// Does `job` in a thread on this host.
    ///
    /// # Errors
    /// When the job panicked.
    pub fn run<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Outcome<T> {
        self.space.run(job)
    }

    /// Runs a program to its end and returns what it said, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn try_execute(&self, words: &[&str]) -> Outcome<Output> {
        self.execute_with(words, "")
    }

    /// Runs a program to its end and returns what it printed.
    ///
    /// # Errors
    /// When it cannot be started, or ends with another code than 0.
    pub fn execute(&self, words: &[&str]) -> Outcome<String> {
        self.try_execute(words)?.good(&format!("{} on {}", words.join(" "), self.name()))
    }

    /// Runs a program with `input` on its standard input, whatever its exit code.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn execute_with(&self, words: &[&str], input: &str) -> Outcome<Output> {
        let (name, arguments) =
            words.split_first().ok_or_else(|| Failure::new("no program was named"))?;
        command::on(&self.space, name, arguments, input)
    }

    /// Runs a program to its end with the person's own input and output.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn interactive(&self, words: &[&str]) -> Outcome {
        let (name, arguments) =
            words.split_first().ok_or_else(|| Failure::new("no program was named"))?;
        let mut command = clean(name, arguments);
        command.env("TERM", "linux").env("PS1", format!("{}# ", self.name()));
        let what = format!("{name} on {}", self.name());
        self.space.run(move || command.status())?.context(what).map(drop)
    }

    /// Several lines for `ip`, in one process.
    ///
    /// # Errors
    /// When `ip` refuses one.
    pub fn ip(&self, lines: &[&str]) -> Outcome {
        batch(&self.space, &format!("{}\n", lines.join("\n")))
    }

    /// Starts a program that goes on running; our own are found by their name. Its log is
    /// `NAME.log` in the host's folder.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(&self, words: &[&str]) -> Outcome<Daemon> {
        self.start_as(words, words)
    }

    /// The same as a member of a control group, with all children.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_within(&self, group: &Cgroup, words: &[&str]) -> Outcome<Daemon> {
        let folder = group.folder().display().to_string();
        self.start_as(words, &[&["lab", "within", &folder], words].concat())
    }

    /// The same with a program that starts another one; the log has the name of `named`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start_as(&self, named: &[&str], words: &[&str]) -> Outcome<Daemon> {
        let none = || Failure::new("no program was named");
        let name = named.first().ok_or_else(none)?;
        let (program, arguments) = words.split_first().ok_or_else(none)?;
        let short = name.rsplit('/').next().unwrap_or(name);
        let path = self.folder.join(format!("{short}.log"));
        let log = File::options().create(true).append(true).open(&path).context(path.display())?;
        let errors = log.try_clone().context(path.display())?;
        let mut command = clean(program, arguments);
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let what = format!("starting {name} on {}", self.name());
        let child = self.space.run(move || command.spawn())?.context(what)?;
        Ok(Daemon::new(short, child, path))
    }

    /// Writes a file in this host's own view (its /etc, /var and /run are its own).
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write(&self, path: &str, text: &str) -> Outcome {
        self.write_mode(path, text, 0o644)
    }

    /// Writes a file with permissions, for keys.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn write_mode(&self, path: &str, text: &str, mode: u32) -> Outcome {
        let (file, text) = (PathBuf::from(path), text.to_owned());
        let what = format!("writing {path} on {}", self.name());
        let written = self.space.run(move || {
            if let Some(folder) = file.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(&file, text)?;
            fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode))
        })?;
        written.context(what)
    }

    /// Reads a file in this host's own view.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn read(&self, path: &str) -> Outcome<String> {
        let file = PathBuf::from(path);
        self.space
            .run(move || fs::read_to_string(&file))?
            .context(format_args!("reading {path} on {}", self.name()))
    }

    /// Every process that runs on this host, whoever started it.
    ///
    /// # Errors
    /// When /proc cannot be read.
    pub fn processes(&self) -> Outcome<Vec<Process>> {
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").context("/proc")?.flatten() {
            let name = entry.file_name();
            let Some(id) = name.to_str().and_then(|text| text.parse::<u32>().ok()) else {
                continue;
            };
            let here = network_of(&entry.path().join("ns/net")) == Some(self.space.network());
            let program = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            if here && crate::daemon::is_alive(id) {
                found.push(Process { id, name: program.trim().to_owned() });
            }
        }
        Ok(found)
    }

    /// The only process of that name on this host.
    ///
    /// # Errors
    /// When there is none, or more than one.
    pub fn process(&self, name: &str) -> Outcome<Process> {
        let mut all: Vec<Process> =
            self.processes()?.into_iter().filter(|process| process.name == name).collect();
        match (all.pop(), all.is_empty()) {
            (Some(only), true) => Ok(only),
            (None, _) => Err(Failure::new(format!("no {name} runs on {}", self.name()))),
            _ => Err(Failure::new(format!("more than one {name} runs on {}", self.name()))),
        }
    }

    /// Cuts every cable in one go, silently.
    ///
    /// # Errors
    /// When the switch refuses.
    pub fn cut(&self) -> Outcome {
        cut_all(&self.wires)
    }

    /// Mends every cable.
    ///
    /// # Errors
    /// When the switch refuses.
    pub fn mend(&self) -> Outcome {
        mend_all(&self.wires)
    }

    /// Power loss: silence on every cable in the same moment; then no process is left, and no
    /// address, route or IPVS table either.
    ///
    /// # Errors
    /// When a process survives, or the system refuses.
    pub fn power_off(&self) -> Outcome {
        self.cut()?;
        for process in self.processes()? {
            process.kill()?;
        }
        let names = self.wires.iter().map(Wire::interface).chain(["lo"]);
        let lines: String =
            names.map(|name| format!("addr flush dev {name}\nlink set {name} down\n")).collect();
        batch(&self.space, &lines)?;
        let what = format!("files of {}", self.name());
        self.space.run(|| mount_memory("/run"))?.context(what)?;
        if self.kernel_table()?.is_empty() {
            return Ok(());
        }
        self.execute(&["ipvsadm", "-C"]).map(drop)
    }

    /// Power is back: the host has its own addresses and cables again, and no program runs yet.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn power_on(&self) -> Outcome {
        self.address()?;
        self.mend()
    }

    /// Whether this host has the address now. No process is started: it can be asked often.
    ///
    /// # Errors
    /// When the kernel cannot be asked.
    pub fn has_address(&self, address: &str) -> Outcome<bool> {
        let wanted: IpAddr = address.parse().context(format_args!("address {address}"))?;
        let path = match wanted {
            IpAddr::V4(_) => "/proc/thread-self/net/fib_trie",
            IpAddr::V6(_) => "/proc/thread-self/net/if_inet6",
        };
        let text = self.run(move || fs::read_to_string(path))?.context(path)?;
        Ok(match wanted {
            IpAddr::V4(_) => holds_v4(&text, address),
            IpAddr::V6(wanted) => holds_v6(&text, wanted),
        })
    }

    /// The kernel's IPVS table, with the connections of each server. No process is started.
    ///
    /// # Errors
    /// When the kernel has no IPVS.
    pub fn kernel_table(&self) -> Outcome<Vec<KernelService>> {
        let path = "/proc/thread-self/net/ip_vs";
        let text = self.run(move || kernel_table::read(path))?.context(path)?;
        kernel_table::parse(&text)
    }

    /// How many connections the kernel has scheduled to real servers so far.
    ///
    /// # Errors
    /// When the kernel has no IPVS.
    pub fn scheduled_connections(&self) -> Outcome<u64> {
        let path = "/proc/thread-self/net/ip_vs_stats_percpu";
        let text = self.run(move || fs::read_to_string(path))?.context(path)?;
        kernel_table::scheduled(&text)
    }

    /// The table as `ipvsadm -Sn` prints it.
    ///
    /// # Errors
    /// When ipvsadm fails.
    pub fn table(&self) -> Outcome<String> {
        self.execute(&["ipvsadm", "-Sn"])
    }
}

/// Whether the kernel's tree of routes has a local address. Its line follows the address's own.
fn holds_v4(trie: &str, address: &str) -> bool {
    let mut named = false;
    trie.lines().any(|line| {
        let found = named && line.trim() == "/32 host LOCAL";
        named = line.trim().strip_prefix("|-- ") == Some(address);
        found
    })
}

/// Whether the kernel's list of IPv6 addresses has an address; it writes them without colons.
fn holds_v6(list: &str, address: Ipv6Addr) -> bool {
    let digits: String = address.octets().iter().map(|octet| format!("{octet:02x}")).collect();
    list.lines().any(|line| line.starts_with(&digits))
}

/// Gives the calling thread's host a /run of its own, and /etc and /var that it may write.
fn own_files(folder: &Path) -> std::io::Result<()> {
    mount_memory("/run")?;
    for name in ["etc", "var"] {
        let (upper, work) = (folder.join(name), folder.join(format!(".{name}")));
        fs::create_dir_all(&upper)?;
        fs::create_dir_all(&work)?;
        let options =
            format!("lowerdir=/{name},upperdir={},workdir={}", upper.display(), work.display());
        let options = CString::new(options)?;
        mount("overlay", format!("/{name}"), "overlay", MountFlags::empty(), Some(&*options))?;
    }
    fs::create_dir_all("/run/lock")
}

/// An empty file system in memory over `path`.
pub(crate) fn mount_memory(path: &str) -> std::io::Result<()> {
    let mode = c"mode=0755";
    mount("tmpfs", path, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, Some(mode))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_address_is_told_from_a_network_of_the_same_name() {
        let trie =
            "  |-- 192.168.1.0\n     /24 link UNICAST\n  |-- 192.168.1.1\n     /32 host LOCAL\n";
        assert!(holds_v4(trie, "192.168.1.1"));
        assert!(!holds_v4(trie, "192.168.1.0"));
        assert!(!holds_v4(trie, "192.168.1.11"));
    }

    #[test]
    fn an_ipv6_address_is_found_in_the_kernels_list() {
        let list = "20010db8000000010000000000000001 02 40 00 80     eth0\n";
        assert!(holds_v6(list, "2001:db8:0:1::1".parse().unwrap()));
        assert!(!holds_v6(list, "2001:db8:0:1::2".parse().unwrap()));
    }
}
