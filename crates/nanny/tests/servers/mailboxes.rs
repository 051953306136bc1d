//! dovecot.

use super::host::{Host, Port, RIGHT, Server, WRONG};

/// Its settings: each service on a port of its own, and no wait after a wrong password.
fn settings(host: &Host, plain: bool, ports: [u16; 4]) -> String {
    let [user, group] = host.user();
    let (certificate, key) = host.certificate();
    let users = host.write("users", &format!("anna:{{PLAIN}}{RIGHT}\n"));
    let [run, mail] = ["run", "mail"].map(|name| host.folder(name));
    let mut text = format!(
        "base_dir = {run}\nstate_dir = {run}\nlog_path = /dev/stderr\nlisten = {address}\n\
         protocols = imap pop3\ndefault_internal_user = {user}\ndefault_internal_group = {group}\n\
         default_login_user = {user}\nssl = yes\nssl_cert = <{certificate}\nssl_key = <{key}\n\
         mail_location = maildir:{mail}\nfirst_valid_uid = 1\nauth_failure_delay = 0\n\
         disable_plaintext_auth = {disabled}\n\
         passdb {{\n  driver = passwd-file\n  args = {users}\n}}\n\
         userdb {{\n  driver = static\n  args = home={mail}\n}}\n\
         service anvil {{\n  chroot =\n  unix_listener anvil-auth-penalty {{\n    mode = 0\n  }}\n}}\n\
         service stats {{\n  chroot =\n}}\n",
        address = host.address,
        disabled = if plain { "no" } else { "yes" },
    );
    let [pop, pops, imap, imaps] = ports;
    for (service, plain, secure) in [("pop3", pop, pops), ("imap", imap, imaps)] {
        text.push_str(&format!(
            "service {service}-login {{\n  chroot =\n  inet_listener {service} {{\n    port = {plain}\n  }}\n  \
             inet_listener {service}s {{\n    port = {secure}\n  }}\n}}\n"
        ));
    }
    text
}

/// It runs with these settings, and what it is asked, inside TLS or not.
fn start(host: &Host, plain: bool) -> (Server, [(bool, String); 4]) {
    let ports = [(); 4].map(|()| host.port());
    let settings = host.write("dovecot.conf", &settings(host, plain, ports));
    let package = "dovecot-imapd dovecot-pop3d";
    let server = host.start("dovecot", package, &["-F", "-c", &settings], &ports.map(Port::Tcp));
    let [pop, pops, imap, imaps] = ports;
    let asked = [("pop", pop), ("pops", pops), ("imap", imap), ("imaps", imaps)];
    let target = |(scheme, port)| format!("{scheme}://anna@ADDRESS:{port}");
    (server, asked.map(|asked| (asked.0.ends_with('s'), target(asked))))
}

fn check(host: &Host, target: &str, password: &str) -> String {
    host.check(target, password, &["--ca-file", &host.path("cert.pem")])
}

#[test]
fn mailboxes_of_dovecot_take_the_right_password_alone() {
    let host = Host::new();
    let (server, asked) = start(&host, true);
    for (_, target) in &asked {
        assert_eq!(check(&host, target, RIGHT), "up: login taken", "{target}");
        let no = check(&host, target, WRONG);
        assert!(no.starts_with("down: login refused: "), "{target}: {no}");
        assert!(no.ends_with(" Authentication failed.\""), "{target}: {no}");
    }
    server.stop();
    for (_, target) in &asked {
        assert_eq!(check(&host, target, RIGHT), "down: connection refused", "{target}");
    }
}

#[test]
fn a_dovecot_that_takes_passwords_inside_tls_alone_says_so() {
    let host = Host::new();
    let (_server, asked) = start(&host, false);
    for (tls, target) in &asked {
        let said = check(&host, target, RIGHT);
        let taken = said == "up: login taken";
        let told = said.contains("authentication disallowed on non-secure (SSL/TLS) connections");
        assert!(if *tls { taken } else { told }, "{target}: {said}");
    }
}
