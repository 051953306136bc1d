//! A host of one test: a folder, an address on loopback, and servers that end with it.

use std::fs;
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process};

/// Long enough never to matter on a busy machine.
const PLENTY: Duration = Duration::from_secs(60);
/// Who servers run as where the test is root: some refuse to be that.
const NOBODY: u32 = 65_534;
/// The password of everybody: longer than a block of RADIUS, and with what some have to wrap.
pub(crate) const RIGHT: &str = "ge heim und länger";
/// A password that is nobody's.
pub(crate) const WRONG: &str = "falsch";
/// Where servers lie that no ordinary user starts.
const MORE_FOLDERS: &str = "/usr/sbin:/sbin:/usr/lib/postgresql/*/bin";

/// The host.
pub(crate) struct Host {
    folder: PathBuf,
    /// Its address.
    pub(crate) address: Ipv4Addr,
    run_as: Option<u32>,
}

impl Host {
    /// Each process has a number of its own, and so an address where nobody else takes a port.
    pub(crate) fn new() -> Self {
        let [_, a, b, c] = std::process::id().to_be_bytes();
        let folder = std::env::temp_dir().join(format!("nanny-servers-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let run_as = geteuid().is_root().then_some(NOBODY);
        chown(&folder, run_as, run_as).unwrap();
        Self { folder, address: Ipv4Addr::new(127, 128 | a, b, c), run_as }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.join(name).display().to_string()
    }

    /// A folder of the servers' user, which nobody else may enter; its path.
    pub(crate) fn folder(&self, name: &str) -> String {
        let path = self.path(name);
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&path, self.run_as, self.run_as).unwrap();
        path
    }

    /// A file of the servers' user, which nobody else may read; its path.
    pub(crate) fn write(&self, name: &str, text: &str) -> String {
        let path = self.private(name, text);
        chown(&path, self.run_as, self.run_as).unwrap();
        path
    }

    /// A file that only the test may read; its path.
    pub(crate) fn private(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// A certificate for the address and its key: the paths of both.
    pub(crate) fn certificate(&self) -> (String, String) {
        let made = rcgen::generate_simple_self_signed([self.address.to_string()]).unwrap();
        let key = made.signing_key.serialize_pem();
        (self.write("cert.pem", &made.cert.pem()), self.write("key.pem", &key))
    }

    /// A port that is free.
    pub(crate) fn port(&self) -> u16 {
        TcpListener::bind((self.address, 0)).unwrap().local_addr().unwrap().port()
    }

    /// The names of the servers' user and group.
    pub(crate) fn user(&self) -> [String; 2] {
        ["-un", "-gn"].map(|what| {
            let output = self.command("id", "coreutils").arg(what).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        })
    }

    /// A program, run as the servers' user, or what to install.
    fn command(&self, program: &str, package: &str) -> Command {
        let path = find(program)
            .unwrap_or_else(|| panic!("{program} is not there: apt-get install {package}"));
        let mut command = Command::new(path);
        if let Some(id) = self.run_as {
            command.uid(id).gid(id);
        }
        command.current_dir(&self.folder).env_clear().env("LC_ALL", "C");
        command
    }

    /// Runs a program to its good end.
    pub(crate) fn prepare(&self, program: &str, package: &str, arguments: &[&str], input: &str) {
        let mut command = self.command(program, package);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_owned();
        let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        let output = child.wait_with_output().unwrap();
        let _written = writer.join().unwrap();
        assert!(output.status.success(), "{program}: {}", said(&output));
    }

    /// Starts a server, which stays in the foreground, and waits until all these ports are open.
    pub(crate) fn start(
        &self,
        program: &str,
        package: &str,
        arguments: &[&str],
        ports: &[Port],
    ) -> Server {
        let log = self.path("log");
        let file = fs::File::create(&log).unwrap();
        let mut command = self.command(program, package);
        command.args(arguments).stdin(Stdio::null());
        command.stdout(file.try_clone().unwrap()).stderr(file);
        let mut server = Server { child: command.spawn().unwrap(), ended: false };
        wait_until(|| {
            let gone = server.child.try_wait().unwrap();
            let said = || fs::read_to_string(&log).unwrap();
            assert!(gone.is_none(), "{program} is gone: {}", said());
            ports.iter().all(|port| port.is_open(self.address))
        });
        server
    }

    /// What `nanny check` says last about a target with `ADDRESS` in it.
    pub(crate) fn check(&self, target: &str, password: &str, more: &[&str]) -> String {
        let file = self.private("password", &format!("{password}\n"));
        let target = target.replace("ADDRESS", &self.address.to_string());
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanny"));
        command.args(["check", &target, "--password-file", &file]).args(more);
        if !more.contains(&"--timeout") {
            command.args(["--timeout", "20s"]);
        }
        let output = command.output().unwrap();
        let all = said(&output);
        assert!(!all.contains(password), "{all}");
        let last = all.lines().last().unwrap_or_default().to_owned();
        assert_eq!(output.status.success(), last.starts_with("up: "), "{all}");
        last
    }
}

/// Waits until something is so.
pub(crate) fn wait_until(mut so: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !so() {
        assert!(begin.elapsed() < PLENTY, "it is still not so");
        std::thread::sleep(Duration::from_millis(10));
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _removed = fs::remove_dir_all(&self.folder);
    }
}

fn said(output: &Output) -> String {
    [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text)).concat()
}

/// A program of this host; a star in a folder's name stands for the newest one.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = format!("{path}:{MORE_FOLDERS}");
    let folders = folders.split(':').flat_map(|folder| match folder.split_once('*') {
        None => vec![PathBuf::from(folder)],
        Some((before, after)) => {
            let names = fs::read_dir(before).into_iter().flatten().flatten();
            let mut found: Vec<_> =
                names.map(|name| name.path().join(after.trim_start_matches('/'))).collect();
            found.sort();
            found.into_iter().rev().collect()
        }
    });
    folders.map(|folder| Path::new(&folder).join(program)).find(|file| file.is_file())
}

/// A port that a server opens.
#[derive(Clone, Copy)]
pub(crate) enum Port {
    Tcp(u16),
    Udp(u16),
}

impl Port {
    fn is_open(self, address: Ipv4Addr) -> bool {
        match self {
            Self::Tcp(port) => TcpStream::connect((address, port)).is_ok(),
            Self::Udp(port) => UdpSocket::bind((address, port)).is_err(),
        }
    }
}

/// A server; it ends with this.
pub(crate) struct Server {
    child: Child,
    ended: bool,
}

impl Server {
    /// Stops it, and waits until it has ended.
    pub(crate) fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }

        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let _told = pid.map(|pid| kill_process(pid, Signal::TERM));
        let _ended = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}
