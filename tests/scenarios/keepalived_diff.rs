//! keepalived itself and lvsd with our conversion of the same file, each on a router of its own,
//! while the real servers of both die and return: the kernel has the same table at each step.

mod cases;
pub(crate) mod weights;

use std::collections::BTreeSet;
use std::time::Duration;

use lab::web::Mood;
use lab::{Daemon, Failure, Node, Outcome, Run, Seed, WebServer, ensure, wait_until};

use cases::{CASES, Case, Difference, Fails};

const THEIR_FILE: &str = "/etc/keepalived/keepalived.conf";
const OUR_FILE: &str = "/etc/caribe/cluster.yaml";
/// A busy emulated machine takes its time.
const LIMIT: Duration = Duration::from_secs(40);

/// Which of the real servers are well, the first and the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Both,
    Second,
    None,
    First,
}

/// What happens to the real servers, from one step to the next.
const STEPS: [Step; 5] = [Step::Both, Step::Second, Step::None, Step::First, Step::Both];

impl Step {
    fn well(self) -> [bool; 2] {
        match self {
            Self::Both => [true, true],
            Self::First => [true, false],
            Self::Second => [false, true],
            Self::None => [false, false],
        }
    }
}

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let (first, second) = net.web()?;
    let mut web = [first, second];
    for case in CASES {
        let compared = compare(&net, &mut web, case)
            .map_err(|failure| Failure::new(format!("{}: {failure}", case.name)))?;
        run.step(format!("{}: {compared}", case.name));
    }
    Ok(())
}

/// One file, from start to end; what is said of it.
fn compare(net: &Seed, web: &mut [WebServer; 2], case: &Case) -> Outcome<String> {
    let (mut ours, mut theirs) = start(net, case.file)?;
    let steps = if case.fails == Fails::Never { &[Step::Both] } else { STEPS.as_slice() };
    let mut well = [true, true];
    for step in steps {
        for (server, (was, is)) in web.iter_mut().zip(well.iter().zip(step.well())) {
            if *was != is {
                change(server, case.fails, is)?;
            }
        }
        well = step.well();
        same_table(net, case, *step)?;
    }
    ours.stop(LIMIT)?;
    theirs.stop(LIMIT)?;
    net.ra.execute(&["ipvsadm", "-C"])?;
    ensure!(net.rb.table()?.is_empty(), "keepalived left its table behind");
    let told = case.differs.first().map_or_else(
        || "the same".to_owned(),
        |differs| format!("differs on purpose ({})", differs.why),
    );
    Ok(format!("{told} in {} steps", steps.len()))
}

/// A real server falls ill, or is well again.
fn change(server: &mut WebServer, fails: Fails, is_well: bool) -> Outcome {
    match (fails, is_well) {
        (Fails::Changed, _) => server.set(if is_well { Mood::Well } else { Mood::Wrong }),
        (_, true) => server.open()?,
        (_, false) => server.close()?,
    }
    Ok(())
}

/// keepalived with the file on one router, lvsd with what it is converted to on the other.
fn start(net: &Seed, file: &str) -> Outcome<(Daemon, Daemon)> {
    net.rb.write(THEIR_FILE, file)?;
    let theirs = net.rb.start(&["keepalived", "-n", "-l", "-G", "-C", "-f", THEIR_FILE])?;
    net.ra.write(THEIR_FILE, file)?;
    let converted = net.ra.execute(&["lvsctl", "convert", THEIR_FILE])?;
    net.ra.write(OUR_FILE, &converted)?;
    let ours = net.ra.start(&["lvsd", "--config", OUR_FILE])?;
    Ok((ours, theirs))
}

/// Waits until both have noticed who is well, and their tables differ only as they are to.
fn same_table(net: &Seed, case: &Case, step: Step) -> Outcome {
    let differs = case.differs.iter().find(|differs| differs.step == step);
    let waited = wait_until(LIMIT, "both tables are as they are to be", || {
        let (ours, theirs) = (lines(&net.ra)?, lines(&net.rb)?);
        let noticed = case.fails == Fails::Never || noticed(&ours, step) && noticed(&theirs, step);
        Ok(noticed && !ours.is_empty() && as_wanted(&ours, &theirs, differs))
    });
    waited.map(drop).map_err(|failure| {
        let tables = [&net.ra, &net.rb].map(|node| node.table().unwrap_or_default());
        let [ours, theirs] = tables;
        Failure::new(format!("{step:?}: {failure}\nlvsd:\n{ours}keepalived:\n{theirs}"))
    })
}

fn lines(node: &Node) -> Outcome<BTreeSet<String>> {
    Ok(node.table()?.lines().map(|line| line.trim().to_owned()).collect())
}

/// Whether the servers that are dead take nothing. One that is well is not looked for: another
/// program may have reason to leave it out.
fn noticed(table: &BTreeSet<String>, step: Step) -> bool {
    let serves = |last: char| {
        let servers = [format!(" -r 192.168.1.{last}:"), format!(" -r [2001:db8:1::{last}]:")];
        let mut all =
            table.iter().filter(|line| !line.ends_with(" -w 0") && !line.contains(" -w 0 "));
        all.any(|line| servers.iter().any(|server| line.contains(server)))
    };
    let [first, second] = step.well();
    (first || !serves('4')) && (second || !serves('5'))
}

fn as_wanted(
    ours: &BTreeSet<String>,
    theirs: &BTreeSet<String>,
    differs: Option<&Difference>,
) -> bool {
    let (only_ours, only_theirs) =
        differs.map_or((&[][..], &[][..]), |differs| (differs.ours, differs.theirs));
    ours.difference(theirs).eq(only_ours) && theirs.difference(ours).eq(only_theirs)
}
