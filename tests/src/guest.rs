//! The first process of the lab's kernel: what a machine needs before scenarios can run.

use crate::command::execute;
use crate::failure::Context;
use crate::node::mount_memory;
use crate::{Outcome, console};
use rustix::mount::{MountFlags, mount};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::ffi::CStr;
use std::fs;
use std::path::Path;
use std::process::Child;

/// Where the share for orders and results is mounted.
pub const OUT: &str = "/mnt/out";
/// Where scenarios keep their files, in memory.
pub const WORK: &str = "/mnt/work";

/// Modules of the kernel that the lab uses. All schedulers, so that none is found missing by
/// accident; what older kernels lack is skipped.
const MODULES: &str = "ip_vs ip_vs_rr ip_vs_wrr ip_vs_lc ip_vs_wlc ip_vs_sh ip_vs_dh ip_vs_lblc \
    ip_vs_lblcr ip_vs_sed ip_vs_nq ip_vs_mh ip_vs_fo ip_vs_ovf ip_vs_twos ip_vs_ftp ip_vs_pe_sip \
    veth bridge ipip ip6_tunnel sit ip_gre fou dummy macvlan sch_netem nf_tables nft_chain_nat \
    nft_ct nft_masq nft_compat xt_MARK xt_mark xt_tcpudp xt_multiport ip_tables iptable_mangle \
    iptable_nat ip6_tables ip6table_mangle nf_conntrack sctp overlay";

/// Prepares the machine: file systems, modules, the loopback interface.
///
/// # Errors
/// When the machine cannot become one that runs scenarios.
pub fn prepare(modules: &Path) -> Outcome {
    let none = MountFlags::empty();
    let proc: [(&str, &str, Option<&CStr>); 2] = [("proc", "/proc", None), ("sysfs", "/sys", None)];
    for (kind, path, options) in proc {
        mount(kind, path, kind, none, options).context(format_args!("mounting {path}"))?;
    }
    fs::create_dir_all(WORK).context(WORK)?;
    for path in [WORK, "/run"] {
        mount_memory(path).context(format_args!("mounting {path}"))?;
    }
    let folder = modules.display().to_string();
    let mut arguments = vec!["-a", "-q", "-d", &folder];
    arguments.extend(MODULES.split_whitespace());
    // Its exit code tells that one of the list is missing, which is allowed.
    execute("modprobe", &arguments, "")?;
    // Modules of tunnels would give every network a handful of interfaces that nobody asked for.
    let only_first = "/proc/sys/net/core/fb_tunnels_only_for_init_net";
    fs::write(only_first, "1").context(only_first)?;
    let (upper, work) = (format!("{WORK}/.tmp"), format!("{WORK}/.tmp.work"));
    for path in [&upper, &work, &"/dev/pts".to_owned(), &"/dev/shm".to_owned()] {
        fs::create_dir_all(path).context(path)?;
    }
    let options = format!("lowerdir=/tmp,upperdir={upper},workdir={work}");
    let options = std::ffi::CString::new(options).context("options of /tmp")?;
    mount("overlay", "/tmp", "overlay", none, Some(&*options)).context("mounting /tmp")?;
    mount("devpts", "/dev/pts", "devpts", none, None).context("mounting /dev/pts")?;
    mount_memory("/dev/shm").context("mounting /dev/shm")?;
    rustix::system::sethostname(b"lab").context("naming the machine")?;
    execute("ip", &["link", "set", "lo", "up"], "")?.good("ip link set lo up").map(drop)
}

/// Collects every process that ends, as the first process of a machine has to, until `main`
/// ends; returns its exit code (128 and the signal when one ended it).
///
/// # Errors
/// When the system cannot wait.
pub fn reap_until(main: &Child) -> Outcome<i32> {
    let main = i32::try_from(main.id()).ok().and_then(Pid::from_raw);
    loop {
        let ended = match waitpid(None, WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => continue,
            ended => ended.context("waiting for processes")?,
        };
        if let Some((id, status)) = ended
            && Some(id) == main
        {
            let signal = status.terminating_signal().unwrap_or(0);
            return Ok(status.exit_status().unwrap_or(128 + signal));
        }
    }
}

/// Switches the machine off. Returns only when that failed.
pub fn power_off() {
    rustix::fs::sync();
    if let Err(error) = rustix::system::reboot(rustix::system::RebootCommand::PowerOff) {
        console::line(&format!("the machine does not switch off: {error}"));
    }
}
