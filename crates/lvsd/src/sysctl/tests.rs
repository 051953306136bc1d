use std::path::Path;

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
