//! Checks that log in, by lvsd and nanny as they run on a router, at real mailboxes and files.

use std::time::Duration;

use lab::ftp::FtpServer;
use lab::{Daemon, Node, Outcome, Run, Seed, ensure, seed};

use super::director::has_table;

const PATH: &str = "/etc/caribe/cluster.yaml";
const LONG: Duration = Duration::from_secs(30);
/// The password of the mailbox, and what it is changed to.
const MAIL: &str = "vier Esel";
const OTHER: &str = "ein anderer";
/// Where a real server keeps its passwords.
const USERS: &str = "/etc/dovecot.users";
const GUESTS: &str = "/etc/vsftpd.passwords";

/// A busy emulated machine may take seconds for an answer, which is no illness here.
const CONFIGURATION: &str = "\
services:
  mail:
    listen: 192.168.1.1:143/tcp
    scheduler: rr
    forward: direct
    check: { imap: { login: anna, password_file: mail.password }, interval: 1s, timeout: 20s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4:143, 192.168.1.5:143 ]
  files:
    listen: 192.168.1.1:21/tcp
    scheduler: rr
    forward: direct
    check: { ftp: { login: anonymous, password_file: files.password, path: /who, expect: r }, interval: 1s, timeout: 20s, fall: 2, rise: 1 }
    servers: [ 192.168.1.4:21, 192.168.1.5:21 ]
";

/// The mailboxes: with no wait after a wrong password.
const DOVECOT: &str = "\
protocols = imap
listen = *
log_path = /dev/stderr
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
mail_location = maildir:/run/mail/%u
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = /etc/dovecot.users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=/run/mail/%u
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
";

const BOTH: &str = "\
-A -t 192.168.1.1:21 -s rr
-a -t 192.168.1.1:21 -r 192.168.1.4:21 -g -w 1
-a -t 192.168.1.1:21 -r 192.168.1.5:21 -g -w 1
-A -t 192.168.1.1:143 -s rr
-a -t 192.168.1.1:143 -r 192.168.1.4:143 -g -w 1
-a -t 192.168.1.1:143 -r 192.168.1.5:143 -g -w 1
";

/// A real server with both services; they end with this.
struct Server {
    _mail: Daemon,
    _files: FtpServer,
}

impl Server {
    fn start(node: &Node) -> Outcome<Self> {
        // Only the mail of nobody is kept.
        node.execute(&["install", "-d", "-o", "65534", "-g", "65534", "/run/mail"])?;
        node.write("/etc/dovecot.lab", DOVECOT)?;
        node.write(USERS, &users(MAIL))?;
        node.write(GUESTS, "fünf Hüte\n")?;
        let mail = node.start(&["dovecot", "-F", "-c", "/etc/dovecot.lab"])?;
        Ok(Self { _mail: mail, _files: FtpServer::start_guarded(node, GUESTS)? })
    }
}

fn users(password: &str) -> String {
    format!("anna:{{PLAIN}}{password}\n")
}

/// The table without one server of one service.
fn without(server: &str) -> String {
    let kept = |line: &&str| !line.contains(&format!("-r {server} "));
    BOTH.lines().filter(kept).map(|line| format!("{line}\n")).collect()
}

/// Waits until a server is out, and `explain` says why without a word of any password.
fn is_out(router: &Node, server: &str, why: &str) -> Outcome<Duration> {
    let took = has_table(router, &without(server), LONG)?;
    let said = router.execute(&["lvsctl", "explain", server])?;
    ensure!(said.contains(why), "explain does not say why:\n{said}");
    for password in [MAIL, OTHER, "Hüte"] {
        ensure!(!said.contains(password), "explain says a password:\n{said}");
    }
    Ok(took)
}

/// What the client sees through the floating address, from as many requests as there are servers.
fn answers(client: &Node) -> Outcome {
    for _ in 0..2 {
        let login = format!("anna:{MAIL}");
        let url = format!("imap://{}/", seed::VIP);
        let words = ["curl", "-sS", "--max-time", "20", "-u", login.as_str(), url.as_str()];
        let said = client.execute(&words)?;
        ensure!(said.contains("INBOX"), "no mailbox comes through the floating address: {said}");
        let url = format!("ftp://{}/who", seed::VIP);
        let words =
            ["curl", "-sS", "--max-time", "20", "--head", "-u", "anonymous:fünf Hüte", &url];
        let said = client.execute(&words)?;
        ensure!(said.contains("Content-Length: 2"), "no file: {said}");
    }
    Ok(())
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _servers = [Server::start(&net.r1)?, Server::start(&net.r2)?];
    let router = &net.ra;
    router.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    router.write(PATH, CONFIGURATION)?;
    router.write_mode("/etc/caribe/mail.password", &format!("{MAIL}\n"), 0o600)?;
    router.write_mode("/etc/caribe/files.password", "fünf Hüte\n", 0o600)?;
    let mut daemon = router.start(&["lvsd", "--config", PATH])?;
    has_table(router, BOTH, LONG)?;
    answers(&net.c)?;
    run.step("mailboxes and files of both servers take the login, and answer the client");

    net.r1.write(USERS, &users(OTHER))?;
    let took = is_out(router, "192.168.1.4:143", "login refused: ")?;
    run.figure("another password is noticed", "ms", &[took.as_secs_f64() * 1000.0])?;
    let line = daemon.wait_for_log(LONG, "AUTHENTICATIONFAILED")?;
    ensure!(line.contains("server=192.168.1.4:143"), "{line}");
    run.step(line);
    answers(&net.c)?;
    net.r1.write(USERS, &users(MAIL))?;
    has_table(router, BOTH, LONG)?;
    run.step("a mailbox with another password is out and says why, and returns with the right one");

    net.r2.write(GUESTS, "sechs Hüte\n")?;
    is_out(router, "192.168.1.5:21", "530 Login incorrect.")?;
    net.r2.write(GUESTS, "fünf Hüte\n")?;
    has_table(router, BOTH, LONG)?;
    let file = net.r2.folder().join("ftp/who").display().to_string();
    let away = format!("{file}.away");
    net.r2.execute(&["mv", &file, &away])?;
    is_out(router, "192.168.1.5:21", "file refused: ")?;
    net.r2.execute(&["mv", &away, &file])?;
    has_table(router, BOTH, LONG)?;
    run.step("so is a server of files with another password, and one without the file");

    answers(&net.c)?;
    let mut log = daemon.log()?;
    let ended = daemon.stop(Duration::from_secs(5))?;
    ensure!(ended.success(), "lvsd ended with {ended}");
    log.push_str(&daemon.log()?);
    ensure!(![MAIL, OTHER, "Hüte"].iter().any(|word| log.contains(word)), "a password is logged");
    Ok(())
}
