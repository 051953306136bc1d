//! Which folders decide what a path leads to.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::path::{Component, Path, PathBuf};

/// The kernel follows no more links than this either.
const MAX_LINKS: usize = 40;

/// What matters in one folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Interest {
    /// Names on the way, and names of files.
    names: BTreeSet<OsString>,
    /// Every name, except those that editors leave behind.
    everything: bool,
    /// A name here is a file that is read, so its bytes matter, not only its coming and going.
    files: bool,
}

impl Interest {
    pub(super) fn covers(&self, name: &OsStr) -> bool {
        self.names.contains(name) || self.everything && !is_leftover(name)
    }

    pub(super) fn holds_files(&self) -> bool {
        self.files
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.everything |= other.everything;
        self.files |= other.files;
    }
}

/// The folders to watch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    folders: BTreeMap<PathBuf, Interest>,
}

impl Places {
    /// For a configuration at an absolute path, and the files it names.
    pub(super) fn of(path: &Path, files: &[PathBuf]) -> Self {
        let mut places = Self::default();
        places.add(path);
        for file in files {
            match std::path::absolute(file) {
                Ok(file) => places.add(&file),
                Err(error) => tracing::warn!(file = %file.display(), %error, "not watched"),
            }
        }
        places
    }

    pub(super) fn into_folders(self) -> BTreeMap<PathBuf, Interest> {
        self.folders
    }

    /// Walks the path as the kernel does. Where it ends early, the missing name is waited for.
    fn add(&mut self, path: &Path) {
        let mut rest = steps(path);
        let mut here = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = rest.pop_front() {
            if name == ".." {
                here.pop();
                continue;
            }
            let next = here.join(&name);
            let interest = self.folders.entry(here.clone()).or_default();
            interest.names.insert(name);
            interest.files |= rest.is_empty();
            if let Ok(target) = std::fs::read_link(&next) {
                links += 1;
                if links > MAX_LINKS {
                    return;
                }
                if target.is_absolute() {
                    here = PathBuf::from("/");
                }
                let mut way = steps(&target);
                way.append(&mut rest);
                rest = way;
            } else if next.exists() {
                here = next;
            } else {
                return;
            }
        }
        if here.is_dir() {
            let interest = self.folders.entry(here).or_default();
            interest.everything = true;
            interest.files = true;
        }
    }
}

fn steps(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter(|step| matches!(step, Component::Normal(_) | Component::ParentDir))
        .map(|step| step.as_os_str().to_owned())
        .collect()
}

/// Backups, swap files and probes of common editors and package managers.
fn is_leftover(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    let ends = ["~", ".swp", ".swpx", ".swx", ".tmp", ".bak", ".dpkg-new", ".rpmnew"];
    ends.iter().any(|end| name.ends_with(end))
        || name.starts_with('#')
        || name.starts_with(".#")
        || name == "4913"
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::test_folder::TestFolder;

    fn covers(places: &Places, folder: &Path, name: &str) -> bool {
        places.folders.get(folder).is_some_and(|interest| interest.covers(OsStr::new(name)))
    }

    #[test]
    fn every_folder_on_the_way_is_watched_for_the_next_step() {
        let places = Places::of(Path::new("/no/such/file"), &[]);
        assert!(covers(&places, Path::new("/"), "no"));
        assert_eq!(places.folders.len(), 1, "what is not there cannot be watched");
    }

    #[test]
    fn links_are_followed_and_watched_where_they_are() {
        let folder = TestFolder::new();
        let root = folder.path();
        std::fs::create_dir(root.join("v1")).unwrap();
        std::fs::write(root.join("v1/cluster.yaml"), "").unwrap();
        symlink("v1", root.join("..data")).unwrap();
        symlink("..data/cluster.yaml", root.join("cluster.yaml")).unwrap();
        let places = Places::of(&root.join("cluster.yaml"), &[]);
        for name in ["cluster.yaml", "..data", "v1"] {
            assert!(covers(&places, root, name), "{name}: {places:?}");
        }
        assert!(covers(&places, &root.join("v1"), "cluster.yaml"));
        assert!(places.folders[&root.join("v1")].holds_files());
        assert!(!covers(&places, root, "other"));
    }

    #[test]
    fn links_that_lead_in_a_circle_end() {
        let folder = TestFolder::new();
        symlink("b", folder.path().join("a")).unwrap();
        symlink("a", folder.path().join("b")).unwrap();
        let places = Places::of(&folder.path().join("a"), &[]);
        assert!(covers(&places, folder.path(), "a") && covers(&places, folder.path(), "b"));
    }

    #[test]
    fn in_a_folder_everything_counts_but_what_editors_leave_behind() {
        let folder = TestFolder::new();
        let places = Places::of(folder.path(), &[]);
        for name in ["ha.cf", "authkeys", "conf.d"] {
            assert!(covers(&places, folder.path(), name), "{name}");
        }
        for name in ["ha.cf~", ".ha.cf.swp", "4913", "#ha.cf#", ".#ha.cf"] {
            assert!(!covers(&places, folder.path(), name), "{name}");
        }
    }
}
