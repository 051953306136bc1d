//! Files with passwords.

use std::io;
use std::path::Path;

use super::*;
use crate::model::CheckKind;
use crate::{Disk, Given, Loaded, load_from};

const FILE: &str = "services:
  mail:
    listen: 192.168.1.1:143/tcp
    check: [ connect, { imap: { login: anna, password_file: imap.password } } ]
    servers: [ 192.168.1.4, { address: 192.168.1.5, check: { pop: { login: anna, password_file: imap.password } } } ]
";

/// The file, where the file with the password holds this.
fn loaded(held: io::Result<&[u8]>) -> Loaded {
    let read = |path: &Path| match path.to_str() {
        Some("/etc/caribe/cluster.yaml") => Ok(FILE.as_bytes().to_vec()),
        other => panic!("{other:?} is read in the open"),
    };
    let private = |path: &Path| {
        assert_eq!(path, Path::new("/etc/caribe/imap.password"));
        held.as_ref().map(|bytes| bytes.to_vec()).map_err(|error| error.kind().into())
    };
    let disk = Disk { read: &read, private: &private, list: &|_| Vec::new() };
    load_from(&disk, Path::new("/etc/caribe/cluster.yaml"), false, Given::default())
}

fn problems(held: io::Result<&[u8]>) -> Vec<String> {
    loaded(held).diagnostics.iter().map(crate::Diagnostic::one_line).collect()
}

fn password(loaded: &Loaded) -> &str {
    let CheckKind::Login(check) = &loaded.cluster.as_ref().unwrap().services[0].also[0].kind else {
        panic!("no login")
    };
    check.login.as_ref().unwrap().password.expose()
}

#[test]
fn a_password_is_read_from_beside_the_configuration_without_the_end_of_its_line() {
    for held in ["ge heim", "ge heim\n", "ge heim\r\n"] {
        assert_eq!(password(&loaded(Ok(held.as_bytes()))), "ge heim");
    }
    assert_eq!(password(&loaded(Ok(b" spaces count \n"))), " spaces count ");
}

#[test]
fn its_file_is_watched_and_is_in_no_hash() {
    let (one, two) = (loaded(Ok(b"one")), loaded(Ok(b"two")));
    assert_eq!(one.hash, two.hash);
    assert_ne!(one.cluster, two.cluster);
    assert!(one.files.contains(&PathBuf::from("/etc/caribe/imap.password")));
}

#[test]
fn what_cannot_be_a_password_is_refused_with_the_commands_that_mend_it() {
    let many = problems(Ok(b"one\ntwo\n"));
    assert!(many[0].contains("holds more than one line"), "{many:?}");
    assert!(problems(Ok(b"\n"))[0].contains("is empty"));
    assert!(problems(Ok(b"\xff"))[0].contains("is not UTF-8"));
    let missing = problems(Err(io::ErrorKind::NotFound.into()));
    // Each check that needs it is told of it.
    assert_eq!(missing.len(), 2, "{missing:#?}");
    assert!(
        missing[0].starts_with(
            "/etc/caribe/cluster.yaml:4:5: error: password_file: /etc/caribe/imap.password cannot be read: "
        ),
        "{missing:#?}"
    );
    assert!(missing[0].contains("chmod 600 /etc/caribe/imap.password"), "{missing:#?}");
}

#[test]
fn a_password_that_stands_in_the_configuration_gets_a_file_of_its_own() {
    let text = "virtual=192.168.1.1:110
    real=192.168.1.4 masq
    real=192.168.1.5 masq \"/x\", \"y\"
    login=\"anna\"
    passwd=\"geheim\"
virtual=192.168.1.1:143
    real=192.168.1.4 masq
    login=\"anna\"
    passwd=\"geheim\"
";
    let read = |_: &Path| Ok(text.as_bytes().to_vec());
    let mut cluster = crate::load(Path::new("l.cf"), false, &read).cluster.unwrap();
    let wanted = name_files(&mut cluster);
    let names: Vec<&str> = wanted.iter().map(|wanted| wanted.file.as_str()).collect();
    assert_eq!(names, ["tcp-192.168.1.1-110.password", "tcp-192.168.1.1-143.password"]);
    assert_eq!(wanted[0].service, "tcp:192.168.1.1:110");
    assert_eq!(wanted[0].secret.expose(), "geheim");
    assert_eq!(name_files(&mut cluster), []);
    assert!(!crate::native::write(&cluster).contains("geheim"));
}

#[test]
fn two_files_never_have_one_name() {
    let one = Wanted {
        file: "a-b.password".into(),
        secret: Secret::inline("x"),
        what: SecretUse::Password,
        service: "a:b".into(),
    };
    assert_eq!(free_name("a/b", SecretUse::Password, std::slice::from_ref(&one)), "a-b-2.password");
    assert_eq!(free_name("a/b", SecretUse::Shared, &[one]), "a-b.secret");
}
