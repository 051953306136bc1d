use super::*;

const NAT: &str = "
services:
  www:
    listen: 192.168.1.1:80/tcp
    forward: nat
    servers: [ 10.0.0.4:80 ]
";

fn cluster(kernel: &str, services: &str) -> Cluster {
    let text = format!("kernel: {{ expire_quiescent_template: keep{kernel} }}\n{services}");
    let reader = |_: &Path| Ok(text.clone().into_bytes());
    let loaded = config::load(Path::new("cluster.yaml"), false, &reader);
    loaded.cluster.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
}

fn values(all: &[(&str, &str)]) -> Values {
    all.iter().map(|(file, value)| ((*file).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_udp_client_of_a_server_that_is_gone_gets_another_one_unless_told_otherwise() {
    let file = "ipv4/vs/expire_nodest_conn";
    let direct = NAT.replace("nat", "direct");
    assert_eq!(wanted(&cluster("", &direct), &[]), values(&[(file, "1")]));
    let off = cluster(", expire_nodest_conn: off", &direct);
    assert_eq!(wanted(&off, &[]), values(&[(file, "0")]));
    let keep = cluster(", expire_nodest_conn: keep", &direct);
    assert_eq!(wanted(&keep, &[]), Values::new());
}

#[test]
fn nat_wants_a_host_that_forwards_and_tells_of_no_shorter_way() {
    let kept = ", expire_nodest_conn: keep";
    let found = wanted(&cluster(kept, NAT), &["eth0".to_owned()]);
    let all = [
        ("ipv4/conf/all/send_redirects", "0"),
        ("ipv4/conf/default/send_redirects", "0"),
        ("ipv4/conf/eth0/send_redirects", "0"),
        ("ipv4/ip_forward", "1"),
    ];
    assert_eq!(found, values(&all));
    let six = NAT.replace("192.168.1.1:80/tcp", "\"[2001:db8::1]:80/tcp\"");
    let six = six.replace("10.0.0.4:80", "\"[2001:db8:1::4]:80\"");
    let found = wanted(&cluster(kept, &six), &["eth0".to_owned()]);
    assert_eq!(found, values(&[("ipv6/conf/all/forwarding", "1")]));
    let left = ", expire_nodest_conn: keep, ip_forward: keep, send_redirects: keep";
    assert_eq!(wanted(&cluster(left, NAT), &["eth0".to_owned()]), Values::new());
}

#[test]
fn what_was_there_before_is_remembered_once_and_comes_back() {
    let wants = values(&[("a", "1"), ("b", "1"), ("none", "1")]);
    let mut before = Values::new();
    let changes = plan(&wants, &values(&[("a", "0"), ("b", "1")]), &mut before);
    assert_eq!(changes.len(), 1, "b is right, and none does not exist: {changes:?}");
    assert_eq!(changes[0].shown(), "net.a 0 to 1");
    assert_eq!(before, values(&[("a", "0")]));

    // Somebody writes it: it is set again, and what was there first is not forgotten.
    let changes = plan(&wants, &values(&[("a", "2"), ("b", "1")]), &mut before);
    assert_eq!(changes.len(), 1);
    assert_eq!(before, values(&[("a", "0")]));
    assert_eq!(plan(&wants, &values(&[("a", "1"), ("b", "1")]), &mut before), []);

    let changes = plan(&Values::new(), &values(&[("a", "1"), ("b", "1")]), &mut before);
    let back = Change { file: "a".to_owned(), from: "1".to_owned(), to: "0".to_owned() };
    assert_eq!(changes, [back]);
    assert_eq!(before, Values::new());
}

#[test]
fn files_are_read_and_written_below_the_root() {
    let root = std::env::temp_dir().join(format!("caribe-sysctl-{}", std::process::id()));
    std::fs::create_dir_all(root.join("ipv4/conf/eth0")).unwrap();
    std::fs::create_dir_all(root.join("ipv4/conf/all")).unwrap();
    std::fs::write(root.join("ipv4/ip_forward"), "0\n").unwrap();
    assert_eq!(interfaces(&root), ["eth0"]);
    let wants = values(&[("ipv4/ip_forward", "1"), ("ipv4/none", "1")]);
    let now = read(&root, wants.keys());
    assert_eq!(now, values(&[("ipv4/ip_forward", "0")]));
    for change in plan(&wants, &now, &mut Values::new()) {
        write(&root, &change).unwrap();
    }
    assert_eq!(std::fs::read_to_string(root.join("ipv4/ip_forward")).unwrap(), "1");
    std::fs::remove_dir_all(&root).unwrap();
}
