//! vsftpd.

use super::host::{Host, Port, RIGHT, Server, WRONG};

/// Everybody may read who knows one of the passwords in its list: so it needs no user of the host.
fn start(host: &Host, port: u16) -> Server {
    let [user, _] = host.user();
    let [files, empty] = ["files", "empty"].map(|name| host.folder(name));
    let list = host.write("list", &format!("{RIGHT}\n"));
    let settings = format!(
        "listen=YES\nlisten_address={address}\nlisten_port={port}\nbackground=NO\n\
         run_as_launching_user=YES\nseccomp_sandbox=NO\nanonymous_enable=YES\n\
         secure_email_list_enable=YES\nemail_password_file={list}\nanon_root={files}\n\
         secure_chroot_dir={empty}\nftp_username={user}\nnopriv_user={user}\n\
         anon_world_readable_only=NO\n",
        address = host.address,
    );
    let settings = host.write("vsftpd.conf", &settings);
    host.start("vsftpd", "vsftpd", &[&settings], &[Port::Tcp(port)])
}

#[test]
fn files_are_had_with_the_right_password_alone() {
    let host = Host::new();
    let port = host.port();
    let server = start(&host, port);
    let file = host.write("files/welcome.msg", "Welcome to the lab\n");
    let ask = |path: &str, password: &str, more: &[&str]| {
        host.check(&format!("ftp://anonymous@ADDRESS:{port}{path}"), password, more)
    };
    assert_eq!(ask("", RIGHT, &[]), "up: login taken");
    assert_eq!(ask("", WRONG, &[]), "down: login refused: \"530 Login incorrect.\"");
    let found = "up: login taken, expected answer";
    assert_eq!(ask(&file, RIGHT, &["--expect", "to the lab"]), found);
    let other = ask(&file, RIGHT, &["--expect", "to the sea"]);
    assert_eq!(other, "down: file does not hold \"to the sea\"");
    let none = ask("/nowhere/welcome.msg", RIGHT, &[]);
    assert_eq!(none, "down: file refused: \"550 Failed to open file.\"");
    server.stop();
    assert_eq!(ask("", RIGHT, &[]), "down: connection refused");
}
