//! The machine in software: QEMU with Debian's kernel on this host's own files, read-only.

use crate::kernel::Kernel;
use crate::process::{command, find};
use crate::trouble::{Context, Result, Trouble};
use lab::{console, runner};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

/// Memory of the machine in megabytes.
const MEMORY: &str = "4096";
/// Bytes of a console line that are kept.
const LONGEST_LINE: usize = 4096;
/// Lines of the console that are shown when the machine is lost.
const TAIL: usize = 25;

/// What a boot is for.
pub(crate) struct Boot<'a> {
    /// The kernel.
    pub(crate) kernel: &'a Kernel,
    /// The first file system.
    pub(crate) initrd: &'a Path,
    /// The machine's writable share: it holds the order and takes the results.
    pub(crate) out: &'a Path,
    /// When the machine is stopped, whatever it does.
    pub(crate) limit: Duration,
    /// Whether a person sits at the console.
    pub(crate) interactive: bool,
}

/// Boots the machine and waits for its end. True when every scenario kept its promise.
pub(crate) fn boot(boot: &Boot<'_>) -> Result<bool> {
    let _priority = Priority::raise();
    let mut child = start(boot)?;
    let tail = watch(&mut child, boot)?;
    let ended = child.wait().trying("waiting for qemu")?;
    match fs::read_to_string(boot.out.join("status")) {
        Ok(code) => Ok(code == "0"),
        Err(_) => Err(lost(ended, &tail, boot)),
    }
}

fn start(boot: &Boot<'_>) -> Result<Child> {
    let mut qemu = prior("qemu-system-x86_64");
    accelerate(&mut qemu);
    qemu.args(["-M", "q35", "-smp", "2", "-m", MEMORY, "-nodefaults", "-display", "none"])
        .args(["-serial", "stdio", "-no-reboot", "-kernel"])
        .arg(boot.kernel.image())
        .arg("-initrd")
        .arg(boot.initrd)
        .args([
            "-append",
            "console=ttyS0 quiet loglevel=1 panic=-1 mitigations=off nokaslr \
               random.trust_cpu=on",
        ]);
    let shares = [("host", Path::new("/"), ",readonly=on"), ("out", boot.out, "")];
    for (name, path, more) in shares {
        let path = path.display().to_string().replace(',', ",,");
        qemu.arg("-fsdev")
            .arg(format!("local,id={name},path={path},security_model=none,multidevs=remap{more}"));
        qemu.arg("-device").arg(format!("virtio-9p-pci,fsdev={name},mount_tag={name}"));
    }
    let errors = boot.out.join("qemu.log");
    let errors = File::create(&errors).trying(errors.display())?;
    let input = if boot.interactive { Stdio::inherit() } else { Stdio::null() };
    qemu.stdin(input).stdout(Stdio::piped()).stderr(errors);
    qemu.spawn().trying("starting qemu-system-x86_64")
}

/// The program with a high priority where that is allowed: whatever else runs on this host, the
/// machine's clock goes on, and a stall of the host is not measured as an outage.
fn prior(program: &str) -> Command {
    if !rustix::process::geteuid().is_root() {
        return command(program);
    }
    let mut nice = command("nice");
    nice.args(["-n", "-15"]).arg(find(program).unwrap_or_else(|| program.into()));
    nice
}

/// While it lives, all that this terminal started comes before what others started, where the
/// kernel shares time between terminals (autogroup of sched(7)) and this is allowed.
struct Priority {
    before: Option<String>,
}

impl Priority {
    const FILE: &str = "/proc/self/autogroup";

    fn raise() -> Self {
        let shown = fs::read_to_string(Self::FILE).unwrap_or_default();
        let before = shown.split_whitespace().last().map(str::to_owned);
        // Where it is not there or not allowed, the machine runs like everything else.
        let raised = fs::write(Self::FILE, "-10").is_ok();
        Self { before: before.filter(|_| raised) }
    }
}

impl Drop for Priority {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            let _ = fs::write(Self::FILE, before);
        }
    }
}

/// Emulation works everywhere; real virtualisation only where the person says so, because a
/// /dev/kvm that is there does not always run a kernel.
fn accelerate(qemu: &mut Command) {
    if std::env::var("LAB_ACCEL").is_ok_and(|value| value == "kvm") {
        qemu.args(["-accel", "kvm", "-cpu", "host"]);
    } else {
        qemu.args(["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"]);
    }
}

/// Shows what the runner says until the machine ends or its time is over; the console's tail.
fn watch(child: &mut Child, boot: &Boot<'_>) -> Result<VecDeque<String>> {
    let mut console = child.stdout.take().ok_or_else(|| Trouble::new("qemu has no console"))?;
    let (send, pieces) = sync_channel(256);
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(count @ 1..) = console.read(&mut piece) {
            if send.send(piece.get(..count).unwrap_or_default().to_vec()).is_err() {
                return;
            }
        }
    });
    let mut screen = Screen::new(boot)?;
    let end = Instant::now() + boot.limit;
    loop {
        match pieces.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(piece) => screen.take(&piece)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(screen.tail),
            Err(RecvTimeoutError::Timeout) => {
                child.kill().trying("ending qemu")?;
                return Ok(screen.tail);
            }
        }
    }
}

/// What becomes of the console's bytes: all go to a file, and those after the runner's first
/// line to the person.
struct Screen {
    log: File,
    line: Vec<u8>,
    tail: VecDeque<String>,
    up: bool,
    interactive: bool,
}

impl Screen {
    fn new(boot: &Boot<'_>) -> Result<Self> {
        Ok(Self {
            log: File::create(boot.out.join("console.log")).trying("console.log")?,
            line: Vec::new(),
            tail: VecDeque::new(),
            up: false,
            interactive: boot.interactive,
        })
    }

    fn take(&mut self, piece: &[u8]) -> Result {
        self.log.write_all(piece).trying("console.log")?;
        if self.interactive && self.up {
            let mut out = std::io::stdout().lock();
            // A terminal that went away ends the lab with its input.
            let _ = out.write_all(piece).and_then(|()| out.flush());
        }
        for byte in piece {
            if *byte == b'\n' {
                self.end_line();
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(*byte);
            }
        }
        Ok(())
    }

    fn end_line(&mut self) {
        let line = String::from_utf8_lossy(&std::mem::take(&mut self.line)).into_owned();
        let line = line.trim_end_matches('\r').to_owned();
        if self.up && !self.interactive && !line.contains("] reboot: ") {
            console::line(&line);
        }
        self.up |= line.ends_with(runner::BEGIN);
        if self.tail.len() == TAIL {
            self.tail.pop_front();
        }
        self.tail.push_back(line);
    }
}

/// The machine ended without a word: what it said last.
fn lost(ended: ExitStatus, tail: &VecDeque<String>, boot: &Boot<'_>) -> Trouble {
    let out = boot.out;
    let errors = fs::read_to_string(out.join("qemu.log")).unwrap_or_default();
    let mut text = if ended.code().is_none() {
        format!("the lab's machine was not at its end after {:?} and was stopped", boot.limit)
    } else {
        "the lab's machine ended without a result: its kernel crashed, or qemu failed".to_owned()
    };
    for line in errors.lines().chain(tail.iter().map(String::as_str)) {
        text.push_str("\n  │ ");
        text.push_str(line);
    }
    Trouble::new(format!("{text}\nthe whole console: {}", out.join("console.log").display()))
}
