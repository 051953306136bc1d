//! Which of the two routers is this one?

use std::net::IpAddr;

use config::model::Pair;

use crate::ExitError;

/// This host's name, as `uname -n` tells it.
pub fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The place of this router in `pair.routers`: the one that `--node` names, else the one that
/// bears the host's name (whole, or up to the first dot), else the only one that has a path
/// address on this host. `addresses` are those of this host. Anything else is an error that says
/// what was looked for.
pub fn whoami(
    pair: &Pair,
    node: Option<&str>,
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
    if let Some(place) = by_host_name(names, host_name) {
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
            "cannot tell which router this is: the host name {host_name} is neither {known}, \
             and {} of them has a path address on this host; give --node",
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
        assert_eq!(whoami(&pair, Some("backup"), "master", &at("192.168.1.2")), Ok(1));
    }

    #[test]
    fn a_given_name_that_is_unknown_is_an_error_of_usage_that_names_both() {
        let error = whoami(&pair("master", "backup"), Some("bakcup"), "master", &[]).unwrap_err();
        assert_eq!(error.exit, Exit::Usage);
        assert!(error.message.contains("names master and backup"), "{error}");
    }

    #[test]
    fn the_host_name_counts_whole_or_up_to_the_first_dot() {
        let pair = pair("master", "backup.example.org");
        assert_eq!(whoami(&pair, None, "master.example.org", &[]), Ok(0));
        assert_eq!(whoami(&pair, None, "backup", &[]), Ok(1));
        assert_eq!(whoami(&pair, None, "BACKUP.example.org", &[]), Ok(1));
    }

    #[test]
    fn names_that_differ_only_after_the_dot_are_told_apart_by_the_whole_name() {
        let pair = pair("lvs.north.example", "lvs.south.example");
        assert_eq!(whoami(&pair, None, "lvs.south.example", &[]), Ok(1));
        assert!(whoami(&pair, None, "lvs", &[]).is_err());
    }

    #[test]
    fn an_address_on_this_host_decides_when_the_name_does_not() {
        let pair = pair("primary", "backup");
        assert_eq!(whoami(&pair, None, "gate", &at("127.0.0.1 172.16.1.3")), Ok(1));
    }

    #[test]
    fn neither_router_or_both_is_an_error_that_says_what_was_looked_for() {
        let pair = pair("primary", "backup");
        for (addresses, word) in [("10.0.0.1", "none"), ("192.168.1.2 192.168.1.3", "each")] {
            let error = whoami(&pair, None, "gate", &at(addresses)).unwrap_err();
            assert_eq!(error.exit, Exit::Configuration);
            for part in ["gate", "primary and backup", word, "--node"] {
                assert!(error.message.contains(part), "{error}");
            }
        }
    }
}
