//! What many checks cost: starts nanny, gives it `COUNT` watches of one second on loopback, and
//! tells its share of a core and its memory.
//!
//! `cargo run --release -p nanny --example load -- [tcp|http|send-expect] [COUNT] [SECONDS]`

use std::error::Error;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use config::model::{Check, CheckKind, Expect, HttpCheck};
use control::PROTOCOL_VERSION;
use control::nanny::{FromNanny, ToNanny, Verdict, Watch, WatchId};
use runtime::child::ChildSpec;
use runtime::lines::JsonLines;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Clock ticks a second in /proc/PID/stat: the kernel's USER_HZ on every Linux.
const TICKS: f64 = 100.0;

/// Time before the measure begins, for all first verdicts.
const SETTLE: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "tcp".to_owned());
    let count: u32 = arguments.next().map_or(Ok(1000), |text| text.parse())?;
    let seconds: u64 = arguments.next().map_or(Ok(20), |text| text.parse())?;
    let port = serve().await?;
    let spec = ChildSpec { program: nanny()?, arguments: Vec::new(), run_as: None, errors: None };
    let (child, stream) = spec.spawn()?;
    let pid = child.pid().ok_or("nanny ended at once")?;
    let (mut reader, mut writer) = JsonLines::<FromNanny, ToNanny>::new(stream).split();
    writer.send(&ToNanny::Hello { version: PROTOCOL_VERSION }).await?;
    for id in 0..count {
        writer.feed(&ToNanny::Watch(Box::new(watch(&what, id, port)))).await?;
    }
    writer.flush().await?;
    let mut down = 0_u64;
    let mut counters = (0, 0, 0);
    let mut measure = Measure::default();
    let end = tokio::time::sleep(SETTLE + Duration::from_secs(seconds));
    tokio::pin!(end);
    let mut begin = std::pin::pin!(tokio::time::sleep(SETTLE));
    loop {
        tokio::select! {
            () = &mut begin, if measure.ticks == 0.0 => {
                measure = Measure { ticks: ticks(pid)?, counters };
            }
            () = &mut end => break,
            message = reader.next() => match message? {
                Some(FromNanny::Counters { passed, failed, late, .. }) => {
                    counters = (passed, failed, late);
                }
                Some(FromNanny::Verdict { verdict: Verdict::Down, .. }) => down += 1,
                Some(_) => {}
                None => return Err("nanny ended".into()),
            },
        }
    }
    let spent = (ticks(pid)? - measure.ticks) / TICKS;
    let passed = counters.0 - measure.counters.0;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{count} {what} checks a second for {seconds} s: {passed} passed, {} failed, {} late, {down} down",
        counters.1 - measure.counters.1,
        counters.2 - measure.counters.2,
    )?;
    let share = spent / Duration::from_secs(seconds).as_secs_f64();
    writeln!(out, "  {:.1} % of a core, {} resident", share * 100.0, resident(pid)?)?;
    Ok(())
}

#[derive(Default)]
struct Measure {
    ticks: f64,
    counters: (u64, u64, u64),
}

/// Beside this example, one folder up: cargo puts examples below the programs.
fn nanny() -> Result<PathBuf, Box<dyn Error>> {
    let own = std::env::current_exe()?;
    let folder = own.parent().and_then(|folder| folder.parent()).ok_or("no folder")?;
    Ok(folder.join("nanny"))
}

/// One server for all: it answers whatever is asked with a small page.
async fn serve() -> Result<u16, Box<dyn Error>> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    Ok(port)
}

async fn answer(mut stream: TcpStream) {
    let mut request = [0; 1024];
    if let Ok(1..) = stream.read(&mut request).await {
        let _sent = stream
            .write_all(
                b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\nConnection: close\r\n\r\ntest page",
            )
            .await;
    }
}

/// Each watch has an address of its own, as real servers do.
fn watch(what: &str, id: u32, port: u16) -> Watch {
    let expect = Some(Expect::Contains(b"test page".to_vec()));
    let kind = match what {
        "http" => CheckKind::Http(HttpCheck {
            tls: None,
            method: "GET".to_owned(),
            path: "/".to_owned(),
            host: None,
            status: Vec::new(),
            follow_redirects: 0,
            expect,
            digest: None,
        }),
        "send-expect" => CheckKind::SendExpect {
            udp: false,
            send: Some(b"GET / HTTP/1.0\r\n\r\n".to_vec()),
            expect,
        },
        _ => CheckKind::Connect,
    };
    let [_, _, high, low] = id.to_be_bytes();
    Watch {
        id: WatchId(u64::from(id) + 1),
        server: SocketAddr::from((Ipv4Addr::new(127, 1, high, low), port)),
        virtual_server: None,
        check: Check {
            kind,
            port: None,
            interval: Duration::from_secs(1),
            timeout: Duration::from_secs(1),
            fall: 3,
            rise: 2,
            reentry: Duration::ZERO,
            retry: None,
            connects: 0,
        },
        verdict: Verdict::Unknown,
        follow: control::nanny::Follow::No,
    }
}

/// User and system time of a process, in ticks: fields 14 and 15 of proc_pid_stat(5).
fn ticks(pid: u32) -> Result<f64, Box<dyn Error>> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let after_name = stat.rsplit_once(')').ok_or("no name in stat")?.1;
    let times: Result<Vec<f64>, _> =
        after_name.split_whitespace().skip(11).take(2).map(str::parse).collect();
    Ok(times?.iter().sum())
}

fn resident(pid: u32) -> Result<String, Box<dyn Error>> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    Ok(line.unwrap_or("?").trim().to_owned())
}
