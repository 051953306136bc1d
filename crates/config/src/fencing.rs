//! What the program `stonith` is told about a device, which may hold a password.

use std::path::{Path, PathBuf};

use crate::Cluster;

/// The program of cluster-glue that knows the devices. Its configuration holds passwords, which
/// only root may read.
pub(crate) const PROGRAM: &str = "/usr/sbin/stonith";

/// Devices that are told names of hosts, and nothing secret.
const OPEN: [&str; 6] = ["meatware", "null", "ssh", "suicide", "external/null", "external/ssh"];

/// Whether what a device is told may be seen by everybody.
pub(crate) fn is_open(device: &str) -> bool {
    OPEN.contains(&device)
}

/// A file that somebody has to make, so that what a device is told stands nowhere else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The file, with its full path, because the program runs anywhere.
    pub file: PathBuf,
    /// The kind of the device.
    pub device: String,
    /// The routers that need the file: those that switch the other one off with it.
    pub routers: Vec<String>,
}

/// Puts files of `folder` in the place of what devices are told on the command line of `stonith`,
/// so that the configuration can be shown, and nobody sees it while the program runs.
pub fn name_files(cluster: &mut Cluster, folder: &Path) -> Vec<Wanted> {
    let Some(pair) = &mut cluster.pair else { return Vec::new() };
    let Some(fence) = &mut pair.fence else { return Vec::new() };
    let [first, second] = &mut fence.off;
    let [one, other] = pair.routers.each_ref().map(|router| router.name.clone());
    let mut wanted: Vec<Wanted> = Vec::new();
    if first == second {
        let name = "fence.stonith".to_owned();
        wanted.extend(in_file(first, folder.join(name), vec![one, other]));
        second.clone_from(first);
        return wanted;
    }
    for (argv, off, user) in [(first, &one, &other), (second, &other, &one)] {
        let file = folder.join(format!("{}.stonith", plain(off)));
        wanted.extend(in_file(argv, file, vec![user.clone()]));
    }
    wanted
}

fn in_file(argv: &mut [String], file: PathBuf, routers: Vec<String>) -> Option<Wanted> {
    let [program, kind_option, device, option, told, ..] = argv else { return None };
    let is_told = program == PROGRAM && kind_option == "-t" && option == "-p";
    if !is_told || is_open(device) {
        return None;
    }
    "-F".clone_into(option);
    *told = file.display().to_string();
    Some(Wanted { file, device: device.clone(), routers })
}

/// A router's name as a part of a file's.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests;
