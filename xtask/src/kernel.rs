//! Debian's stock kernel, fetched and unpacked, never installed.

use crate::packages::refresh_lists;
use crate::process::{command, read};
use crate::trouble::{Context, Result, Trouble};
use lab::console;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// The package whose dependency is the newest stock kernel.
const META_PACKAGE: &str = "linux-image-amd64";
/// Marks a folder that is still being filled. One that is found was left by a broken download.
const PARTIAL: &str = "partial";

/// An unpacked kernel.
#[derive(Debug, Clone)]
pub(crate) struct Kernel {
    /// The folder under which `lib/modules/VERSION` is found.
    pub(crate) folder: PathBuf,
    /// Its version, for example `6.1.0-56-amd64`.
    pub(crate) version: String,
}

impl Kernel {
    /// The image that a machine boots.
    pub(crate) fn image(&self) -> PathBuf {
        self.folder.join("boot").join(format!("vmlinuz-{}", self.version))
    }

    /// The kernel in the cache, fetched first when there is none.
    pub(crate) fn get(cache: &Path) -> Result<Self> {
        if let Some(kernel) = Self::newest(cache) {
            return Ok(kernel);
        }
        let package = package()?;
        let version = package.trim_start_matches("linux-image-").to_owned();
        console::line(&format!("fetching {package} (once) …"));
        let partial = cache.join(format!("kernel-{version}.{PARTIAL}"));
        if partial.exists() {
            fs::remove_dir_all(&partial).trying(partial.display())?;
        }
        fs::create_dir_all(&partial).trying(partial.display())?;
        unpack(&package, &version, &partial)?;
        let folder = cache.join(format!("kernel-{version}"));
        fs::rename(&partial, &folder).trying(folder.display())?;
        Ok(Self { folder, version })
    }

    fn newest(cache: &Path) -> Option<Self> {
        let mut found: Vec<Self> = fs::read_dir(cache)
            .ok()?
            .flatten()
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let version = name.strip_prefix("kernel-")?.to_owned();
                let whole = !name.ends_with(PARTIAL);
                whole.then(|| Self { folder: entry.path(), version })
            })
            .filter(|kernel| kernel.image().is_file())
            .collect();
        found.sort_by(|one, other| one.version.cmp(&other.version));
        found.pop()
    }
}

/// The name of the package that holds the newest stock kernel.
fn package() -> Result<String> {
    let ask = || read(command("apt-cache").args(["depends", META_PACKAGE]));
    let first = ask().ok().and_then(|text| dependency(&text));
    if let Some(package) = first {
        return Ok(package);
    }
    refresh_lists()?;
    dependency(&ask()?)
        .ok_or_else(|| Trouble::new(format!("this host's Debian has no package {META_PACKAGE}")))
}

/// The first dependency in what `apt-cache depends` prints.
fn dependency(text: &str) -> Option<String> {
    let mut names = text.lines().filter_map(|line| line.trim().strip_prefix("Depends: "));
    names.find(|name| name.starts_with("linux-image-")).map(str::to_owned)
}

fn unpack(package: &str, version: &str, folder: &Path) -> Result {
    let download = || {
        let mut apt = command("apt-get");
        apt.current_dir(folder).args(["-q", "-o", "APT::Sandbox::User=root", "download", package]);
        read(&mut apt)
    };
    if download().is_err() {
        refresh_lists()?;
        download()?;
    }
    let file = fs::read_dir(folder)
        .trying(folder.display())?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "deb"))
        .ok_or_else(|| Trouble::new(format!("apt-get download brought no {package}")))?;
    read(command("dpkg").arg("-x").arg(&file).arg(folder))?;
    fs::remove_file(&file).trying(file.display())?;
    if !folder.join("lib").exists() {
        // Newer Debian keeps modules under /usr/lib only.
        symlink("usr/lib", folder.join("lib")).trying("lib")?;
    }
    read(command("depmod").arg("-b").arg(folder).arg(version)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_package_is_the_first_dependency_that_is_a_kernel() {
        let text = "linux-image-amd64\n  Depends: linux-image-6.1.0-56-amd64\n  Conflicts: x\n";
        assert_eq!(dependency(text).as_deref(), Some("linux-image-6.1.0-56-amd64"));
        assert_eq!(dependency("linux-image-amd64\n"), None);
    }

    #[test]
    fn a_folder_that_was_left_half_filled_is_not_a_kernel() {
        let cache = std::env::temp_dir().join(format!("caribe-kernel-{}", std::process::id()));
        for name in ["kernel-6.1.0-9-amd64.partial", "kernel-6.1.0-2-amd64"] {
            let version = name.trim_start_matches("kernel-");
            let boot = cache.join(name).join("boot");
            fs::create_dir_all(&boot).unwrap();
            fs::write(boot.join(format!("vmlinuz-{version}")), "").unwrap();
        }
        let found = Kernel::newest(&cache).unwrap();
        fs::remove_dir_all(&cache).unwrap();
        assert_eq!(found.version, "6.1.0-2-amd64");
    }
}
