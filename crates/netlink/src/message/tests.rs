use super::*;

fn one(kind: u16, flags: u16, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    append(&mut bytes, kind, flags, 7, payload);
    bytes
}

fn meaning_of(bytes: &[u8]) -> Result<Meaning<'_>, KernelError> {
    Messages(bytes).next().unwrap().unwrap().meaning()
}

/// The code of an error, the request that it is about, and the kernel's words.
fn refusal(errno: i32, repeated: &[u8], text: &str) -> Vec<u8> {
    let mut words = ipvs::wire::Payload::default();
    words.u32(2, 99); // where in the request the fault is
    words.text(ACK_TEXT, text);
    [&(-errno).to_ne_bytes(), repeated, &words.into_bytes()].concat()
}

#[test]
fn messages_of_one_datagram_are_told_apart() {
    let mut bytes = one(20, DUMP, b"12345");
    append(&mut bytes, 21, 0, 8, b"");
    let read: Vec<_> = Messages(&bytes).map(Result::unwrap).collect();
    assert_eq!(read.len(), 2);
    assert_eq!((read[0].kind, read[0].flags, read[0].sequence), (20, DUMP, 7));
    assert_eq!(read[0].payload, b"12345");
    assert_eq!((read[1].kind, read[1].sequence, read[1].payload), (21, 8, b"".as_slice()));
}

#[test]
fn a_message_that_was_cut_is_an_error_and_ends_the_list() {
    let bytes = one(20, 0, b"12345678");
    for length in 1..bytes.len() {
        let read: Vec<_> = Messages(&bytes[..length]).collect();
        assert_eq!(read, [Err(WireError::Truncated)], "{length}");
    }
}

#[test]
fn a_length_that_lies_is_an_error() {
    for length in [0u32, 15, u32::MAX] {
        let mut bytes = one(20, 0, b"1234");
        bytes[..4].copy_from_slice(&length.to_ne_bytes());
        assert!(Messages(&bytes).next().unwrap().is_err(), "{length}");
    }
}

#[test]
fn an_acknowledgement_of_the_kernel_is_read() {
    // Linux 6.1 to IPVS_CMD_ZERO, capped: code 0 and the request's header.
    let payload = [&[0u8; 4][..], &[0x14, 0, 0, 0, 0x20, 0, 5, 0], &[0; 8]].concat();
    assert_eq!(meaning_of(&one(KIND_ERROR, CAPPED, &payload)), Ok(Meaning::Acknowledged));
}

#[test]
fn the_kernels_words_are_kept() {
    let request = one(20, 0, b"the request");
    let whole = one(KIND_ERROR, ACK_TLVS, &refusal(22, &request, "Invalid prefix length"));
    let capped =
        one(KIND_ERROR, ACK_TLVS | CAPPED, &refusal(22, &request[..16], "Invalid prefix length"));
    let ended = one(KIND_DONE, ACK_TLVS, &refusal(22, b"", "Invalid prefix length"));
    for bytes in [whole, capped, ended] {
        let Ok(Meaning::Refused(error)) = meaning_of(&bytes) else { panic!("{bytes:?}") };
        assert_eq!(error.errno(), Some(22));
        assert_eq!(error.to_string(), "Invalid prefix length (Invalid argument (os error 22))");
    }
}

#[test]
fn an_error_without_words_or_with_damaged_ones_still_has_its_number() {
    let bare = one(KIND_ERROR, 0, &refusal(17, &[0; 16], ""));
    let damaged = one(KIND_ERROR, ACK_TLVS, &[(-17i32).to_ne_bytes(), [0xff; 4]].concat());
    for bytes in [bare, damaged] {
        let Ok(Meaning::Refused(error)) = meaning_of(&bytes) else { panic!("{bytes:?}") };
        assert_eq!(error, KernelError::Refused { errno: 17, text: None });
    }
}

#[test]
fn a_dump_may_fail_in_its_last_message() {
    let failed = one(KIND_DONE, 0, &(-105i32).to_ne_bytes());
    assert!(
        matches!(meaning_of(&failed), Ok(Meaning::Refused(error)) if error.errno() == Some(105))
    );
    assert_eq!(meaning_of(&one(KIND_DONE, 0, &[0; 4])), Ok(Meaning::Done));
    assert_eq!(meaning_of(&one(KIND_DONE, 0, &[])), Ok(Meaning::Done));
    assert!(meaning_of(&one(KIND_ERROR, 0, &[0; 3])).is_err());
}

#[test]
fn a_missing_privilege_is_told_as_such() {
    let bytes = one(KIND_ERROR, 0, &refusal(libc::EPERM, &[0; 16], ""));
    assert_eq!(meaning_of(&bytes), Ok(Meaning::Refused(KernelError::NotPermitted)));
}
