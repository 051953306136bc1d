//! Settings below `/proc/sys/net`: what they are, what is to be written, and what was there before.
//! Pure but for [`interfaces`], [`read`] and [`write`].
//!
//! The kernel lets whoever has `CAP_NET_ADMIN` write them, root or not. They belong to the network
//! namespace, as the table does (Documentation/networking/ipvs-sysctl.rst, ip-sysctl.rst).

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Where the files are.
pub const ROOT: &str = "/proc/sys/net";

/// File below [`ROOT`], and value.
pub type Values = BTreeMap<String, String>;

/// One file to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// File below [`ROOT`].
    pub file: String,
    /// What it says now.
    pub from: String,
    /// What it is to say.
    pub to: String,
}

impl Change {
    /// `net.ipv4.vs.expire_nodest_conn 0 to 1`.
    pub fn shown(&self) -> String {
        format!("net.{} {} to {}", self.file.replace('/', "."), self.from, self.to)
    }
}

/// What to write so that `wanted` holds, and everything else that we changed is as it was `before`.
/// `before` then tells what to give back later. What does not exist in this kernel is not written.
pub fn plan(wanted: &Values, now: &Values, before: &mut Values) -> Vec<Change> {
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
pub fn interfaces(root: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(root.join("ipv4/conf")).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.filter(|name| name != "all" && name != "default").collect()
}

/// What these files say now; those that cannot be read are left out.
pub fn read<'a>(root: &Path, files: impl Iterator<Item = &'a String>) -> Values {
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
pub fn write(root: &Path, change: &Change) -> io::Result<()> {
    std::fs::write(root.join(&change.file), &change.to)
}

#[cfg(test)]
mod tests;
