use std::path::Path;

use super::*;

/// A pair with these lines in ha.cf.
fn loaded(lines: &str) -> crate::Loaded {
    let ha_cf = format!("node one two\nbcast eth1\nauto_failback on\n{lines}");
    crate::load(Path::new("ha.d"), true, &|path| {
        let name = path.file_name().and_then(|name| name.to_str());
        match name {
            Some("ha.cf") => Ok(ha_cf.clone().into_bytes()),
            Some("haresources") => Ok(b"one 192.168.1.1\n".to_vec()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    })
}

fn cluster(lines: &str) -> Cluster {
    let loaded = loaded(lines);
    let problems = crate::render(&loaded.diagnostics, false);
    assert!(!problems.contains("geheim"), "{problems}");
    loaded.cluster.unwrap()
}

fn off(cluster: &Cluster) -> [Vec<String>; 2] {
    cluster.pair.as_ref().unwrap().fence.as_ref().unwrap().off.clone()
}

#[test]
fn what_a_device_is_told_goes_into_a_file_for_each_router_that_needs_it() {
    let lines = "stonith_host one external/ipmi two 10.0.0.3 admin geheim\n\
                 stonith_host two external/ipmi one 10.0.0.2 admin geheim2\n";
    let mut cluster = cluster(lines);
    let wanted = name_files(&mut cluster, Path::new("/etc/caribe"));
    let shown: Vec<_> = wanted
        .iter()
        .map(|one| (one.file.to_str().unwrap(), one.device.as_str(), one.routers.join(" ")))
        .collect();
    let device = "external/ipmi";
    let expected = [
        ("/etc/caribe/one.stonith", device, "two".to_owned()),
        ("/etc/caribe/two.stonith", device, "one".to_owned()),
    ];
    assert_eq!(shown, expected);
    let argv = |file: &str| {
        [PROGRAM, "-t", device, "-F", file, "-T", "reset", "%r"].map(str::to_owned).to_vec()
    };
    assert_eq!(off(&cluster), [argv("/etc/caribe/one.stonith"), argv("/etc/caribe/two.stonith")]);
    assert_eq!(name_files(&mut cluster, Path::new("/etc/caribe")), []);
}

#[test]
fn one_device_for_both_has_one_file() {
    let mut cluster = cluster("stonith_host * baytech 10.0.0.3 login geheim\n");
    let wanted = name_files(&mut cluster, Path::new("/x"));
    assert_eq!(wanted.len(), 1);
    assert_eq!(wanted[0].routers, ["one", "two"]);
    let [first, second] = off(&cluster);
    assert_eq!(first, second);
    assert_eq!(first[4], "/x/fence.stonith");
}

#[test]
fn what_is_no_secret_stays_where_it_is() {
    for lines in ["stonith_host * meatware one two\n", "stonith apcmaster /etc/ha.d/apc.conf\n"] {
        let mut cluster = cluster(lines);
        let before = off(&cluster);
        assert_eq!(name_files(&mut cluster, Path::new("/x")), []);
        assert_eq!(off(&cluster), before);
    }
}

#[test]
fn what_a_device_is_told_is_in_no_hash_and_an_edit_of_it_is_another_configuration() {
    let of = |told: &str| loaded(&format!("stonith_host * baytech 10.0.0.3 {told}\n"));
    let (one, other) = (of("geheim"), of("geheimer"));
    assert_eq!(one.hash, other.hash);
    assert_ne!(one.cluster, other.cluster);
    assert_ne!(one.hash, loaded("stonith apcmaster /etc/ha.d/apc.conf\n").hash);
}

#[test]
fn what_a_device_is_told_is_on_no_command_line_while_the_program_runs() {
    let [argv, _] = off(&cluster("stonith_host * baytech 10.0.0.3 login geheim\n"));
    let call = Call::new(argv);
    let expected = [PROGRAM, "-t", "baytech", "-F", "/proc/self/fd/0", "-T", "reset", "%r"];
    assert_eq!(
        (call.argv.as_slice(), &*call.input),
        (&expected.map(str::to_owned)[..], "10.0.0.3 login geheim\n")
    );
}

#[test]
fn commas_and_blanks_reach_the_device_as_they_are_written() {
    let [argv, _] = off(&cluster("stonith_host  *\tbaytech one,two  login a,geheim  b # note\n"));
    assert_eq!(argv[4], "one,two  login a,geheim  b");
}

#[test]
fn a_program_is_run_as_it_stands_where_nothing_can_be_hidden() {
    let long = format!("{PROGRAM} -t baytech -p {} -T reset %r", "x".repeat(LINE + 1));
    let comment = format!("{PROGRAM} -t baytech -p # -T reset %r");
    let file = format!("{PROGRAM} -t baytech -F /etc/ha.d/apc.conf -T reset %r");
    for line in [&*long, &comment, &file, "/bin/off -t baytech -p geheim", ""] {
        let argv: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let call = Call::new(argv.clone());
        assert_eq!((call.argv, &*call.input), (argv, ""));
    }
}

#[test]
fn what_is_too_long_for_the_program_to_read_is_told() {
    let is_told = |length| {
        let password = "x".repeat(length - "10.0.0.3 login ".len());
        let loaded = loaded(&format!("stonith_host * baytech 10.0.0.3 login {password}\n"));
        loaded.diagnostics.iter().any(|one| one.message.contains("list of processes"))
    };
    assert!(!is_told(LINE));
    assert!(is_told(LINE + 1));
}
