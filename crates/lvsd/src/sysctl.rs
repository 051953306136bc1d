//! Settings below `/proc/sys/net` that the table needs: what they should be, what they were, and
//! what is to be written. Pure but for [`read`] and [`write`].
//!
//! The kernel lets whoever has `CAP_NET_ADMIN` write them, root or not. They belong to the network
//! namespace, as the table does (Documentation/networking/ipvs-sysctl.rst, ip-sysctl.rst).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use config::Cluster;
use config::model::{Listen, Switch};
use ipvs::{Family, Forwarding};

/// Where the files are.
pub(crate) const ROOT: &str = "/proc/sys/net";

/// File below [`ROOT`], and value.
pub(crate) type Values = BTreeMap<String, String>;

/// One file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) file: String,
    pub(crate) from: String,
    pub(crate) to: String,
}

impl Change {
    /// `net.ipv4.vs.expire_nodest_conn 0 to 1`.
    pub(crate) fn shown(&self) -> String {
        format!("net.{} {} to {}", self.file.replace('/', "."), self.from, self.to)
    }
}

/// What a configuration wants on a host with these interfaces.
pub(crate) fn wanted(cluster: &Cluster, interfaces: &[String]) -> Values {
    let sysctls = &cluster.kernel.sysctls;
    let mut values = Values::new();
    let mut put = |file: String, value: &str| values.insert(file, value.to_owned());
    let switches = [
        ("ipv4/vs/expire_nodest_conn", sysctls.expire_nodest_conn),
        ("ipv4/vs/expire_quiescent_template", sysctls.expire_quiescent_template),
    ];
    for (file, switch) in switches {
        digit(switch).map(|digit| put(file.to_owned(), digit));
    }
    if let Some(mode) = sysctls.conn_reuse_mode {
        put("ipv4/vs/conn_reuse_mode".to_owned(), &mode.to_string());
    }
    let (four, six) = (uses_nat(cluster, Family::Inet), uses_nat(cluster, Family::Inet6));
    let forward = |needed| sysctls.ip_forward.or(needed_as(needed, Switch::On)).and_then(digit);
    forward(four).map(|digit| put("ipv4/ip_forward".to_owned(), digit));
    if six {
        forward(six).map(|digit| put("ipv6/conf/all/forwarding".to_owned(), digit));
    }
    let redirects = sysctls.send_redirects.or(needed_as(four, Switch::Off)).and_then(digit);
    if let Some(digit) = redirects {
        // An interface sends them when it or `all` says so.
        for interface in ["all", "default"].into_iter().chain(interfaces.iter().map(String::as_str))
        {
            put(format!("ipv4/conf/{interface}/send_redirects"), digit);
        }
    }
    values
}

fn needed_as(needed: bool, switch: Switch) -> Option<Switch> {
    needed.then_some(switch)
}

fn digit(switch: Switch) -> Option<&'static str> {
    match switch {
        Switch::On => Some("1"),
        Switch::Off => Some("0"),
        Switch::Keep => None,
    }
}

/// Whether a virtual server of this family forwards by NAT.
fn uses_nat(cluster: &Cluster, wanted: Family) -> bool {
    let mut by_nat = cluster.services.iter().filter(|service| {
        service.servers.iter().any(|server| server.forwarding == Forwarding::Nat)
    });
    by_nat.any(|service| match &service.listen {
        Listen::Addresses(all) => {
            all.iter().any(|one| one.address.is_ipv6() == (wanted == Family::Inet6))
        }
        Listen::Mark { family, .. } => *family == wanted,
    })
}

/// What to write so that `wanted` holds, and everything else that we changed is as it was `before`.
/// `before` then tells what to give back later. What does not exist in this kernel is not written.
pub(crate) fn plan(wanted: &Values, now: &Values, before: &mut Values) -> Vec<Change> {
    let mut changes = Vec::new();
    for (file, to) in wanted {
        let Some(from) = now.get(file).filter(|from| *from != to) else { continue };
        before.entry(file.clone()).or_insert_with(|| from.clone());
        changes.push(Change { file: file.clone(), from: from.clone(), to: to.clone() });
    }
    before.retain(|file, was| {
        let ours = wanted.contains_key(file);
        if let Some(from) = now.get(file).filter(|from| !ours && *from != was) {
            changes.push(Change { file: file.clone(), from: from.clone(), to: was.clone() });
        }
        ours
    });
    changes
}

/// Interfaces that have settings of their own.
pub(crate) fn interfaces(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("ipv4/conf")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name != "all" && name != "default").collect()
}

/// What these files say now; those that cannot be read are left out.
pub(crate) fn read<'a>(root: &Path, files: impl Iterator<Item = &'a String>) -> Values {
    let value = |file: &String| {
        let text = std::fs::read_to_string(root.join(file)).ok()?;
        Some((file.clone(), text.trim().to_owned()))
    };
    files.filter_map(value).collect()
}

/// Writes one.
///
/// # Errors
/// When the kernel, or a read-only `/proc/sys`, refuses.
pub(crate) fn write(root: &Path, change: &Change) -> io::Result<()> {
    std::fs::write(root.join(&change.file), &change.to)
}

#[cfg(test)]
mod tests;
