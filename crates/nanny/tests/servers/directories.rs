//! slapd of OpenLDAP.

use super::host::{Host, Port, RIGHT, Server, WRONG};

/// The entry that the directory has.
const BASE: &str = "dc=example,dc=org";

fn start(host: &Host, [plain, secure]: [u16; 2]) -> Server {
    let (certificate, key) = host.certificate();
    let [database, pid] = [host.folder("database"), host.path("pid")];
    let settings = format!(
        "include /etc/ldap/schema/core.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n\
         pidfile {pid}\nTLSCertificateFile {certificate}\nTLSCertificateKeyFile {key}\n\
         database mdb\nsuffix {BASE}\nrootdn cn=anna,{BASE}\nrootpw \"{RIGHT}\"\ndirectory {database}\n"
    );
    let settings = host.write("slapd.conf", &settings);
    let entry = format!(
        "dn: {BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n"
    );
    host.prepare("slapadd", "slapd", &["-f", &settings], &entry);
    let address = host.address;
    let urls = format!("ldap://{address}:{plain}/ ldaps://{address}:{secure}/");
    let arguments = ["-d", "0", "-h", &urls, "-f", &settings];
    host.start("slapd", "slapd", &arguments, &[Port::Tcp(plain), Port::Tcp(secure)])
}

#[test]
fn a_directory_takes_the_right_password_alone_and_has_the_entry() {
    let host = Host::new();
    let ports = [host.port(), host.port()];
    let server = start(&host, ports);
    let authority = host.path("cert.pem");
    let ask = |(scheme, port): (&str, u16), base: &str, password: &str, more: &[&str]| {
        let target = format!("{scheme}://cn=anna,{BASE}@ADDRESS:{port}/{base}");
        host.check(&target, password, &[&["--ca-file", &authority], more].concat())
    };
    let [plain, secure] = ports;
    for at in [("ldap", plain), ("ldaps", secure)] {
        assert_eq!(ask(at, BASE, RIGHT, &[]), "up: login taken, expected answer");
        assert_eq!(ask(at, BASE, WRONG, &[]), "down: login refused: \"invalid credentials\"");
    }
    let at = ("ldap", plain);
    assert_eq!(ask(at, "", RIGHT, &[]), "up: login taken, expected answer");
    assert_eq!(ask(at, "dc=com", RIGHT, &[]), "down: entry refused: \"no such object\"");
    assert_eq!(ask(at, BASE, RIGHT, &["--expect", BASE]), "up: login taken, expected answer");
    let other = ask(at, BASE, RIGHT, &["--expect", "dc=com"]);
    assert!(other.starts_with("down: name of the entry "), "{other}");
    server.stop();
    assert_eq!(ask(at, BASE, RIGHT, &[]), "down: connection refused");
}
