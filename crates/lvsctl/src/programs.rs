//! Programs of checks, as far as the user who runs them cannot.

use std::collections::BTreeMap;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use config::model::{CheckKind, VirtualServer};
use config::{Cluster, Diagnostic, Severity};
use runtime::child::RunAs;
use runtime::users;

/// Folders that the units hide from the daemons (`ProtectHome=yes`).
const HIDDEN: [&str; 3] = ["/root", "/home", "/run/user"];

/// The bit of one's right to run a program, or to pass through a folder.
const MAY_RUN: u32 = 0o1;

/// One warning for each program that no check can run.
pub(crate) fn unusable(cluster: &Cluster) -> Vec<Diagnostic> {
    let user = users::first_of(&[users::SCRIPTS]);
    let told = programs(cluster).into_iter().filter_map(|(program, service)| {
        let (why, help) = problem(Path::new(program), user)?;
        let message = format!("the checks of {service} cannot run this program: {why}");
        Some(Diagnostic::whole_file(Severity::Warning, program, message, help))
    });
    told.collect()
}

/// Every program of a check or a load, with the first virtual server that needs it.
fn programs(cluster: &Cluster) -> BTreeMap<&str, &str> {
    let mut found = BTreeMap::new();
    for service in &cluster.services {
        for program in of_service(service) {
            found.entry(program).or_insert(service.name.as_str());
        }
    }
    found
}

fn of_service(service: &VirtualServer) -> impl Iterator<Item = &str> {
    let own = service.servers.iter().flat_map(|server| service.checks_of(server));
    let checks = std::iter::once(&service.check).chain(&service.also).chain(own);
    let checks = checks.filter_map(|check| match &check.kind {
        CheckKind::External { argv, .. } => argv.first(),
        _ => None,
    });
    let load = service.load.as_ref().and_then(|load| load.run.first());
    checks.chain(load).map(String::as_str)
}

/// Why a user cannot run a program, and what to do; none where it can, or nobody here can tell.
fn problem(program: &Path, user: RunAs) -> Option<(String, String)> {
    if let Some(folder) = HIDDEN.iter().find(|folder| program.starts_with(folder)) {
        let help = "put it where every user can run it: /usr/local/sbin".to_owned();
        return Some((format!("{folder} is hidden from the daemons by their units"), help));
    }
    for folder in program.ancestors().skip(1).collect::<Vec<_>>().into_iter().rev() {
        let known = folder.metadata().ok()?;
        if !has(&known, user, MAY_RUN) {
            let why = format!("{} does not look into {}", users::SCRIPTS, folder.display());
            return Some((why, format!("chmod a+x {}, or move the program", folder.display())));
        }
    }
    let known = match program.metadata() {
        Ok(known) => known,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let help = "put it there, or write its full path".to_owned();
            return Some(("it is not there".to_owned(), help));
        }
        Err(_) => return None,
    };
    if known.is_dir() {
        return Some(("it is a folder".to_owned(), "write the full path of a program".to_owned()));
    }
    let why = format!("its mode {:04o} does not let {}", known.mode() & 0o7777, users::SCRIPTS);
    (!has(&known, user, MAY_RUN)).then(|| (why, format!("chmod a+rx {}", program.display())))
}

/// Whether a user has a right by the mode, as the kernel decides it: the owner's bits are all that
/// counts for the owner.
fn has(known: &Metadata, user: RunAs, right: u32) -> bool {
    let shift = if known.uid() == user.uid {
        6
    } else if known.gid() == user.gid {
        3
    } else {
        0
    };
    known.mode() & (right << shift) != 0
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Somebody who owns nothing here.
    const STRANGER: RunAs = RunAs { uid: 12_345, gid: 12_345 };

    /// A folder with a program, which goes with this.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(test: &str) -> Self {
            let path = std::env::temp_dir().join(format!("programs-{test}-{}", std::process::id()));
            std::fs::create_dir(&path).unwrap();
            std::fs::write(path.join("check"), "#!/bin/sh\n").unwrap();
            Self(path)
        }

        fn mode(&self, name: &str, mode: u32) {
            let mode = PermissionsExt::from_mode(mode);
            std::fs::set_permissions(self.0.join(name), mode).unwrap();
        }

        fn why(&self, name: &str) -> Option<String> {
            problem(&self.0.join(name), STRANGER).map(|(why, _)| why)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    #[test]
    fn a_program_that_the_user_of_checks_cannot_run_is_told_with_the_reason() {
        let folder = Folder::new("mode");
        folder.mode("", 0o755);
        folder.mode("check", 0o755);
        assert_eq!(folder.why("check"), None);
        folder.mode("check", 0o750);
        assert!(folder.why("check").unwrap().contains("its mode 0750 does not let caribe-script"));
        assert!(folder.why("none").unwrap().contains("not there"));
        assert!(folder.why("").unwrap().contains("a folder"));
        folder.mode("check", 0o755);
        folder.mode("", 0o700);
        assert!(folder.why("check").unwrap().contains("does not look into"));
        let hidden = problem(Path::new("/root/bin/check"), STRANGER).unwrap();
        assert!(hidden.0.contains("/root is hidden"), "{hidden:?}");
    }

    #[test]
    fn the_owner_goes_by_the_bits_of_the_owner() {
        let folder = Folder::new("owner");
        folder.mode("check", 0o077);
        let known = folder.0.join("check").metadata().unwrap();
        assert!(!has(&known, RunAs { uid: known.uid(), gid: known.gid() }, MAY_RUN));
        assert!(has(&known, RunAs { uid: 12_345, gid: known.gid() }, MAY_RUN));
    }
}
