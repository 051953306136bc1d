//! A cable from a host to a bridge of the switch.

use crate::failure::Context;
use crate::link_batch::{self, LinkChange};
use crate::namespace::Namespace;
use crate::{Outcome, command};

/// The name of the switch's own namespace.
pub(crate) const SWITCH: &str = "sw";

/// One cable. Cutting it is silent: the carrier stays, as a power loss looks to the others.
#[derive(Debug, Clone)]
pub struct Wire {
    switch: Namespace,
    /// The host at the other end.
    host: String,
    /// The switch-side end of the cable.
    port: String,
    /// The bridge that it is plugged into.
    bridge: String,
    /// The interface on the host, for example `eth0`.
    interface: String,
}

impl Wire {
    /// Cable number `index` of a host, which is still to be made.
    pub(crate) fn new(switch: &Namespace, host: &str, index: usize, bridge: &str) -> Self {
        Self {
            switch: switch.clone(),
            host: host.to_owned(),
            port: format!("{host}-{index}"),
            bridge: bridge.to_owned(),
            interface: format!("eth{index}"),
        }
    }

    /// Makes cables with new interfaces on their hosts, and plugs them in.
    pub(crate) fn make(wires: &[&Self]) -> Outcome {
        let Some(first) = wires.first() else {
            return Ok(());
        };
        let cable = |wire: &&Self| {
            let Self { host, port, interface, .. } = wire;
            format!("link add {interface} netns {host} type veth peer name {port} netns {SWITCH}\n")
        };
        let plug = |wire: &&Self| format!("link set {} master {} up\n", wire.port, wire.bridge);
        // In the maker's own network: from there every other one has a name.
        let cables: String = wires.iter().map(cable).collect();
        command::execute("ip", &["-batch", "-"], &cables)?.good("pulling cables")?;
        batch(&first.switch, &wires.iter().map(plug).collect::<String>())
    }

    /// The interface on the host.
    pub fn interface(&self) -> &str {
        &self.interface
    }

    /// Takes the cable out of the switch without a carrier change on the host.
    ///
    /// # Errors
    /// When the switch refuses.
    pub fn cut(&self) -> Outcome {
        cut_all(std::slice::from_ref(self))
    }

    /// Puts the cable back.
    ///
    /// # Errors
    /// When the switch refuses.
    pub fn mend(&self) -> Outcome {
        mend_all(std::slice::from_ref(self))
    }

    /// Takes the carrier away, as when the plug is pulled at the host's end.
    ///
    /// # Errors
    /// When the switch refuses.
    pub fn unplug(&self) -> Outcome {
        change(std::slice::from_ref(self), |_| Ok(LinkChange::Up(false)))
    }

    /// Gives the carrier back.
    ///
    /// # Errors
    /// When the switch refuses.
    pub fn plug(&self) -> Outcome {
        change(std::slice::from_ref(self), |_| Ok(LinkChange::Up(true)))
    }

    /// Disturbs what travels to the host: netem's words, for example `loss 30%`,
    /// `delay 20ms 5ms`, `duplicate 10%`.
    ///
    /// # Errors
    /// When netem does not know the words.
    pub fn disturb(&self, words: &str) -> Outcome {
        let mut all = vec!["qdisc", "replace", "dev", &self.port, "root", "netem"];
        all.extend(words.split_whitespace());
        command::on(&self.switch, "tc", &all, "")?.good("tc qdisc replace").map(drop)
    }

    /// Ends the disturbance.
    ///
    /// # Errors
    /// When there was none.
    pub fn calm(&self) -> Outcome {
        let all = ["qdisc", "del", "dev", self.port.as_str(), "root"];
        command::on(&self.switch, "tc", &all, "")?.good("tc qdisc del").map(drop)
    }
}

/// Cuts several cables in the same moment.
///
/// # Errors
/// When the switch refuses.
pub fn cut_all(wires: &[Wire]) -> Outcome {
    change(wires, |_| Ok(LinkChange::Master(0)))
}

/// Mends several cables in the same moment.
///
/// # Errors
/// When the switch refuses.
pub fn mend_all(wires: &[Wire]) -> Outcome {
    change(wires, |wire| Ok(LinkChange::Master(index(&wire.bridge)?)))
}

/// Makes one change to each cable's end at the switch.
fn change(wires: &[Wire], what: fn(&Wire) -> Outcome<LinkChange>) -> Outcome {
    let Some(first) = wires.first() else {
        return Ok(());
    };
    let own = wires.to_vec();
    first.switch.run(move || {
        let changes: Outcome<Vec<(u32, LinkChange)>> =
            own.iter().map(|wire| Ok((index(&wire.port)?, what(wire)?))).collect();
        link_batch::change(&changes?)
    })?
}

/// The number of a link of the calling thread's network.
fn index(link: &str) -> Outcome<u32> {
    let path = format!("/sys/class/net/{link}/ifindex");
    let text = std::fs::read_to_string(&path).context(&path)?;
    text.trim().parse().context(path)
}

/// Runs `ip -batch` on a host.
pub(crate) fn batch(host: &Namespace, lines: &str) -> Outcome {
    let what = format!("ip -batch on {}", host.name());
    command::on(host, "ip", &["-batch", "-"], lines)?.good(&what).map(drop)
}
