//! Who is at the other end, and what that one may do.

use hyper::Method;
use tokio::net::UnixStream;

use super::peer_groups::peer_groups;

/// The group that may read.
pub(super) const READERS: &str = "caribe";

/// The group that may act.
pub(super) const OPERATORS: &str = "caribe-admin";

/// The answer to those who may do nothing.
pub(super) const NO_ACCESS: &str =
    "not permitted: reading needs root or the group caribe, acting needs the group caribe-admin";

/// Who is at the other end, as the kernel knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Effective user number when it connected.
    pub uid: u32,
    /// Its effective group and its other groups.
    pub gids: Vec<u32>,
    /// Process number.
    pub pid: Option<i32>,
}

impl Peer {
    pub(super) fn of(stream: &UnixStream) -> std::io::Result<Self> {
        let credentials = stream.peer_cred()?;
        let mut gids = peer_groups(stream)?;
        gids.push(credentials.gid());
        Ok(Self { uid: credentials.uid(), gids, pid: credentials.pid() })
    }
}

/// The numbers that matter on this host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Groups {
    own_uid: u32,
    readers: Option<u32>,
    operators: Option<u32>,
}

impl Groups {
    /// Looked up for each connection: they are few, and a group may be made at any time.
    pub(super) fn of_this_host() -> Self {
        let text = std::fs::read_to_string("/etc/group").unwrap_or_default();
        Self {
            own_uid: rustix::process::geteuid().as_raw(),
            readers: group_number(&text, READERS),
            operators: group_number(&text, OPERATORS),
        }
    }
}

/// The number of a group in the text of `group(5)`.
fn group_number(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then_some(())?;
        fields.nth(1)?.parse().ok()
    })
}

/// Everything else acts.
pub(super) fn is_reading(method: &Method) -> bool {
    method == Method::GET || method == Method::HEAD
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) read: bool,
    pub(super) act: bool,
}

impl Access {
    pub(super) fn of(peer: &Peer, groups: &Groups) -> Self {
        let all = peer.uid == 0 || peer.uid == groups.own_uid;
        let member = |group: Option<u32>| group.is_some_and(|group| peer.gids.contains(&group));
        let act = all || member(groups.operators);
        Self { read: act || member(groups.readers), act }
    }

    pub(super) fn permits(self, method: &Method) -> Result<(), String> {
        match (is_reading(method), self) {
            (true, Self { read: true, .. }) | (false, Self { act: true, .. }) => Ok(()),
            (true, _) => Err(NO_ACCESS.to_owned()),
            (false, _) => Err(format!(
                "not permitted: acting needs root or the group {OPERATORS}; you may only read"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUPS: Groups = Groups { own_uid: 900, readers: Some(901), operators: Some(902) };

    fn may(uid: u32, gids: &[u32]) -> (bool, bool) {
        let peer = Peer { uid, gids: gids.to_vec(), pid: None };
        let access = Access::of(&peer, &GROUPS);
        (access.permits(&Method::GET).is_ok(), access.permits(&Method::POST).is_ok())
    }

    #[test]
    fn only_members_read_and_only_operators_act() {
        assert_eq!(may(0, &[]), (true, true), "root");
        assert_eq!(may(900, &[]), (true, true), "the user that runs the daemon");
        assert_eq!(may(1000, &[902]), (true, true), "an operator");
        assert_eq!(may(1000, &[1000, 901]), (true, false), "a reader");
        assert_eq!(may(1000, &[1000]), (false, false), "anybody else");
    }

    #[test]
    fn a_group_that_does_not_exist_has_no_members() {
        let peer = Peer { uid: 1000, gids: vec![0, 1000], pid: None };
        let groups = Groups { readers: None, operators: None, own_uid: 0 };
        assert_eq!(Access::of(&peer, &groups), Access::default());
    }

    #[test]
    fn anything_but_get_and_head_is_acting() {
        let reader = Access { read: true, act: false };
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            assert!(reader.permits(&method).unwrap_err().contains(OPERATORS));
        }
        assert!(reader.permits(&Method::HEAD).is_ok());
    }

    #[test]
    fn group_numbers_are_found_by_their_whole_name() {
        let text = "root:x:0:\ncaribe-admin:x:902:ann\nbroken\ncaribe:x:901:ann,bob\n";
        assert_eq!(group_number(text, READERS), Some(901));
        assert_eq!(group_number(text, OPERATORS), Some(902));
        assert_eq!(group_number(text, "broken"), None);
        assert_eq!(group_number(text, "carib"), None);
    }
}
