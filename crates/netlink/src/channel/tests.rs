//! Against the route family of the running kernel, which everybody may ask.

use super::*;

/// `RTM_GETLINK`.
const GET_LINK: u16 = 18;

/// Asks for the interface of an index: 1 is the loopback interface.
fn link(index: u32) -> Outgoing {
    let mut payload = vec![0; 16];
    payload[4..8].copy_from_slice(&index.to_ne_bytes());
    Outgoing { kind: GET_LINK, flags: 0, payload }
}

#[test]
fn a_write_is_bounded_by_requests_and_by_bytes() {
    let request = |bytes| Outgoing { kind: 0, flags: 0, payload: vec![0; bytes] };
    let many: Vec<_> = (0..1000).map(|_| request(8)).collect();
    assert_eq!(one_write(&many), REQUESTS_PER_WRITE);
    let large: Vec<_> = (0..10).map(|_| request(BYTES_PER_WRITE / 4)).collect();
    assert_eq!(one_write(&large), 3);
    assert_eq!(one_write(&[request(BYTES_PER_WRITE * 2)]), 1);
}

#[tokio::test]
async fn each_request_of_many_writes_gets_its_own_answer() {
    let mut channel = Channel::open(NlFamily::Route).unwrap();
    let requests: Vec<_> =
        (0..1000).map(|at| link(if at % 3 == 0 { 1 } else { 0x7fff_0000 })).collect();
    let results = channel.batch(&requests).await;
    assert_eq!(results.len(), requests.len());
    for (at, result) in results.iter().enumerate() {
        let wanted = if at % 3 == 0 { None } else { Some(libc::ENODEV) };
        assert_eq!(result.as_ref().err().and_then(KernelError::errno), wanted, "{at}");
    }
}

#[tokio::test]
async fn a_request_that_was_cut_off_does_not_disturb_the_next() {
    let mut channel = Channel::open(NlFamily::Route).unwrap();
    for _ in 0..3 {
        let socket = channel.socket.get_ref().pid().unwrap();
        // What a dump does until its answer comes; then the caller loses interest.
        let sequence = channel.begin(1).unwrap();
        let mut bytes = Vec::new();
        append(&mut bytes, GET_LINK, REQUEST | DUMP, sequence, &[0; 16]);
        channel.send(&bytes).await.unwrap();
        assert!(!channel.dump(GET_LINK, &[0; 16]).await.unwrap().is_empty());
        assert_eq!(channel.batch(&[link(1)]).await, [Ok(())]);
        assert_ne!(channel.socket.get_ref().pid().unwrap(), socket, "the socket is the old one");
    }
}

#[tokio::test]
async fn leftover_answers_are_not_taken_for_ours() {
    let mut channel = Channel::open(NlFamily::Route).unwrap();
    let mut bytes = Vec::new();
    append(&mut bytes, GET_LINK, REQUEST | ACK, 0xdead, &link(1).payload);
    channel.send(&bytes).await.unwrap();
    let refused = channel.request(GET_LINK, 0, &link(0x7fff_0000).payload).await.unwrap_err();
    assert_eq!(refused.errno(), Some(libc::ENODEV));
}

#[tokio::test]
async fn sequence_numbers_wrap_without_ever_being_zero() {
    let mut channel = Channel::open(NlFamily::Route).unwrap();
    channel.sequence = u32::MAX - 5;
    let mut begun = Vec::new();
    for _ in 0..4 {
        begun.push(channel.begin(2).unwrap());
        channel.in_flight = false;
    }
    assert_eq!(begun, [u32::MAX - 4, u32::MAX - 2, 1, 3]);
    assert_eq!(channel.batch(&[link(1), link(1)]).await, [Ok(()), Ok(())]);
}

#[tokio::test]
async fn nothing_to_do_asks_nothing() {
    let mut channel = Channel::open(NlFamily::Route).unwrap();
    assert!(channel.batch(&[]).await.is_empty());
    assert_eq!(channel.sequence, 0);
}
