//! Sorry servers.

use super::*;

#[test]
fn the_sorry_server_is_the_virtual_servers_own_or_the_files() {
    let cluster = clean(
        "fallback=127.0.0.1:8080 masq\nvirtual=1.1.1.1:80\n\treal=10.0.0.1 masq\n\
         virtual=1.1.1.2:80\n\tfallback=10.0.0.9\n",
    );
    let first = cluster.services[0].sorry.as_ref().unwrap();
    assert_eq!((first.port, first.forwarding), (Some(8080), Forwarding::Nat));
    let second = cluster.services[1].sorry.as_ref().unwrap();
    assert_eq!((second.port, second.forwarding), (None, Forwarding::Direct));
}

#[test]
fn a_sorry_server_of_the_other_family_is_told() {
    for (text, message) in [
        (
            "virtual=1.1.1.1:80\n\tfallback6=[::1]:80\n",
            "`fallback6` is not used by a virtual server of IPv4",
        ),
        (
            "virtual6=[2001:db8::1]:80\n\tfallback=127.0.0.1:80\n",
            "`fallback` is not used by a virtual server of IPv6",
        ),
    ] {
        let (_, problems) = read(text);
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert!(problems[0].contains(message), "{problems:?}");
    }
}
