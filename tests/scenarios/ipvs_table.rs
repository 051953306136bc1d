//! The kernel's table, whole: every kind of entry is written, read back and compared with what
//! ipvsadm says, and the kernel is asked the same questions as the model of it.

use std::collections::BTreeSet;
use std::time::Duration;

use ipvs::fake_kernel::FakeKernel;
use ipvs::wire::{SyncDaemon, SyncRole, Timeouts};
use ipvs::{Step, Table, ipvsadm_lines, plan};
use lab::failure::Context;
use lab::wait::wait_for;
use lab::{Failure, Load, Node, Outcome, Run, Seed, ensure, seed};
use netlink::{Dump, IpvsSocket, KernelError, Links, Routes};

use crate::sample_table::{changed_table, full_table, steps_at_random, web_table};

pub(crate) fn run(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    let ra = &net.ra;
    ra.ip(&["addr add 2001:db8::2/64 dev eth0 nodad"])?;
    every_kind_of_entry_comes_back(run, ra)?;
    what_ipvsadm_wrote_is_read(run, ra)?;
    settings(run, ra)?;
    the_model_refuses_what_the_kernel_refuses(run, ra)?;
    without_privilege(run, ra)
}

/// Does something with the kernel's IPVS on a host.
pub(crate) fn with_ipvs<T: Send + 'static>(
    node: &Node,
    job: impl AsyncFnOnce(IpvsSocket) -> Result<T, KernelError> + Send + 'static,
) -> Outcome<T> {
    node.run(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.context("starting a runtime")?;
        let done = runtime.block_on(async { job(IpvsSocket::open().await?).await });
        done.context("asking the kernel")
    })?
}

fn dump(node: &Node) -> Outcome<Dump> {
    let dump = with_ipvs(node, async |mut kernel| kernel.dump().await)?;
    ensure!(dump.unreadable.is_empty(), "not understood: {:?}", dump.unreadable);
    Ok(dump)
}

/// Brings the kernel to a table and makes sure that it is there.
pub(crate) fn bring_to(node: &Node, wanted: &Table) -> Outcome {
    let found = dump(node)?.table;
    let owned: BTreeSet<_> = found.keys().copied().collect();
    let steps = plan(wanted, &found, &owned).steps;
    let taken = steps.clone();
    let results = with_ipvs(node, async move |mut kernel| Ok(kernel.apply(&taken).await))?;
    for (step, result) in steps.iter().zip(results) {
        result.context(step)?;
    }
    let rest = plan(wanted, &dump(node)?.table, &owned);
    ensure!(rest.is_empty(), "after all steps there is still to do:\n{rest}");
    same_lines(node, wanted)
}

fn same_lines(node: &Node, wanted: &Table) -> Outcome {
    let said = node.execute(&["ipvsadm", "-S", "-n"])?;
    let mut theirs: Vec<&str> = said.lines().collect();
    let ours = ipvsadm_lines(wanted);
    let mut ours: Vec<&str> = ours.iter().map(String::as_str).collect();
    theirs.sort_unstable();
    ours.sort_unstable();
    ensure!(theirs == ours, "ipvsadm says\n{theirs:#?}\nand we say\n{ours:#?}");
    Ok(())
}

fn every_kind_of_entry_comes_back(run: &Run, node: &Node) -> Outcome {
    let (full, changed) = (full_table(), changed_table());
    for wanted in [&full, &changed, &full, &Table::new()] {
        bring_to(node, wanted)?;
    }
    run.step(format!(
        "{} virtual servers written, changed in place and removed; ipvsadm says the same",
        full.len()
    ));
    Ok(())
}

fn what_ipvsadm_wrote_is_read(run: &Run, node: &Node) -> Outcome {
    let full = full_table();
    let text = ipvsadm_lines(&full).join("\n") + "\n";
    node.execute_with(&["ipvsadm", "-R"], &text)?.good("ipvsadm -R")?;
    let read = dump(node)?.table;
    same_lines(node, &read)?;
    ensure!(read.keys().eq(full.keys()), "other virtual servers: {:?}", read.keys());
    bring_to(node, &Table::new())?;
    run.step("a table that ipvsadm wrote reads the same");
    Ok(())
}

