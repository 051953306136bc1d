//! The same power loss with keepalived, taking turns.

use super::{all, lose_power, many, wait_until_announced, wait_until_held};
use crate::bench::compare;
use crate::bench::power_loss::{clean, keepalived, start_keepalived};
use crate::pair_moves::wait_until_both_warm;
use lab::arp::ArpListener;
use lab::{Outcome, Run, Seed, pair};
use std::fmt::Write;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// Power losses of each.
const ROUNDS: usize = 3;

/// Heartbeats and adverts each 200 ms; three missed ones mean dead, for both.
pub(crate) fn bench(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let _web = net.web()?;
    pair::prepare(&net, &many())?;
    let (mut ours, mut theirs) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    for round in 1..=ROUNDS {
        for (into, with) in
            [(&mut ours, caribe as fn(&Seed) -> Outcome<[f64; 2]>), (&mut theirs, with_keepalived)]
        {
            let seen = with(&net)?;
            for (samples, sample) in into.iter_mut().zip(seen) {
                samples.push(sample);
            }
        }
        run.step(format!("round {round} of {ROUNDS}"));
    }
    let what = ["power loss to the last of 1,000 addresses", "power loss to the last announcement"];
    let both = ours.iter().zip(&theirs);
    what.into_iter()
        .zip(both)
        .try_for_each(|(what, (ours, theirs))| compare(run, what, "ms", ours, theirs))
}

fn caribe(net: &Seed) -> Outcome<[f64; 2]> {
    let listener = ArpListener::start(&net.c)?;
    let first = pair::start_pulse(&net.ra)?;
    let mut second = pair::start_pulse(&net.rb)?;
    wait_until_both_warm(net)?;
    wait_until_held(&net.ra)?;
    wait_until_announced(&listener, &net.ra)?;
    let seen = lose_power(&net.ra, &net.rb, &listener)?;
    drop(first);
    second.stop(LONG)?;
    net.ra.power_on()?;
    clean(net)?;
    Ok(seen)
}

fn with_keepalived(net: &Seed) -> Outcome<[f64; 2]> {
    let listener = ArpListener::start(&net.c)?;
    let first = start_keepalived(&net.ra, &theirs(150))?;
    let mut second = start_keepalived(&net.rb, &theirs(100))?;
    pair::wait_until_warm(net, lab::seed::VIP, 2)?;
    wait_until_held(&net.ra)?;
    wait_until_announced(&listener, &net.ra)?;
    let seen = lose_power(&net.ra, &net.rb, &listener)?;
    drop(first);
    second.stop(LONG)?;
    net.ra.power_on()?;
    clean(net)?;
    Ok(seen)
}

/// An advert has no room for so many: they are excluded from it.
fn theirs(priority: u8) -> String {
    let mut excluded = String::from("virtual_ipaddress_excluded {\n");
    for ip in all() {
        let _ = writeln!(excluded, "        {ip}/32 dev eth0");
    }
    keepalived(priority).replacen(
        "virtual_ipaddress {",
        &format!("{excluded}    }}\n    virtual_ipaddress {{"),
        1,
    )
}
