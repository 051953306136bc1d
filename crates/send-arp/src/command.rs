//! The command: `send-arp [-i DEV] ADDRESS…`, and the old `send_arp [-i DEV] IP MAC IP MAC`.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use netlink::KernelError;
use runtime::{Exit, ExitError};

use crate::interface::Interfaces;
use crate::{Announcer, Link, Mac, PacketSocket, Repeats, frame};

/// The interface of the old form, when none is given.
const OLD_INTERFACE: &str = "eth0";

/// Tells the neighbours where an address is now: gratuitous ARP for IPv4, an unsolicited neighbour
/// advertisement for IPv6.
///
/// The old form `send-arp [-i DEV] IP MAC IP MAC` sends one gratuitous ARP reply for the first
/// address and link-layer address to the last link-layer address.
#[derive(Clone, Debug, clap::Parser)]
#[command(name = "send-arp", version)]
pub struct Arguments {
    /// The interface [default: the one whose network holds the address]
    #[arg(short, long, value_name = "DEV")]
    pub interface: Option<String>,
    /// How often each address is announced
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// Time between two announcements of an address: 500ms, 1s
    #[arg(long, value_name = "T", default_value = "1s", value_parser = interval)]
    pub interval: Duration,
    /// The addresses
    #[arg(required = true, value_name = "ADDRESS")]
    pub words: Vec<String>,
}

/// `500ms` or `1s`; a bare number is seconds.
fn interval(text: &str) -> Result<Duration, String> {
    let (number, scale) = match text.strip_suffix("ms") {
        Some(number) => (number, 1),
        None => (text.strip_suffix('s').unwrap_or(text), 1000),
    };
    let milliseconds = number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale));
    match milliseconds {
        Some(milliseconds) if milliseconds <= 3_600_000 => Ok(Duration::from_millis(milliseconds)),
        _ => Err("write a time of at most an hour with its unit, as 500ms or 1s".to_owned()),
    }
}

/// What is to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Task {
    Announce(Vec<IpAddr>),
    OldForm { ip: String, mac: Mac, receiver: Mac },
}

impl Task {
    /// Four words whose second one is a link-layer address are the old form.
    fn from_words(words: &[String]) -> Result<Self, ExitError> {
        if let [ip, mac, _, receiver] = words
            && let Ok(mac) = mac.parse()
        {
            let receiver = receiver
                .parse()
                .map_err(|error| ExitError::usage(format!("cannot send to {receiver}: {error}")))?;
            return Ok(Self::OldForm { ip: ip.clone(), mac, receiver });
        }
        let address = |word: &String| {
            word.parse().map_err(|_| {
                let word = word.escape_debug();
                ExitError::usage(format!("\"{word}\" is not an IPv4 or IPv6 address"))
            })
        };
        words.iter().map(address).collect::<Result<_, _>>().map(Self::Announce)
    }
}

/// Does what the command line says.
///
/// # Errors
/// One line that says what was tried, why it failed and what to do next.
pub async fn run(arguments: Arguments) -> Result<(), ExitError> {
    let task = Task::from_words(&arguments.words)?;
    let interfaces = Interfaces::of_this_host().await.map_err(|error| unlisted(&error))?;
    match task {
        Task::Announce(addresses) => announce(&arguments, &addresses, &interfaces).await,
        Task::OldForm { ip, mac, receiver } => {
            let interface = arguments.interface.as_deref().unwrap_or(OLD_INTERFACE);
            let link = interfaces.named(interface).map_err(|error| usage(&error))?;
            let ip = resolve(&ip).await?;
            let frame = frame::gratuitous_arp(ip, mac, receiver, frame::Form::Reply);
            let socket = PacketSocket::new().map_err(|error| refused(&error))?;
            socket.send(&frame, link.index).map_err(|error| failed(ip.into(), &error))
        }
    }
}

