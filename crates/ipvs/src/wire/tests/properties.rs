//! Whatever is written reads the same, and whatever is read is no panic.

use proptest::prelude::*;

use super::*;

fn any_key() -> impl Strategy<Value = ServiceKey> {
    let protocol = prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::Sctp)];
    let family = prop_oneof![Just(Family::Inet), Just(Family::Inet6)];
    prop_oneof![
        (any::<(std::net::IpAddr, u16)>(), protocol).prop_map(|(address, protocol)| {
            ServiceKey::Address { address: address.into(), protocol }
        }),
        (1u32.., family).prop_map(|(mark, family)| ServiceKey::Mark { mark, family }),
    ]
}

fn any_service() -> impl Strategy<Value = Service> {
    let persistence = (any::<u32>(), 0..=32u8, proptest::option::of("[a-z]{1,15}"));
    let persistence = proptest::option::of(persistence);
    let scheduler = "[a-z0-9_]{1,15}";
    (scheduler, any::<(bool, bool, bool, bool)>(), persistence).prop_map(
        |(scheduler, (fallback, port, third, one_packet), persistence)| Service {
            scheduler: scheduler.parse::<Scheduler>().unwrap(),
            flags: SchedulerFlags { fallback, port, third },
            persistence: persistence.map(|(timeout_seconds, prefix_length, engine)| Persistence {
                timeout_seconds,
                prefix_length,
                engine,
            }),
            one_packet,
        },
    )
}

fn any_destination() -> impl Strategy<Value = Destination> {
    let checksum = prop_oneof![
        Just(TunnelChecksum::None),
        Just(TunnelChecksum::Full),
        Just(TunnelChecksum::Remote)
    ];
    let tunnelled = prop_oneof![
        Just(Tunnel::Ipip),
        (any::<u16>(), checksum.clone())
            .prop_map(|(port, checksum)| Tunnel::Gue { port, checksum }),
        checksum.prop_map(|checksum| Tunnel::Gre { checksum }),
    ];
    let way = prop_oneof![
        Just((Forwarding::Nat, Tunnel::Ipip)),
        Just((Forwarding::Direct, Tunnel::Ipip)),
        tunnelled.prop_map(|tunnel| (Forwarding::Tunnel, tunnel)),
    ];
    (way, any::<(u32, u32, u32)>()).prop_map(
        |((forwarding, tunnel), (weight, upper_threshold, lower_threshold))| Destination {
            forwarding,
            tunnel,
            weight,
            upper_threshold,
            lower_threshold,
        },
    )
}

proptest! {
    #[test]
    fn a_virtual_server_reads_as_it_was_written(key in any_key(), service in any_service()) {
        let request = step_request(&Step::AddService(key, service.clone()));
        let read = decode_service(&request.attributes).unwrap();
        prop_assert_eq!(read, (key, service, crate::Counters::default()));
    }

    #[test]
    fn a_real_server_reads_as_it_was_written(
        key in any_key(),
        real in any::<(std::net::IpAddr, u16)>(),
        destination in any_destination(),
    ) {
        let real = DestinationKey::from(real);
        let request = step_request(&Step::AddDestination(key, real, destination.clone()));
        prop_assert_eq!(service::decode_key(&request.attributes).unwrap(), key);
        let read = decode_destination(&request.attributes, key.family()).unwrap();
        prop_assert_eq!((read.0, read.1), (real, destination));
    }

    #[test]
    fn noise_is_read_without_a_panic(noise in proptest::collection::vec(any::<u8>(), 0..300)) {
        read_any(&noise);
    }

    #[test]
    fn damaged_answers_are_read_without_a_panic(
        which in any::<prop::sample::Index>(),
        places in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let answers = talk(TABLE);
        let mut message = which.get(&answers).2.clone();
        if !message.is_empty() {
            for (place, value) in places {
                let place = place.index(message.len());
                message[place] = value;
            }
        }
        read_any(&message);
    }
}
