use super::*;
use std::cell::Cell;

#[test]
fn the_format_is_told_from_the_content() {
    let lvs = "serial_no = 1\nprimary = 10.0.0.1\nvirtual web {\n  port = 80\n  server a {\n";
    let ldirectord = "# x\ncheckinterval=5\nvirtual=10.0.0.1:80\n\treal=10.0.0.2:80 gate\n";
    let native = "services:\n  web:\n    listen: 10.0.0.1:80/tcp\n";
    assert_eq!(detect(lvs.as_bytes()), Format::LvsCf);
    assert_eq!(detect(ldirectord.as_bytes()), Format::Ldirectord);
    assert_eq!(detect(native.as_bytes()), Format::Native);
    assert_eq!(detect(b""), Format::Native);
    let keepalived = "! x\n@one $A=1\nvrrp_instance VI_1 {\n  state MASTER\n}\n";
    assert_eq!(detect(keepalived.as_bytes()), Format::Keepalived);
    assert_eq!(detect(b"include conf.d/*.conf\n"), Format::Keepalived);
    assert_eq!(detect(b"services: {}\ninclude: x\n"), Format::Native);
    assert_eq!(detect(b"# rules\n-A -t 10.0.0.1:80 -s wlc\n"), Format::Ipvsadm);
    assert_eq!(detect(b"/sbin/ipvsadm -C\n"), Format::Ipvsadm);
    assert_eq!(detect(b"IP Virtual Server version 1.2.1 (size=4096)\n"), Format::Ipvsadm);
    assert_eq!(detect(b"#x\nLVS_TYPE=VS_DR\n"), Format::LvsDr);
    assert_eq!(detect(b"LVS_TYP=VS_DR\nVIP = eth0 10.0.0.1\n"), Format::LvsDr);
    assert_eq!(detect(b"on_edit: [/bin/x,\n  -a]\n"), Format::Native);
}

#[test]
fn only_keepalived_has_a_file_for_each_router() {
    let read = |path: &Path| match path.to_str() {
        Some("a") => {
            Ok(b"services: { s: { listen: \"10.0.0.1:80\", servers: [10.0.0.2] } }".to_vec())
        }
        _ => Ok(Vec::new()),
    };
    let disk = Disk { read: &read, private: &read, list: &|_| Vec::new() };
    assert!(load_from(&disk, Path::new("a"), false, Given::default()).cluster.is_some());
    let loaded = load_from(
        &disk,
        Path::new("a"),
        false,
        Given { partner: Some(Path::new("b")), ..Given::default() },
    );
    assert!(loaded.cluster.is_none());
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.diagnostics[0].file, "b");
}

#[test]
fn a_file_that_cannot_be_read_is_one_error_and_is_watched() {
    let loaded = load(Path::new("/x/cluster.yaml"), false, &|_| {
        Err(std::io::Error::new(std::io::ErrorKind::NotFound, "no such file"))
    });
    assert!(loaded.cluster.is_none());
    assert_eq!(loaded.diagnostics.len(), 1);
    assert_eq!(loaded.files, [PathBuf::from("/x/cluster.yaml")]);
}

#[test]
fn the_hash_is_over_the_bytes_and_stable() {
    let hash = |text: &'static [u8]| load(Path::new("x"), false, &move |_| Ok(text.to_vec())).hash;
    assert_eq!(hash(b"a: 1"), hash(b"a: 1"));
    assert_ne!(hash(b"a: 1"), hash(b"a: 2"));
}

#[test]
fn a_password_that_stands_in_the_configuration_is_in_no_hash() {
    let loaded = |said: &str, login: &str| {
        let text = format!(
            "checktimeout = 3\nvirtual = 192.168.1.1:143\n\treal = 192.168.1.4:143 masq\n\tservice = imap\n\tlogin = \"{login}\"\n\tpasswd = \"{said}\"\n"
        );
        load(Path::new("ldirectord.cf"), false, &move |_| Ok(text.clone().into_bytes()))
    };
    let (one, two) = (loaded("one", "anna"), loaded("another", "anna"));
    assert!(one.cluster.is_some(), "{:?}", one.diagnostics);
    assert_ne!(one.cluster, two.cluster);
    assert_eq!(one.hash, two.hash);
    assert_ne!(one.hash, loaded("one", "bert").hash);
}

#[test]
fn a_folder_with_ldirectords_file_alone_is_that_of_a_single_director() {
    let read = |path: &Path| match path.to_str() {
        Some("/etc/ha.d/ldirectord.cf") => Ok(b"virtual = 192.168.1.1:80\n".to_vec()),
        _ => Err(std::io::ErrorKind::NotFound.into()),
    };
    let looks = Cell::new(0);
    let load = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let list = |_: &Path| {
            looks.set(looks.get() + 1);
            names.clone()
        };
        let disk = Disk { read: &read, private: &read, list: &list };
        load_from(&disk, Path::new("/etc/ha.d"), true, Given::default())
    };
    let loaded = load(&["README", "ldirectord.cf"]);
    assert_eq!(loaded.format, Format::Ldirectord);
    assert!(loaded.cluster.is_some_and(|cluster| cluster.pair.is_none()));
    assert!(loaded.files.contains(&PathBuf::from("/etc/ha.d")), "ha.cf may appear");
    assert_eq!(looks.get(), 1);
    // What is there and cannot be read is no reason to run without it.
    let loaded = load(&["ha.cf", "ldirectord.cf"]);
    assert_eq!(loaded.format, Format::HaFolder);
    assert!(loaded.cluster.is_none());
}

#[test]
fn either_file_of_a_heartbeat_folder_stands_for_the_folder() {
    assert_eq!(folder_of(Path::new("/etc/ha.d/ha.cf"), false), Some(Path::new("/etc/ha.d")));
    assert_eq!(folder_of(Path::new("/etc/ha.d"), true), Some(Path::new("/etc/ha.d")));
    assert_eq!(folder_of(Path::new("/etc/ha.d/ldirectord.cf"), false), None);
}