async fn announce(
    arguments: &Arguments,
    addresses: &[IpAddr],
    interfaces: &Interfaces,
) -> Result<(), ExitError> {
    let named = arguments.interface.as_deref().map(|name| interfaces.named(name));
    let named = named.transpose().map_err(|error| usage(&error))?;
    let find = |ip: &IpAddr| -> Result<(IpAddr, Link), ExitError> {
        let link = named.map_or_else(|| interfaces.for_address(*ip), Ok);
        Ok((*ip, link.map_err(|error| usage(&error))?))
    };
    let found: Vec<_> = addresses.iter().map(find).collect::<Result<_, _>>()?;
    let repeats = Repeats::every(arguments.count, arguments.interval);
    let mut announcer = Announcer::new(repeats).map_err(|error| refused(&error))?;
    for (ip, link) in found {
        announcer.announce(ip, link);
    }
    let mut failure = None;
    while !announcer.is_idle() {
        let slice = announcer.slice().await;
        failure = slice.failed.into_iter().next().or(failure);
    }
    match failure {
        Some((ip, error)) => Err(failed(ip, &error)),
        None => Ok(()),
    }
}

/// The old form took host names too.
async fn resolve(name: &str) -> Result<Ipv4Addr, ExitError> {
    let shown = name.escape_debug();
    let found = tokio::net::lookup_host((name, 0))
        .await
        .map_err(|error| ExitError::usage(format!("cannot resolve \"{shown}\": {error}")))?;
    let v4 = found.map(|address| address.ip()).find_map(|ip| match ip {
        IpAddr::V4(ip) => Some(ip),
        IpAddr::V6(_) => None,
    });
    v4.ok_or_else(|| ExitError::usage(format!("\"{shown}\" has no IPv4 address")))
}

fn usage(error: &crate::interface::NoInterface) -> ExitError {
    ExitError::usage(format!("cannot announce: {error}"))
}

fn unlisted(error: &KernelError) -> ExitError {
    ExitError::internal(format!("cannot list the interfaces: {error}"))
}

fn refused(error: &std::io::Error) -> ExitError {
    let message =
        format!("cannot open a packet socket: {error}; run as root, or grant CAP_NET_RAW");
    ExitError::from_io(error, Exit::Internal, message)
}

fn failed(ip: IpAddr, error: &std::io::Error) -> ExitError {
    ExitError::from_io(error, Exit::Internal, format!("cannot announce {ip}: {error}"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn task(line: &str) -> Result<Task, ExitError> {
        let arguments = Arguments::try_parse_from(line.split_whitespace()).unwrap();
        Task::from_words(&arguments.words)
    }

    #[test]
    fn addresses_of_both_families_are_announced() {
        let addresses = ["192.168.1.1", "2001:db8::1"].map(|ip| ip.parse().unwrap());
        let found = task("send-arp -i eth0 192.168.1.1 2001:db8::1");
        assert_eq!(found, Ok(Task::Announce(addresses.to_vec())));
    }

    #[test]
    fn the_old_form_is_told_by_its_second_word() {
        let old = Task::OldForm {
            ip: "192.168.1.1".into(),
            mac: Mac([0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff]),
            receiver: Mac::BROADCAST,
        };
        for line in [
            "send-arp -i eth0 192.168.1.1 AABBCCDDEEFF 192.168.1.255 ffffffffffff",
            "send-arp 192.168.1.1 aa:bb:cc:dd:ee:ff 192.168.1.255 ff:ff:ff:ff:ff:ff",
        ] {
            assert_eq!(task(line), Ok(old.clone()), "{line}");
        }
        let four = task("send-arp 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4");
        assert!(matches!(four, Ok(Task::Announce(ips)) if ips.len() == 4));
    }

    #[test]
    fn what_is_no_address_is_an_error_of_usage() {
        for line in [
            "send-arp eth0",
            "send-arp 192.168.1.1 aabbccddeeff",
            "send-arp 192.168.1.1 aabbccddeeff 192.168.1.255 everybody",
        ] {
            assert_eq!(task(line).unwrap_err().exit, Exit::Usage, "{line}");
        }
    }

    #[test]
    fn intervals_have_units_and_a_limit() {
        assert_eq!(interval("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(interval("2s"), Ok(Duration::from_secs(2)));
        assert_eq!(interval("2"), Ok(Duration::from_secs(2)));
        for wrong in ["", "s", "2m", "-1s", "9999999s", "18446744073709551615s"] {
            assert!(interval(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_address_or_no_count_is_refused() {
        for line in ["send-arp", "send-arp --count 0 10.0.0.1"] {
            assert!(Arguments::try_parse_from(line.split_whitespace()).is_err(), "{line}");
        }
    }
}
