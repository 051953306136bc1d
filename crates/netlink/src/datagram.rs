//! A whole datagram read as everything that it could be: what fuzzing gives to the parsers of
//! this crate.

use crate::message::{Meaning, Messages};
use crate::{addresses, links, route};

/// How many messages a datagram holds, and how many of them could be read as something.
pub fn read(bytes: &[u8]) -> (usize, usize) {
    let (mut messages, mut understood) = (0, 0);
    for message in Messages(bytes).flatten() {
        messages += 1;
        understood += match message.meaning() {
            Ok(Meaning::Data(payload)) => usize::from(
                addresses::decode(payload).is_ok()
                    | links::decode(payload).is_ok()
                    | route::decode_route(payload).is_ok()
                    | route::decode_neighbour(payload).is_ok(),
            ),
            Ok(_) => 1,
            Err(_) => 0,
        };
    }
    (messages, understood)
}
