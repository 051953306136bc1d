//! The users that daemons and their children run as, as `passwd(5)` has them.

use crate::child::RunAs;

/// pulse and lvsd, once they are started.
pub const ROUTER: &str = "caribe";
/// nanny, when it talks to servers.
pub const CHECKS: &str = "caribe-nanny";
/// nanny, when it runs other people's programs.
pub const SCRIPTS: &str = "caribe-script";

/// The program that switches the partner off.
pub const FENCE: &str = "caribe-fence";

/// The superuser.
pub const ROOT: RunAs = RunAs { uid: 0, gid: 0 };

/// What Linux calls nobody even where no file does (`/proc/sys/kernel/overflowuid`).
pub const NOBODY: RunAs = RunAs { uid: 65_534, gid: 65_534 };

/// A user of this host.
pub fn find(name: &str) -> Option<RunAs> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    find_in(&passwd, name)
}

/// The first of these users that the host has, else nobody.
pub fn first_of(names: &[&str]) -> RunAs {
    names.iter().find_map(|name| find(name)).unwrap_or(NOBODY)
}

fn find_in(passwd: &str, name: &str) -> Option<RunAs> {
    passwd.lines().find_map(|line| user(line, name))
}

/// One line of passwd(5): name, password, uid, gid, and more.
fn user(line: &str, name: &str) -> Option<RunAs> {
    let mut fields = line.split(':');
    let found = fields.next()? == name;
    let uid = fields.nth(1)?.parse().ok()?;
    let gid = fields.next()?.parse().ok()?;
    found.then_some(RunAs { uid, gid })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_its_whole_name() {
        let passwd =
            "root:x:0:0:root:/root:/bin/sh\nbroken\ncaribe-nanny:x:990:991::/:/bin/false\n";
        assert_eq!(find_in(passwd, CHECKS), Some(RunAs { uid: 990, gid: 991 }));
        assert_eq!(find_in(passwd, ROUTER), None);
        assert_eq!(find_in(passwd, "broken"), None);
        assert_eq!(first_of(&["there is no such user"]), NOBODY);
    }
}
