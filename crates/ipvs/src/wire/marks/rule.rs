//! One rule: expressions that load, compare and set, in the order in which `nft` writes them.

use super::{Attributes, Family, MarkRule, Payload, Ports, Protocol, WireError};

/// A rule's list holds these (`NFTA_LIST_ELEM`).
const ELEMENT: u16 = 1;
/// `NFTA_EXPR_NAME`, `NFTA_EXPR_DATA`.
const NAME: u16 = 1;
const DATA: u16 = 2;
/// A value within an expression (`NFTA_DATA_VALUE`).
const VALUE: u16 = 1;
/// The only register that is used (`NFT_REG_1`).
const REGISTER: u32 = 1;

/// What of a packet can be loaded or set (`NFT_META_*`).
const META_MARK: u32 = 3;
const META_FAMILY: u32 = 15;
const META_PROTOCOL: u32 = 16;
/// Where bytes of a packet are counted from (`NFT_PAYLOAD_*_HEADER`).
const NETWORK: u32 = 1;
const TRANSPORT: u32 = 2;
/// Comparisons (`NFT_CMP_*`).
const EQUAL: u32 = 0;
const AT_MOST: u32 = 3;
const AT_LEAST: u32 = 5;

/// `NFPROTO_IPV4`, `NFPROTO_IPV6`.
const IPV4: u8 = 2;
const IPV6: u8 = 10;

/// The expressions that rules of ours are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Expression {
    /// Loads what is known of the packet.
    Meta(u32),
    /// Loads bytes: base, offset, length.
    Bytes(u32, u32, u32),
    /// Goes on if what was loaded compares so.
    Compare(u32, Vec<u8>),
    /// Loads a value.
    Value(Vec<u8>),
    /// Sets what is known of the packet to what was loaded.
    Set(u32),
}

use Expression::{Bytes, Compare, Meta, Set, Value};

fn number(protocol: Protocol) -> u8 {
    match protocol {
        Protocol::Tcp => 6,
        Protocol::Udp => 17,
        Protocol::Sctp => 132,
    }
}

fn expressions(rule: &MarkRule) -> Vec<Expression> {
    let MarkRule { ports: Ports { ip, protocol, first, last }, mark } = *rule;
    let (family, offset, octets) = match ip {
        std::net::IpAddr::V4(ip) => (IPV4, 16, ip.octets().to_vec()),
        std::net::IpAddr::V6(ip) => (IPV6, 24, ip.octets().to_vec()),
    };
    let length = if family == IPV4 { 4 } else { 16 };
    let mut list = vec![
        Meta(META_FAMILY),
        Compare(EQUAL, vec![family]),
        Bytes(NETWORK, offset, length),
        Compare(EQUAL, octets),
        Meta(META_PROTOCOL),
        Compare(EQUAL, vec![number(protocol)]),
    ];
    let port = |port: u16| port.to_be_bytes().to_vec();
    if first != 0 {
        // The port that a packet goes to stands at the same place in TCP, UDP and SCTP.
        list.push(Bytes(TRANSPORT, 2, 2));
        if first == last {
            list.push(Compare(EQUAL, port(first)));
        } else {
            list.extend([Compare(AT_LEAST, port(first)), Compare(AT_MOST, port(last))]);
        }
    }
    list.extend([Value(mark.to_ne_bytes().to_vec()), Set(META_MARK)]);
    list
}

/// Appends the expressions of a rule.
pub(super) fn put(payload: &mut Payload, rule: &MarkRule) {
    for expression in expressions(rule) {
        payload.nested(ELEMENT, |element| expression.put(element));
    }
}

impl Expression {
    fn put(&self, payload: &mut Payload) {
        let value = |payload: &mut Payload, kind, bytes: &[u8]| {
            payload.nested(kind, |inner| inner.bytes(VALUE, bytes));
        };
        match self {
            Meta(key) => named(payload, "meta", |data| {
                data.u32_be(1, REGISTER);
                data.u32_be(2, *key);
            }),
            Set(key) => named(payload, "meta", |data| {
                data.u32_be(2, *key);
                data.u32_be(3, REGISTER);
            }),
            Bytes(base, offset, length) => named(payload, "payload", |data| {
                data.u32_be(1, REGISTER);
                data.u32_be(2, *base);
                data.u32_be(3, *offset);
                data.u32_be(4, *length);
            }),
            Compare(how, bytes) => named(payload, "cmp", |data| {
                data.u32_be(1, REGISTER);
                data.u32_be(2, *how);
                value(data, 3, bytes);
            }),
            Value(bytes) => named(payload, "immediate", |data| {
                data.u32_be(1, REGISTER);
                value(data, 2, bytes);
            }),
        }
    }

