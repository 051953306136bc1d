//! Two routers side by side: lvsd on one, ldirectord on the other, both with the same file.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use lab::{Daemon, Failure, KernelService, Node, Outcome, ensure, wait_until};

use super::Step;
use super::cases::Case;
use super::differences::Difference;

const FILE: &str = "/etc/ha.d/ldirectord.cf";
/// What each place has left, however long the others before it took.
const LEAST: Duration = Duration::from_secs(10);
/// From one look to the next: the programs need the machine more.
const PERIOD: Duration = Duration::from_millis(300);

/// One case at work.
pub(super) struct Place<'a> {
    ours: &'a Node,
    theirs: &'a Node,
    pub(super) case: &'static Case,
    lvsd: Daemon,
    ldirectord: Daemon,
}

/// A table as the lines of `ipvsadm -Sn`.
type Lines = BTreeSet<String>;

impl<'a> Place<'a> {
    /// Writes the file and starts both.
    pub(super) fn start(
        [ours, theirs]: &'a [Node; 2],
        modules: &str,
        case: &'static Case,
    ) -> Outcome<Self> {
        for node in [ours, theirs] {
            node.write(FILE, case.file)?;
            // What the case before left there.
            if !node.kernel_table()?.is_empty() {
                node.execute(&["ipvsadm", "-C"])?;
            }
        }
        // Without PERLIO it starts itself again, which takes seconds here.
        let modules = format!("PERL5LIB={modules}");
        let words = ["env", "PERLIO=perlio", &modules, "ldirectord", "-d", FILE, "start"];
        let ldirectord = theirs.start_as(&["ldirectord"], &words)?;
        let lvsd = ours.start(&["lvsd", "--config", FILE])?;
        Ok(Self { ours, theirs, case, lvsd, ldirectord })
    }

    /// Edits the file of both, and waits until both have noticed.
    pub(super) fn edit(&mut self, limit: Duration) -> Outcome {
        let Some(text) = self.case.edited else { return Ok(()) };
        let before = self.tables()?;
        for node in [self.ours, self.theirs] {
            node.write(FILE, text)?;
        }
        if self.case.is_refused {
            self.ldirectord.wait_for_log(limit, &format!("reading file {FILE}"))?;
            self.lvsd.wait_for_log(limit, "refused")?;
            return Ok(());
        }
        let changed = || {
            std::thread::sleep(PERIOD);
            let after = self.tables()?;
            Ok(after[0] != before[0] && after[1] != before[1])
        };
        wait_until(limit, "both tables change after the edit", changed).map(drop)
    }

    /// Waits until both have noticed who is well, and their tables differ only as they are to.
    pub(super) fn settle(&self, step: Step, until: Instant) -> Outcome {
        let limit = until.saturating_duration_since(Instant::now()).max(LEAST);
        let differs = self.case.differs_at(step);
        let mut looks = 0_u32;
        let mut last = String::new();
        let settled = || {
            std::thread::sleep(PERIOD);
            let (ours, theirs) = (self.ours.kernel_table()?, self.theirs.kernel_table()?);
            let noticed = |table: &[KernelService]| self.noticed(table, step);
            let same = servers(&ours) == servers(&theirs) && noticed(&theirs);
            looks += 1;
            last = format!(
                "look {looks}: lvsd has noticed: {}, ldirectord has: {}, lvsd has {:?}, ldirectord {:?}",
                noticed(&ours),
                noticed(&theirs),
                servers(&ours),
                servers(&theirs)
            );
            if !noticed(&ours) || differs.is_none() && !same {
                return Ok(false);
            }
            let [ours, theirs] = self.tables()?;
            Ok(!ours.is_empty() && as_wanted(&ours, &theirs, differs))
        };
        let waited = wait_until(limit, "both tables are as they are to be", settled);
        waited.map(drop).map_err(|failure| self.failure(step, &failure, &last))
    }

    /// Stops both. ldirectord removes its table unless the file says otherwise, lvsd leaves it
    /// there unless the file says otherwise.
    pub(super) fn stop(mut self, limit: Duration) -> Outcome {
        let before = self.tables()?;
        self.lvsd.stop(limit)?;
        self.ldirectord.stop(limit)?;
        let after = self.tables()?;
        let says = |word: &str| self.case.file.contains(&format!("cleanstop={word}"));
        for (name, before, after, goes) in [
            ("lvsd", &before[0], &after[0], says("yes")),
            ("ldirectord", &before[1], &after[1], !says("no")),
        ] {
            let wanted = if goes { &Lines::new() } else { before };
            ensure!(after == wanted, "{name} leaves this behind: {after:?}");
        }
        Ok(())
    }

    fn tables(&self) -> Outcome<[Lines; 2]> {
        Ok([lines(self.ours)?, lines(self.theirs)?])
    }

    /// Whether those of the watched servers take connections that are well, and no others.
    fn noticed(&self, table: &[KernelService], step: Step) -> bool {
        let serves = |last: u16| {
            let mut servers = table.iter().flat_map(|service| &service.servers);
            servers.any(|server| server.weight > 0 && is_server(server.address.ip(), last))
        };
        let [first, second] = step.well();
        let well = |last: u16| if last == 4 { first } else { second };
        self.case.watched.iter().all(|last| serves(*last) == well(*last))
    }

    /// With what the last look saw, and the tables after it.
    fn failure(&self, step: Step, failure: &Failure, last: &str) -> Failure {
        let [ours, theirs] = [self.ours, self.theirs].map(|node| node.table().unwrap_or_default());
        Failure::new(format!(
            "{}: {step:?}: {failure}\n{last}\nlvsd:\n{ours}ldirectord:\n{theirs}",
            self.case.name
        ))
    }
}

/// What can be compared without asking `ipvsadm`.
fn servers(table: &[KernelService]) -> BTreeSet<String> {
    let one = |service: &KernelService| {
        let name = format!("{} {}", service.name, service.scheduler);
        let servers = service.servers.iter();
        let all = servers.map(move |one| format!("{name} {} {}", one.address, one.weight));
        all.collect::<Vec<_>>()
    };
    table.iter().flat_map(one).collect()
}

fn is_server(address: std::net::IpAddr, last: u16) -> bool {
    match address {
        std::net::IpAddr::V4(address) => address.octets() == [192, 168, 1, last.to_be_bytes()[1]],
        std::net::IpAddr::V6(address) => address.segments() == [0x2001, 0xdb8, 1, 0, 0, 0, 0, last],
    }
}

fn lines(node: &Node) -> Outcome<Lines> {
    Ok(node.table()?.lines().map(|line| line.trim().to_owned()).collect())
}

fn as_wanted(ours: &Lines, theirs: &Lines, differs: Option<&Difference>) -> bool {
    let (only_ours, only_theirs) =
        differs.map_or((&[][..], &[][..]), |differs| (differs.ours, differs.theirs));
    let same = |found: &Lines, wanted: &[&str]| {
        found.iter().map(String::as_str).eq(wanted.iter().copied().collect::<BTreeSet<_>>())
    };
    same(&(ours - theirs), only_ours) && same(&(theirs - ours), only_theirs)
}