fn settings(run: &Run, node: &Node) -> Outcome {
    let wanted = SyncDaemon {
        role: SyncRole::Backup,
        interface: "eth1".into(),
        id: 7,
        max_length: Some(1400),
        group: Some([224, 0, 0, 99].into()),
        port: Some(9000),
        ttl: Some(3),
    };
    let six = SyncDaemon {
        role: SyncRole::Master,
        interface: "eth0".into(),
        group: "ff02::99".parse().ok(),
        ..wanted.clone()
    };
    let daemons = [six, wanted];
    let started = daemons.clone();
    let (found, info, timeouts) = with_ipvs(node, async move |mut kernel| {
        for daemon in &started {
            kernel.start_daemon(daemon).await?;
        }
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        kernel.set_timeouts(&Timeouts { tcp: seconds(600), ..Timeouts::default() }).await?;
        kernel.zero(None).await?;
        Ok((kernel.daemons().await?, kernel.info().await?, kernel.timeouts().await?))
    })?;
    ensure!(found == daemons, "the kernel runs {found:?}");
    ensure!(info.version.0 == 1, "the kernel's IPVS is {info:?}");
    let said = node.execute(&["ipvsadm", "-L", "--timeout"])?;
    let ours =
        [timeouts.tcp, timeouts.tcp_fin, timeouts.udp].map(|one| one.map(|one| one.as_secs()));
    ensure!(ours == [Some(600), Some(120), Some(300)], "timeouts {ours:?}");
    ensure!(said.contains("600 120 300"), "ipvsadm says {said}");
    let left = with_ipvs(node, async |mut kernel| {
        kernel.stop_daemon(SyncRole::Master).await?;
        kernel.stop_daemon(SyncRole::Backup).await?;
        let none = kernel.stop_daemon(SyncRole::Backup).await;
        Ok((kernel.daemons().await?, none))
    })?;
    ensure!(left.0.is_empty(), "sync daemons go on: {left:?}");
    ensure!(left.1.is_err(), "a daemon that does not run was stopped");
    run.step("timeouts, sync daemons of both roles and families, counters set to 0");
    Ok(())
}

/// The same random steps, many to a write, to the kernel and to its model.
fn the_model_refuses_what_the_kernel_refuses(run: &Run, node: &Node) -> Outcome {
    let mut model = FakeKernel::default();
    let mut refused = 0;
    for seed in 0..10 {
        let steps: Vec<Step> = steps_at_random(seed, 300);
        let sent = steps.clone();
        let answers = with_ipvs(node, async move |mut kernel| Ok(kernel.apply(&sent).await))?;
        ensure!(answers.len() == steps.len(), "{} answers", answers.len());
        for (step, answer) in steps.iter().zip(answers) {
            let predicted = model.apply(step).map_err(|refusal| Some(refusal.errno()));
            let answered = answer.clone().map_err(|error| error.errno());
            ensure!(
                predicted == answered,
                "{step}: the model says {predicted:?}, the kernel {answer:?}"
            );
            refused += usize::from(answered.is_err());
        }
        let found = dump(node)?.table;
        let owned = found.keys().copied().collect();
        let rest = plan(&model.table, &found, &owned);
        ensure!(rest.is_empty(), "the model and the kernel differ by\n{rest}");
    }
    run.step(format!("3000 random steps: the model foresaw each answer, {refused} refusals"));
    bring_to(node, &Table::new())
}

/// Without `CAP_NET_ADMIN` the answer says what is missing.
fn without_privilege(run: &Run, node: &Node) -> Outcome {
    let said = node.run(|| {
        // A thread of its own: what is given up does not come back.
        let thread = std::thread::spawn(|| {
            rustix::thread::set_capabilities(
                None,
                rustix::thread::CapabilitySets {
                    effective: rustix::thread::CapabilitySet::empty(),
                    permitted: rustix::thread::CapabilitySet::empty(),
                    inheritable: rustix::thread::CapabilitySet::empty(),
                },
            )
            .context("giving up capabilities")?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let opened = runtime.context("starting a runtime")?.block_on(IpvsSocket::open());
            Ok(opened.map(drop))
        });
        thread.join().map_err(|_| Failure::new("the thread panicked"))?
    })??;
    ensure!(said == Err(KernelError::NotPermitted), "without privilege: {said:?}");
    run.step("without CAP_NET_ADMIN the answer is a clear one");
    Ok(())
}

