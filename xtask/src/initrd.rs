//! The small first file system of the machine: enough to mount this host's own, read-only.

use crate::kernel::Kernel;
use crate::process::{command, find, read};
use crate::trouble::{Context, Result, Trouble};
use std::fs;
use std::path::Path;

/// Modules without which the host's file system cannot be mounted.
const MODULES: [&str; 3] = ["virtio_pci", "9p", "9pnet_virtio"];

/// Loads the modules, mounts both shares, and hands over to the runner on the host's own root.
const INIT: &str = "#!/bin/busybox sh
B=/bin/busybox
$B mount -t proc proc /proc
$B mount -t devtmpfs dev /dev
while read -r module; do $B insmod /modules/$module; done < /modules.list
O=trans=virtio,version=9p2000.L,msize=512000
$B mount -t 9p -o $O,cache=loose,ro host /host
$B mount -t devtmpfs dev /host/dev
$B mount -t tmpfs memory /host/mnt
$B mkdir /host/mnt/out
$B mount -t 9p -o $O,rw out /host/mnt/out
read -r RUNNER < /host/mnt/out/runner
$B umount /proc
exec $B chroot /host \"$RUNNER\" guest
";

/// Writes the file system, in the form that the kernel unpacks (cpio, `newc`).
pub(crate) fn write(kernel: &Kernel, file: &Path) -> Result {
    let mut archive = Archive::default();
    for folder in ["bin", "modules", "host", "proc", "dev"] {
        archive.add(folder, 0o040_755, &[])?;
    }
    archive.add("init", 0o100_755, INIT.as_bytes())?;
    let busybox = find("busybox").ok_or_else(|| Trouble::new("busybox is missing"))?;
    let busybox = fs::read(&busybox).trying(busybox.display())?;
    archive.add("bin/busybox", 0o100_755, &busybox)?;
    let mut list = String::new();
    for path in modules(kernel)? {
        let name = path.rsplit('/').next().unwrap_or(&path).trim_end_matches(".xz").to_owned();
        archive.add(&format!("modules/{name}"), 0o100_644, &module(&path)?)?;
        list.push_str(&name);
        list.push('\n');
    }
    archive.add("modules.list", 0o100_644, list.as_bytes())?;
    fs::write(file, archive.finish()?).trying(file.display())
}

/// The files of the modules and of all that they need, in the order of loading.
fn modules(kernel: &Kernel) -> Result<Vec<String>> {
    let mut files: Vec<String> = Vec::new();
    for name in MODULES {
        let mut modprobe = command("modprobe");
        modprobe.arg("-d").arg(&kernel.folder).args(["-S", &kernel.version, "--show-depends"]);
        for line in read(modprobe.arg(name))?.lines() {
            let file = line.strip_prefix("insmod ").map(|rest| rest.trim().to_owned());
            files.extend(file.filter(|file| !files.contains(file)));
        }
    }
    Ok(files)
}

/// A module's bytes; newer Debian packs them.
fn module(path: &str) -> Result<Vec<u8>> {
    if !path.ends_with(".xz") {
        return fs::read(path).trying(path);
    }
    let output = command("xz").args(["-dc", path]).output().trying("starting xz")?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    Err(Trouble::new(format!("xz cannot unpack {path}")))
}

/// An archive that is being written.
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: u32,
}

impl Archive {
    /// Adds a file or a folder; `mode` holds its kind and permissions as in `stat`.
    fn add(&mut self, name: &str, mode: u32, content: &[u8]) -> Result {
        self.entries += 1;
        let size = u32::try_from(content.len()).trying(name)?;
        let length = u32::try_from(name.len() + 1).trying(name)?;
        // inode, mode, user, group, links, time, size, four device numbers, name, checksum
        let fields = [self.entries, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, length, 0];
        self.bytes.extend_from_slice(b"070701");
        for field in fields {
            self.bytes.extend_from_slice(format!("{field:08x}").as_bytes());
        }
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        self.pad();
        self.bytes.extend_from_slice(content);
        self.pad();
        Ok(())
    }

    fn finish(mut self) -> Result<Vec<u8>> {
        self.add("TRAILER!!!", 0, &[])?;
        Ok(self.bytes)
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_has_names_and_contents_on_borders_of_four_bytes() {
        let mut archive = Archive::default();
        archive.add("ab", 0o100_644, b"hello").unwrap();
        let bytes = archive.finish().unwrap();
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(bytes.get(..6), Some(&b"070701"[..]));
        // The header has 110 bytes, the name three with its end: the content starts at 116.
        assert_eq!(bytes.get(110..121), Some(&b"ab\0\0\0\0hello"[..]));
        assert_eq!(bytes.get(124..130), Some(&b"070701"[..]));
    }
}
