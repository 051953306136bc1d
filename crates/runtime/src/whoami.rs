//! Which of the two routers is this one?

use std::net::IpAddr;
use std::path::Path;

use config::model::Pair;

use crate::privilege::as_root;
use crate::{ExitError, config_file};

/// heartbeat's file with the name of the host that it stands on.
const NODE_INFO: &str = "/etc/ha.d/nodeinfo";

/// This host's name, as `uname -n` tells it.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The name in heartbeat's file, on its first line; none without the file.
fn node_info(path: &Path) -> Option<String> {
    let read = || config_file::read(path);
    let bytes = as_root(read).or_else(|_| read()).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    text.lines().next().map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned)
}

/// The place of this router in `pair.routers`: the one that `--node` names, else the one that
/// heartbeat's file nodeinfo names, else the one that bears the host's name (whole, or up to the
/// first dot), else the only one that has a path address on this host. `addresses` are those of
/// this host. Anything else is an error that says what was looked for.
pub fn whoami(
    pair: &Pair,
    node: Option<&str>,
    host_name: &str,
    addresses: &[IpAddr],
) -> Result<usize, ExitError> {
    let info = node_info(Path::new(NODE_INFO));
    place(pair, node, info.as_deref(), host_name, addresses)
}

fn place(
    pair: &Pair,
    node: Option<&str>,
    info: Option<&str>,
    host_name: &str,
    addresses: &[IpAddr],
) -> Result<usize, ExitError> {
    let names = pair.routers.each_ref().map(|router| router.name.as_str());
    let known = names.join(" and ");
    if let Some(node) = node {
        return names.iter().position(|name| *name == node).ok_or_else(|| {
            ExitError::usage(format!(
                "cannot be router {node}: the configuration names {known}; give one of them to \
                 --node"
            ))
        });
    }
    // The file may be left from another pair; then it says nothing of this one.
    let named = info.and_then(|info| by_host_name(names, info));
    if let Some(place) = named.or_else(|| by_host_name(names, host_name)) {
        return Ok(place);
    }
    let has_path = |place: &usize| {
        let router = pair.routers.get(*place);
        router.is_some_and(|router| router.paths.iter().any(|path| addresses.contains(path)))
    };
    let found: Vec<usize> = (0..names.len()).filter(has_path).collect();
    match found.as_slice() {
        [place] => Ok(*place),
        found => Err(ExitError::configuration(format!(
            "cannot tell which router this is: the host name {host_name}{} is neither {known}, \
             and {} of them has a path address on this host; give --node",
            info.map(|info| format!(", in {NODE_INFO} {info},")).unwrap_or_default(),
            if found.is_empty() { "none" } else { "each" }
        ))),
    }
}

/// A whole name counts before one that is equal up to the first dot.
fn by_host_name(names: [&str; 2], host_name: &str) -> Option<usize> {
    let short = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let whole = names.iter().position(|name| name.eq_ignore_ascii_case(host_name));
    let shortened = || {
        let mut found = (0..2)
            .filter(|place| names.get(*place).is_some_and(|name| short(name) == short(host_name)));
        found.next().filter(|_| found.next().is_none())
    };
    whole.or_else(shortened)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use config::model::{Heartbeat, KeySource, Router};

    use super::*;
    use crate::exit::Exit;
    use crate::test_folder::TestFolder;

    fn pair(first: &str, second: &str) -> Pair {
        let router = |name: &str, last: u8| Router {
            name: name.to_owned(),
            paths: vec![IpAddr::from([192, 168, 1, last]), IpAddr::from([172, 16, 1, last])],
        };
        Pair {
            routers: [router(first, 2), router(second, 3)],
            heartbeat: Heartbeat {
                interval: Duration::from_millis(200),
                dead_after: Duration::from_millis(600),
                warn_after: None,
                listen_first: Duration::from_secs(1),
                port: 539,
                shared_paths: Vec::new(),
                keys: KeySource::Default,
                witness: Vec::new(),
                yield_on_fewer_witnesses: false,
            },
            groups: Vec::new(),
            fence: None,
        }
    }

    fn at(text: &str) -> Vec<IpAddr> {
        text.split_whitespace().map(|address| address.parse().unwrap()).collect()
    }

    #[test]
    fn a_given_name_counts_before_everything_else() {
        let pair = pair("master", "backup");
        assert_eq!(place(&pair, Some("backup"), None, "master", &at("192.168.1.2")), Ok(1));
    }

    #[test]
    fn a_given_name_that_is_unknown_is_an_error_of_usage_that_names_both() {
        let error =
            place(&pair("master", "backup"), Some("bakcup"), None, "master", &[]).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("names master and backup"), "{error}");
    }

    #[test]
    fn the_host_name_counts_whole_or_up_to_the_first_dot() {
        let pair = pair("master", "backup.example.org");
        assert_eq!(place(&pair, None, None, "master.example.org", &[]), Ok(0));
        assert_eq!(place(&pair, None, None, "backup", &[]), Ok(1));
        assert_eq!(place(&pair, None, None, "BACKUP.example.org", &[]), Ok(1));
    }

    #[test]
    fn names_that_differ_only_after_the_dot_are_told_apart_by_the_whole_name() {
        let pair = pair("lvs.north.example", "lvs.south.example");
        assert_eq!(place(&pair, None, None, "lvs.south.example", &[]), Ok(1));
        assert!(place(&pair, None, None, "lvs", &[]).is_err());
    }

    #[test]
    fn the_name_in_heartbeats_file_counts_before_the_hosts_own() {
        let pair = pair("master", "backup");
        let named = |info| place(&pair, None, info, "master", &[]);
        assert_eq!(named(Some("backup")), Ok(1));
        assert_eq!(named(Some("BACKUP")), Ok(1));
        assert_eq!(named(Some("of-another-pair")), Ok(0));
        assert_eq!(named(None), Ok(0));
        assert_eq!(place(&pair, Some("master"), Some("backup"), "backup", &[]), Ok(0));
        let error = place(&pair, None, Some("elsewhere"), "gate", &[]).unwrap_err();
        assert!(error.message.contains("in /etc/ha.d/nodeinfo elsewhere"), "{error}");
    }

    #[test]
    fn heartbeats_file_holds_a_name_on_its_first_line() {
        let folder = TestFolder::new();
        let path = folder.path().join("nodeinfo");
        assert_eq!(node_info(&path), None);
        for (text, name) in
            [("backup\n", Some("backup")), (" backup \nx\n", Some("backup")), ("\n", None)]
        {
            std::fs::write(&path, text).unwrap();
            assert_eq!(node_info(&path).as_deref(), name, "{text:?}");
        }
    }

    #[test]
    fn an_address_on_this_host_decides_when_the_name_does_not() {
        let pair = pair("primary", "backup");
        assert_eq!(place(&pair, None, None, "gate", &at("127.0.0.1 172.16.1.3")), Ok(1));
    }

    #[test]
    fn neither_router_or_both_is_an_error_that_says_what_was_looked_for() {
        let pair = pair("primary", "backup");
        for (addresses, word) in [("10.0.0.1", "none"), ("192.168.1.2 192.168.1.3", "each")] {
            let error = place(&pair, None, None, "gate", &at(addresses)).unwrap_err();
            assert_eq!(error.exit, Exit::Configuration);
            for part in ["gate", "primary and backup", word, "--node"] {
                assert!(error.message.contains(part), "{error}");
            }
        }
    }
}
