//! ldirectord itself with the same file on the other router.

use std::time::Duration;

use lab::{Outcome, Run, ensure};

use super::{Director, PATH, has_table, sorted};

/// The seed's file with what its text asks for: straight quotes, an indented section, and the
/// port on which the real servers serve.
const SEED: &str = "checktimeout=3
checkinterval=5
autoreload=yes
logfile=\"/var/log/ldirectord.log\"

virtual=192.168.1.1:80
    real=192.168.1.4:80 gate 5
    real=192.168.1.5:80 gate 5
    request=\"/.testpage\"
    receive=\"test page\"
    scheduler=rr
    service=http
    checkcount=3
    protocol=tcp
";

const TABLE: &str = "-A -t 192.168.1.1:80 -s rr
-a -t 192.168.1.1:80 -r 192.168.1.4:80 -g -w 5
-a -t 192.168.1.1:80 -r 192.168.1.5:80 -g -w 5
";

pub(crate) fn run(run: &mut Run) -> Outcome {
    let director = Director::build(run, SEED)?;
    let other = &director.net.rb;
    other.write(PATH, SEED)?;
    let _ldirectord = other.start(&["ldirectord", "-d", PATH, "start"])?;
    let _lvsd = director.start()?;
    let took = director.has(TABLE)?;
    run.step(format!("lvsd has its table after {took:.1?}"));
    has_table(other, TABLE, Duration::from_secs(40))?;
    let (ours, theirs) = (director.net.ra.table()?, other.table()?);
    ensure!(sorted(&ours) == sorted(&theirs), "lvsd:\n{ours}ldirectord:\n{theirs}");
    run.step("ldirectord has made the same of the same file");
    Ok(())
}
