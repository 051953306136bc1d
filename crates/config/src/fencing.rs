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

/// What `stonith` reads of a line at most, its end not counted; it cuts the rest off.
const LINE: usize = 1022;

/// Standard input as a file. `/dev/stdin` is this too, but not on every host.
const INPUT: &str = "/proc/self/fd/0";

/// A program that switches a router off, as it is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Program and arguments, which everybody on the router can see while it runs.
    pub argv: Vec<String>,
    /// What it finds on its standard input.
    pub input: String,
}

impl Call {
    /// As the configuration has it, but that `stonith` reads what the device is told from its
    /// standard input: the line is the same there as after `-p` (stonith(8), `-F`).
    pub fn new(mut argv: Vec<String>) -> Self {
        let mut input = String::new();
        if let Some((_, option, told)) = told(&mut argv)
            && is_line(told)
        {
            "-F".clone_into(option);
            input = format!("{told}\n");
            INPUT.clone_into(told);
        }
        Self { argv, input }
    }
}

/// Whether `stonith` reads this as one line: it passes over an empty one and a comment.
pub(crate) fn is_line(told: &str) -> bool {
    !told.is_empty() && told.len() <= LINE && !told.starts_with('#') && !told.contains(['\n', '\r'])
}

/// Of the command line of `stonith` the device, the option before what it is told, and that.
fn told(argv: &mut [String]) -> Option<(&str, &mut String, &mut String)> {
    let [program, kind_option, device, option, told, ..] = argv else { return None };
    let is_told = program == PROGRAM && kind_option == "-t" && option == "-p";
    is_told.then_some((&**device, option, told))
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
/// so that the configuration can be shown.
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
    let (device, option, told) = told(argv)?;
    if is_open(device) {
        return None;
    }
    "-F".clone_into(option);
    *told = file.display().to_string();
    Some(Wanted { file, device: device.to_owned(), routers })
}

/// A router's name as a part of a file's.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' }).collect()
}

#[cfg(test)]
mod tests;
