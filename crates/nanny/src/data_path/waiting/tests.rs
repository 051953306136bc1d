use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use super::{Told, Waiting};
use crate::data_path::segment::{Answer, Says};

const OLDER: u32 = 77;

fn www() -> SocketAddr {
    SocketAddr::from(([192, 168, 1, 1], 80))
}

fn mail() -> SocketAddr {
    SocketAddr::from(([192, 168, 1, 1], 25))
}

fn says(says: Says, virtual_server: SocketAddr, acknowledged: u32) -> Answer {
    Answer { says, virtual_server, acknowledged }
}

#[tokio::test]
async fn an_answer_reaches_the_one_who_asked_for_that_virtual_server_under_that_number() {
    let waiting = Arc::new(Waiting::default());
    let (mut one, mut two) = (waiting.ticket(www()), waiting.ticket(www()));
    waiting.answer(says(Says::Refuses, mail(), one.number().wrapping_add(1)));
    waiting.answer(says(Says::Accepts, www(), one.number().wrapping_add(1)));
    waiting.answer(says(Says::Refuses, www(), two.number().wrapping_add(1)));
    assert_eq!(one.answer().await.unwrap(), Told::Accepts);
    assert_eq!(two.answer().await.unwrap(), Told::Refuses);
}

#[tokio::test]
async fn an_older_connection_is_told_once_to_all_who_ask_for_the_same_virtual_server() {
    let waiting = Arc::new(Waiting::default());
    let (mut one, mut two) = (waiting.ticket(www()), waiting.ticket(www()));
    let mut other = waiting.ticket(mail());
    for acknowledged in [OLDER, OLDER + 1] {
        waiting.answer(says(Says::HoldsOlder, www(), acknowledged));
    }
    for ticket in [&mut one, &mut two] {
        assert_eq!(ticket.answer().await.unwrap(), Told::HoldsOlder(OLDER));
        waiting.answer(says(Says::Accepts, www(), ticket.number().wrapping_add(1)));
        assert_eq!(ticket.answer().await.unwrap(), Told::Accepts, "no second time");
    }
    let nothing = timeout(Duration::ZERO, other.answer()).await;
    assert!(nothing.is_err(), "another virtual server is told {nothing:?}");
}

#[tokio::test]
async fn an_answer_counts_more_than_an_older_connection() {
    let waiting = Arc::new(Waiting::default());
    let mut ticket = waiting.ticket(www());
    waiting.answer(says(Says::HoldsOlder, www(), OLDER));
    waiting.answer(says(Says::Accepts, www(), ticket.number().wrapping_add(1)));
    assert_eq!(ticket.answer().await.unwrap(), Told::Accepts);
}