/// The way to an address, and who answers for it there.
pub(crate) fn routes(run: &mut Run) -> Outcome {
    let net = Seed::build(run)?;
    net.ra.ip(&[
        "addr add 2001:db8::2/64 dev eth0 nodad",
        "route add default via 192.168.1.3",
        "neigh add 192.168.1.77 lladdr 02:00:00:00:00:77 dev eth0",
    ])?;
    let found = net.ra.run(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime
            .context("starting a runtime")?
            .block_on(async {
                let links = Links::open()?.list().await?;
                let mut routes = Routes::open()?;
                let mut ways = Vec::new();
                for ip in ["192.168.1.4", "8.8.8.8", "192.168.1.2", "2001:db8::4", "2001:db9::1"] {
                    let way = match ip.parse() {
                        Ok(ip) => routes.to(ip).await,
                        Err(_) => continue,
                    };
                    ways.push(way.map(|way| {
                        let link = links.iter().find(|link| link.index == way.interface);
                        let name = link.map(|link| link.name.clone()).unwrap_or_default();
                        format!("{name} {:?} {:?} {}", way.gateway, way.source, way.local)
                    }));
                }
                Ok::<_, KernelError>((ways, routes.neighbours().await?))
            })
            .context("asking the kernel")
    })??;
    let (ways, neighbours) = found;
    let [server, far, own, six, nowhere] = ways.as_slice() else {
        return Err(Failure::new(format!("five questions, other answers: {ways:?}")));
    };
    let is = |way: &Result<String, KernelError>, what: &str| way.as_deref() == Ok(what);
    ensure!(is(server, "eth0 None Some(192.168.1.2) false"), "to a server: {server:?}");
    let over = "eth0 Some(192.168.1.3) Some(192.168.1.2) false";
    ensure!(is(far, over), "far away: {far:?}");
    ensure!(is(own, "lo None Some(192.168.1.2) true"), "to itself: {own:?}");
    ensure!(is(six, "eth0 None Some(2001:db8::2) false"), "with IPv6: {six:?}");
    ensure!(nowhere.is_err(), "a way to nowhere: {nowhere:?}");
    let known = neighbours
        .iter()
        .any(|one| one.ip.to_string() == "192.168.1.77" && one.mac == Some([2, 0, 0, 0, 0, 0x77]));
    ensure!(known, "the neighbour is not among {neighbours:?}");
    run.step("routes over wire, router and loopback; a neighbour's hardware address");
    Ok(())
}

/// What passes is counted, and a change in place keeps what was counted.
pub(crate) fn counters(run: &mut Run) -> Outcome {
    const REQUESTS: u64 = 40;
    /// The kernel sums every two seconds.
    const SUMMED_WITHIN: Duration = Duration::from_secs(10);
    let net = Seed::build(run)?;
    let _web = net.web()?;
    net.ra.ip(&[&format!("addr add {}/32 dev eth0", seed::VIP)])?;
    bring_to(&net.ra, &web_table(1))?;
    let load = Load::new(seed::web_address()).every(Duration::from_millis(10)).most(40);
    let report = load.start(&net.c)?.complete()?;
    ensure!(report.lost() == 0, "{}", report.summary());
    bring_to(&net.ra, &web_table(7))?;

    let what = "the kernel to sum what its processors counted";
    let stats = wait_for(SUMMED_WITHIN, what, || {
        let stats = dump(&net.ra)?.stats;
        let counted = stats.values().any(|pool| pool.counters.connections >= REQUESTS);
        Ok(counted.then_some(stats))
    })?;
    let [pool] = stats.values().collect::<Vec<_>>()[..] else {
        return Err(Failure::new(format!("not one virtual server: {stats:?}")));
    };
    ensure!(pool.counters.connections == REQUESTS, "counted: {:?}", pool.counters);
    ensure!(pool.counters.packets_in > 3 * REQUESTS, "counted: {:?}", pool.counters);
    ensure!(pool.counters.bytes_in > 40 * pool.counters.packets_in, "counted: {pool:?}");
    let halves = pool.destinations.values().all(|one| one.counters.connections == REQUESTS / 2);
    ensure!(halves && pool.destinations.len() == 2, "real servers: {:?}", pool.destinations);
    let open: u32 = pool.destinations.values().map(|one| one.connections.inactive).sum();
    ensure!(open > 0, "no connection is closing: {:?}", pool.destinations);

    let key = stats.keys().next().copied();
    let zeroed = with_ipvs(&net.ra, async move |mut kernel| {
        kernel.zero(key.as_ref()).await?;
        kernel.dump().await
    })?;
    let left = zeroed.stats.values().map(|pool| pool.counters.connections).sum::<u64>();
    ensure!(left == 0, "counters are not 0: {left}");
    run.step("connections are counted, kept through a change of weights, and set to 0");
    Ok(())
}
