//! A silent partner is switched off before its addresses are taken.

use crate::pair_moves::{WEB, config, warm};
use lab::pair::{self, Pair, wait_for_address};
use lab::seed::VIP;
use lab::{Daemon, Outcome, Run, Seed, ensure, wait_until};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(30);
/// The program succeeds while this file is there: it stands for the power supply of a router.
const POWER: &str = "/run/power-master";
const FENCE: &str = "fence: { run: [/etc/caribe/fence, \"%r\"], timeout: 5s }";
/// It says who it is, where anybody may write.
const PROGRAM: &str = "#!/bin/sh\numask 0\nid -u > /etc/caribe/open/fence\ntest -e /run/power-$1\n";

/// A pair whose active router has lost its power, and whose other one cannot switch it off.
fn refused(run: &mut Run) -> Outcome<(Seed, Pair)> {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    let fenced = config(WEB, "").replace("groups:\n", &format!("{FENCE}\ngroups:\n"));
    for router in net.routers() {
        router.write_mode("/etc/caribe/fence", PROGRAM, 0o755)?;
        router.execute(&["install", "-d", "-m", "1777", "/etc/caribe/open"])?;
    }
    let mut pair = warm(&net, &fenced)?;
    net.ra.power_off()?;
    standby(&mut pair)?.wait_for_log(LONG, "partner could not be switched off")?;
    ensure!(!net.rb.has_address(VIP)?, "the address was taken although fencing failed");
    let plain = net.rb.try_execute(&["lvsctl", "takeover"])?;
    ensure!(plain.code != 0, "an operator took it without force: {}", plain.stdout);
    ensure!(!net.rb.has_address(VIP)?, "the address was taken without force");
    let status = net.rb.execute(&["lvsctl", "status"])?;
    ensure!(status.contains("takeover --force"), "the status says nothing of it:\n{status}");
    run.step("while the partner cannot be switched off nothing is taken");
    Ok((net, pair))
}

fn standby(pair: &mut Pair) -> Outcome<&mut Daemon> {
    pair.b.as_mut().ok_or_else(|| lab::Failure::new("pulse of the standby is gone"))
}

/// It is tried again, and the address is taken once it succeeds.
pub(crate) fn retried(run: &mut Run) -> Outcome {
    let (net, mut pair) = refused(run)?;
    net.rb.write(POWER, "")?;
    let took = wait_for_address(&net.rb, VIP, LONG)?;
    run.step(format!("switched off, its address is here after {took:.1?}"));
    let log = standby(&mut pair)?.log()?;
    let (fenced, taken) = (log.find("partner is switched off"), log.find("taking over"));
    ensure!(fenced.is_some() && fenced < taken, "it was not fenced first:\n{log}");
    let user = net.rb.read("/etc/caribe/open/fence")?;
    ensure!(user.trim() == "993", "the fence program ran as {user}");
    Ok(())
}

/// An operator who has seen that the partner is off says so.
pub(crate) fn forced(run: &mut Run) -> Outcome {
    let (net, _pair) = refused(run)?;
    net.rb.execute(&["lvsctl", "takeover", "--force", "local", "foreign"])?;
    let took = wait_for_address(&net.rb, VIP, LONG)?;
    run.step(format!("on an operator's word the address is here after {took:.1?}"));
    Ok(())
}

/// A device of heartbeat's that writes down what it is told, and what everybody could see of it.
const DEVICE: &str = "#!/bin/sh
case $1 in
gethosts) echo $hostlist | tr , '\\n' ;;
getconfignames) echo hostlist login password ;;
reset)
    echo \"$2 is off: $login $password\" > /run/device
    for one in /proc/[0-9]*/cmdline; do tr '\\0' ' ' < $one; echo; done | grep sbin/stonith > /run/seen ;;
getinfo-xml) echo '<parameters><parameter name=\"hostlist\"><content type=\"string\"/></parameter></parameters>' ;;
getinfo-*) echo lab ;;
esac
";
/// Where stonith looks for devices that are programs.
const DEVICES: &str = "/usr/lib/stonith/plugins/external";
const HA_CF: &str = "\
node master backup
bcast eth1
keepalive 200ms
deadtime 2
initdead 2
auto_failback off
stonith_host * external/lab master,backup admin geheim
";

/// The program of cluster-glue itself, with a device of an ha.cf.
pub(crate) fn stonith(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    for router in net.routers() {
        router.write_mode("/etc/caribe/devices/lab", DEVICE, 0o755)?;
        router.execute(&["mount", "--bind", "/etc/caribe/devices", DEVICES])?;
        router.write_mode("/etc/ha.d/ha.cf", HA_CF, 0o644)?;
        router.write_mode("/etc/ha.d/haresources", "master 192.168.1.1/24/eth0\n", 0o644)?;
        router.write_mode("/etc/ha.d/authkeys", "auth 1\n1 sha1 keykeykeykeykeykey\n", 0o600)?;
    }
    let mut pair = Pair::launch(&net)?;
    wait_for_address(&net.ra, VIP, LONG)?;
    wait_until(LONG, "the partner is there", || pair::partner_is_ready(&net.rb))?;
    net.ra.power_off()?;
    wait_for_address(&net.rb, VIP, LONG)?;
    let log = standby(&mut pair)?.log()?;
    let (fenced, taken) = (log.find("partner is switched off"), log.find("taking over"));
    ensure!(fenced.is_some() && fenced < taken, "it was not fenced first:\n{log}");
    let told = net.rb.read("/run/device")?;
    ensure!(told.trim() == "master is off: admin geheim", "the device was told: {told}");
    let seen = net.rb.read("/run/seen")?;
    ensure!(seen.contains("-F /proc/self/fd/0 -T reset master"), "stonith was not seen:\n{seen}");
    ensure!(!seen.contains("geheim"), "everybody can see the password:\n{seen}");
    ensure!(!log.contains("geheim"), "the log has the password:\n{log}");
    run.step(format!("everybody could see: {}", seen.trim()));
    Ok(())
}