    /// None for one that is not used here.
    fn decode(name: &str, data: &Attributes<'_>) -> Result<Option<Self>, WireError> {
        let number = |kind| -> Result<Option<u32>, WireError> {
            data.clone().find_kind(kind)?.map(|found| found.u32_be()).transpose()
        };
        let value = |kind| -> Result<Option<Vec<u8>>, WireError> {
            let Some(found) = data.clone().find_kind(kind)? else { return Ok(None) };
            Ok(found.nested().find_kind(VALUE)?.map(|value| value.value.to_vec()))
        };
        let first = number(1)?.filter(|register| *register == REGISTER);
        Ok(match name {
            "meta" => match (first, number(2)?, number(3)?) {
                (Some(_), Some(key), None) => Some(Meta(key)),
                (None, Some(key), Some(REGISTER)) => Some(Set(key)),
                _ => None,
            },
            "payload" => match (first, number(2)?, number(3)?, number(4)?) {
                (Some(_), Some(base), Some(offset), Some(length)) => {
                    Some(Bytes(base, offset, length))
                }
                _ => None,
            },
            "cmp" => first.and(number(2)?).zip(value(3)?).map(|(how, value)| Compare(how, value)),
            "immediate" => first.and(value(2)?).map(Value),
            _ => None,
        })
    }
}

fn named(payload: &mut Payload, name: &str, build: impl FnOnce(&mut Payload)) {
    payload.text(NAME, name);
    payload.nested(DATA, build);
}

/// Reads the expressions of a rule; none when it is no rule of ours.
///
/// # Errors
/// When they break off.
pub fn decode_rule(elements: Attributes<'_>) -> Result<Option<MarkRule>, WireError> {
    let mut list = Vec::new();
    for element in elements {
        let inner = element?.nested();
        let name = inner.clone().find_kind(NAME)?.map(|name| name.text()).unwrap_or_default();
        let Some(data) = inner.find_kind(DATA)? else { return Ok(None) };
        let Some(expression) = Expression::decode(&name, &data.nested())? else { return Ok(None) };
        list.push(expression);
    }
    // What was read is what this rule would be written as, or it is something else.
    Ok(rule_of(&list).filter(|rule| expressions(rule) == list))
}

fn rule_of(list: &[Expression]) -> Option<MarkRule> {
    let (ip, protocol) = match list {
        [_, Compare(_, family), _, Compare(_, ip), _, Compare(_, protocol), ..] => {
            (address(family, ip)?, protocol.as_slice())
        }
        _ => return None,
    };
    let all = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp];
    let protocol = all.into_iter().find(|one| [number(*one)] == protocol)?;
    let (first, last, mark) = match list.get(6..)? {
        [Value(mark), _] => (0, 0, mark),
        [_, Compare(_, only), Value(mark), _] => (port(only)?, port(only)?, mark),
        [_, Compare(_, first), Compare(_, last), Value(mark), _] => {
            (port(first)?, port(last)?, mark)
        }
        _ => return None,
    };
    let mark = u32::from_ne_bytes(mark.as_slice().try_into().ok()?);
    Some(MarkRule { ports: Ports { ip, protocol, first, last }, mark })
}

fn address(family: &[u8], ip: &[u8]) -> Option<std::net::IpAddr> {
    let family = match family {
        [IPV4] => Family::Inet,
        [IPV6] => Family::Inet6,
        _ => return None,
    };
    Some(match family {
        Family::Inet => <[u8; 4]>::try_from(ip).ok()?.into(),
        Family::Inet6 => <[u8; 16]>::try_from(ip).ok()?.into(),
    })
}

fn port(bytes: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.try_into().ok()?))
}
