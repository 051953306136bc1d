use super::*;
use crate::examples::direct;
use crate::{Persistence, Protocol, SchedulerFlags, TunnelChecksum};

fn key() -> ServiceKey {
    ServiceKey::Address { address: "192.168.1.1:80".parse().unwrap(), protocol: Protocol::Tcp }
}

fn real() -> DestinationKey {
    "192.168.1.4:80".parse().unwrap()
}

fn service() -> Service {
    Service {
        scheduler: Scheduler::wlc(),
        flags: SchedulerFlags::default(),
        persistence: None,
        one_packet: false,
    }
}

fn filled() -> FakeKernel {
    let mut kernel = FakeKernel::default();
    kernel.apply(&Step::AddService(key(), service())).unwrap();
    kernel.apply(&Step::AddDestination(key(), real(), direct())).unwrap();
    kernel
}

#[test]
fn what_is_there_cannot_be_added() {
    let mut kernel = filled();
    assert_eq!(kernel.apply(&Step::AddService(key(), service())), Err(Refusal::Exists));
    let again = Step::AddDestination(key(), real(), direct());
    assert_eq!(kernel.apply(&again), Err(Refusal::Exists));
    assert_eq!(kernel.done, 2);
}

#[test]
fn what_is_not_there_can_be_neither_edited_nor_removed() {
    let mut kernel = FakeKernel::default();
    for step in [
        Step::EditService(key(), service()),
        Step::RemoveService(key()),
        Step::AddDestination(key(), real(), direct()),
        Step::EditDestination(key(), real(), direct()),
        Step::RemoveDestination(key(), real()),
    ] {
        assert_eq!(kernel.apply(&step), Err(Refusal::NoService), "{step}");
    }
    kernel.apply(&Step::AddService(key(), service())).unwrap();
    for step in
        [Step::EditDestination(key(), real(), direct()), Step::RemoveDestination(key(), real())]
    {
        assert_eq!(kernel.apply(&step), Err(Refusal::NotFound), "{step}");
    }
}

#[test]
fn values_that_the_kernel_refuses_are_refused() {
    let persistent = |prefix_length, engine: Option<&str>| Service {
        persistence: Some(Persistence {
            timeout_seconds: 1,
            prefix_length,
            engine: engine.map(str::to_owned),
        }),
        ..service()
    };
    let gue = Tunnel::Gue { port: 0, checksum: TunnelChecksum::None };
    let add =
        |change: Destination| Step::AddDestination(key(), "10.0.0.9:1".parse().unwrap(), change);
    let six = Step::AddDestination(key(), "[2001:db8::4]:80".parse().unwrap(), direct());
    for (step, refusal) in [
        (Step::EditService(key(), persistent(33, None)), Refusal::Invalid),
        (Step::EditService(key(), persistent(32, Some("none"))), Refusal::NotFound),
        (add(Destination { weight: 1 << 31, ..direct() }), Refusal::OutOfRange),
        (add(Destination { lower_threshold: 1, ..direct() }), Refusal::OutOfRange),
        (
            add(Destination { forwarding: Forwarding::Tunnel, tunnel: gue, ..direct() }),
            Refusal::Invalid,
        ),
        (six, Refusal::Invalid),
    ] {
        let mut kernel = filled();
        assert_eq!(kernel.apply(&step), Err(refusal), "{step}");
        assert_eq!(kernel, filled());
    }
}

#[test]
fn a_scheduler_without_a_module_is_not_found() {
    let mut kernel = filled();
    kernel.missing_schedulers.insert(Scheduler::wlc());
    assert_eq!(kernel.apply(&Step::EditService(key(), service())), Err(Refusal::NotFound));
}

#[test]
fn a_removed_virtual_server_takes_its_real_servers_along() {
    let mut kernel = filled();
    kernel.apply(&Step::RemoveService(key())).unwrap();
    kernel.apply(&Step::AddService(key(), service())).unwrap();
    assert!(kernel.table[&key()].destinations.is_empty());
}

#[test]
fn a_batch_goes_on_after_a_refusal() {
    let mut kernel = filled();
    let steps = [Step::AddService(key(), service()), Step::RemoveService(key())];
    assert_eq!(kernel.apply_all(&steps), [Err(Refusal::Exists), Ok(())]);
    assert!(kernel.table.is_empty());
    assert_eq!(Refusal::Exists.errno(), 17);
}
