//! Lines of haresources.

use super::*;

#[test]
fn addresses_have_mask_device_label_and_broadcast() {
    let address = |prefix_length,
                   interface: Option<&str>,
                   label: Option<&str>,
                   broadcast: Option<&str>| FloatingAddress {
        ip: "192.168.1.1".parse().unwrap(),
        prefix_length,
        interface: interface.map(str::to_string),
        label: label.map(str::to_string),
        broadcast: broadcast.map(|ip| ip.parse().unwrap()),
    };
    for (text, wanted) in [
        ("192.168.1.1", address(None, None, None, None)),
        ("IPaddr::192.168.1.1", address(None, None, None, None)),
        ("192.168.1.1/24", address(Some(24), None, None, None)),
        ("IPaddr2::192.168.1.1/255.255.255.0/eth0", address(Some(24), Some("eth0"), None, None)),
        (
            "192.168.1.1/24/eth0:1/192.168.1.255",
            address(Some(24), Some("eth0"), Some("eth0:1"), Some("192.168.1.255")),
        ),
        ("192.168.1.1/24/192.168.1.255", address(Some(24), None, None, Some("192.168.1.255"))),
    ] {
        assert_eq!(addresses(&format!("Master {text}\n")), [wanted], "{text}");
    }
    let six = addresses("Master IPv6addr::2001:db8::1/64/eth0\n");
    assert_eq!((six[0].ip.to_string().as_str(), six[0].prefix_length), ("2001:db8::1", Some(64)));
    assert!(resource_problem("Master 192.168.1.1/255.0.255.0\n").contains("has holes"));
    assert!(
        resource_problem("Master 192.168.1.1/24/eth0/eth1\n")
            .contains("`eth1` does not belong here")
    );
    assert!(resource_problem("Master IPaddr::www\n").contains("`www` is no address here"));
    assert!(resource_problem("Master IPaddr\n").contains("`IPaddr` names no address"));
    assert!(resource_problem("Master IPaddr::2001:db8::1\n").contains("is no address here"));
}

#[test]
fn lines_go_on_behind_a_backslash() {
    let pair =
        clean(&[("haresources", "Master \\\n  192.168.1.1 \\\n\n# c\nBackup 192.168.1.9 # c\n")]);
    assert_eq!(pair.groups.len(), 2);
    let last = resource_problem("Master 192.168.1.1 \\\n");
    assert!(
        last.starts_with("ha.d/haresources:1:20: warning: the last line ends with a backslash")
    );
    let blank = resource_problem("Master \\ \n192.168.1.1\n");
    assert!(blank.contains("1:8: warning: this backslash does not end its line"), "{blank}");
}

#[test]
fn other_resources_are_programs_in_their_order() {
    let script = [("resource.d/Filesystem", "#!/bin/sh\n"), ("resource.d/apache", "#!/bin/sh\n")];
    let line = [("haresources", "Master Filesystem::/dev/x::/www 192.168.1.1 apache\n")];
    let pair = clean(&[script.as_slice(), line.as_slice()].concat());
    let hooks = &pair.groups[0].hooks;
    let words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    assert_eq!(hooks[0].start, words("ha.d/resource.d/Filesystem /dev/x /www start"));
    assert_eq!(hooks[0].stop, words("ha.d/resource.d/Filesystem /dev/x /www stop"));
    let order: Vec<_> = hooks.iter().map(|hook| hook.order).collect();
    assert_eq!(order, [HookOrder::BeforeAddresses, HookOrder::AfterAddresses]);
    let missing = resource_problem("Master 192.168.1.1 httpd\n");
    assert!(
        missing.contains(
            "warning: there is no program for `httpd` (ha.d/resource.d/httpd will be run"
        ),
        "{missing}"
    );
    assert!(resource_problem("Master 192.168.1.1 ../x\n").contains("error: `../x` is no resource"));
}

#[test]
fn connections_are_copied_where_the_swap_said() {
    let text = "Master 192.168.1.1 LVSSyncDaemonSwap::master::eth1\n";
    let sync = clean_cluster(&[("haresources", text)]).kernel.sync.unwrap();
    assert_eq!((sync.interface.as_str(), sync.id), ("eth1", 0));
    assert!(resource_problem("Master 192.168.1.1 LVSSyncDaemonSwap\n").contains("has no role"));
}

#[test]
fn a_line_without_resources_or_a_second_one_alike_is_an_error() {
    let (_, problems) = read(&[("haresources", "Master\n")]);
    assert!(
        problems.iter().any(|p| p.contains("haresources:1:1: error: nothing belongs to Master"))
    );
    let twice = "Master 192.168.1.1\nMaster 192.168.1.1/24\n";
    let (_, problems) = read(&[("haresources", twice)]);
    assert!(
        problems.iter().any(|p| p.contains("2:8: error: another line of Master begins with this")),
        "{problems:#?}"
    );
    let (_, problems) = read(&[("haresources", "# nothing\n")]);
    assert!(problems[0].contains("haresources:1:1: error: nothing belongs to a router"));
}
