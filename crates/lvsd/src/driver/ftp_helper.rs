//! The kernel's helper for FTP by NAT: nobody loads it when it is first needed, so it is missed
//! aloud.

use config::Cluster;
use runtime::journal::{EventKind, Level};

use super::Driver;
use crate::core::needs_ftp_helper;

/// The helpers that are loaded.
const HELPERS: &str = "/proc/net/ip_vs_app";

/// What to do about it.
const MISSING: &str = "FTP by NAT needs the kernel's ip_vs_ftp: load it with `modprobe ip_vs_ftp`";

impl Driver {
    /// Says once that the helper is missing, where it is needed.
    pub(super) fn look_for_ftp_helper(&mut self) {
        let missing = is_needed(self.core.cluster()) && !is_loaded();
        if missing && !self.settings.ftp_helper_missing {
            let fields = [("reason", MISSING.to_owned())];
            let sentence = "a helper of the kernel is missing, FTP brings no files";
            self.journal.record(EventKind::Kernel, Level::Warn, sentence, &fields);
        }
        self.settings.ftp_helper_missing = missing;
    }

    /// What is wrong with those that need it.
    pub(super) fn ftp_problem(&self) -> Option<String> {
        self.settings.ftp_helper_missing.then(|| MISSING.to_owned())
    }
}

fn is_needed(cluster: &Cluster) -> bool {
    cluster.services.iter().any(needs_ftp_helper)
}

/// What cannot be read says nothing.
fn is_loaded() -> bool {
    std::fs::read_to_string(HELPERS).map_or(true, |text| lists_ftp(&text))
}

/// Lines of protocol, port, users and name.
fn lists_ftp(text: &str) -> bool {
    text.lines().any(|line| line.split_whitespace().last() == Some("ftp"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn needed(service: &str) -> bool {
        let text = format!("services:\n  ftp: {{ {service}, servers: [192.168.1.4] }}\n");
        let reader = |_: &Path| Ok(text.clone().into_bytes());
        let loaded = config::load(Path::new("cluster.yaml"), false, &reader);
        is_needed(&loaded.cluster.unwrap())
    }

    #[test]
    fn it_is_needed_for_the_control_port_by_nat_alone() {
        assert!(needed("listen: 192.168.1.1:21, forward: nat"));
        assert!(needed("listen: 192.168.1.1:20-21, forward: nat"));
        assert!(!needed("listen: 192.168.1.1:21, forward: direct"));
        assert!(!needed("listen: 192.168.1.1:2121, forward: nat"));
        assert!(!needed("listen: 192.168.1.1:21/udp, forward: nat"));
    }

    #[test]
    fn the_kernels_list_names_it() {
        assert!(lists_ftp("prot port    usecnt name\nTCP  21      2       ftp\n"));
        assert!(!lists_ftp("prot port    usecnt name\n"));
    }
}
