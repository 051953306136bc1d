//! When which address is announced. The clock is an argument.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::time::{Duration, Instant};

/// After which times an address is announced, counted from taking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeats {
    after: Vec<Duration>,
}

impl Default for Repeats {
    /// At once, then after 100 ms, 1 s, 2 s, 5 s and 10 s: a frame may be lost, and a switch may
    /// be busy with the same failure that made us take over.
    fn default() -> Self {
        Self { after: [0, 100, 1000, 2000, 5000, 10_000].map(Duration::from_millis).to_vec() }
    }
}

impl Repeats {
    /// So many times, so far apart.
    pub fn every(count: u32, interval: Duration) -> Self {
        Self { after: (0..count).map(|number| interval.saturating_mul(number)).collect() }
    }
}

/// The announcements that are still to be made.
#[derive(Clone, Debug, Default)]
pub struct Schedule {
    repeats: Repeats,
    queue: BTreeSet<Turn>,
    addresses: HashMap<IpAddr, Turn>,
}

/// One address at its place in the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    due: Instant,
    begun: Instant,
    /// How often it was announced.
    made: usize,
    ip: IpAddr,
}

impl Schedule {
    /// Nothing to announce yet.
    pub fn new(repeats: Repeats) -> Self {
        Self { repeats, ..Self::default() }
    }

    /// Announces an address, now and again later. One that is being announced begins anew.
    pub fn add(&mut self, ip: IpAddr, now: Instant) {
        self.cancel(ip);
        self.put(Turn { due: now, begun: now, made: 0, ip });
    }

    /// Stops announcing an address, because it leaves.
    pub fn cancel(&mut self, ip: IpAddr) {
        if let Some(turn) = self.addresses.remove(&ip) {
            self.queue.remove(&turn);
        }
    }

    /// When the next announcement is due.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.queue.first().map(|turn| turn.due)
    }

    /// The next address to announce, if one is due; its next repeat is then waited for.
    pub fn next_due(&mut self, now: Instant) -> Option<IpAddr> {
        let turn = *self.queue.first().filter(|turn| turn.due <= now)?;
        self.cancel(turn.ip);
        // A repeat that is late already is made once, not twice.
        self.put_after(Turn { made: turn.made + 1, ..turn }, now);
        Some(turn.ip)
    }

    /// Makes the last announcement of an address again after `delay`: the interface was busy.
    pub fn again(&mut self, ip: IpAddr, now: Instant, delay: Duration) {
        let due = now + delay;
        let turn = match self.addresses.get(&ip) {
            Some(turn) => Turn { due, made: turn.made.saturating_sub(1), ..*turn },
            None => Turn { due, begun: now, made: self.repeats.after.len().saturating_sub(1), ip },
        };
        self.cancel(ip);
        self.put(turn);
    }

    /// How many addresses are still to be announced.
    pub fn len(&self) -> usize {
        self.addresses.len()
    }

    /// Nothing is to be announced.
    pub fn is_empty(&self) -> bool {
        self.addresses.is_empty()
    }

    fn put_after(&mut self, mut turn: Turn, now: Instant) {
        while let Some(after) = self.repeats.after.get(turn.made) {
            turn.due = turn.begun + *after;
            if turn.due > now {
                self.put(turn);
                return;
            }
            turn.made += 1;
        }
    }

    fn put(&mut self, turn: Turn) {
        self.queue.insert(turn);
        self.addresses.insert(turn.ip, turn);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> IpAddr {
        IpAddr::from([192, 168, 1, last])
    }

    fn ms(number: u64) -> Duration {
        Duration::from_millis(number)
    }

    /// Every announcement, in milliseconds from the start.
    fn play(schedule: &mut Schedule, start: Instant) -> Vec<(u128, IpAddr)> {
        let mut made = Vec::new();
        while let Some(now) = schedule.next_deadline() {
            while let Some(ip) = schedule.next_due(now) {
                made.push(((now - start).as_millis(), ip));
            }
        }
        made
    }

    #[test]
    fn an_address_is_announced_at_once_and_repeated_over_seconds() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        schedule.add(ip(1), start);
        let times: Vec<_> = play(&mut schedule, start).iter().map(|made| made.0).collect();
        assert_eq!(times, [0, 100, 1000, 2000, 5000, 10_000]);
        assert!(schedule.is_empty());
    }

    #[test]
    fn every_address_has_its_first_turn_before_any_has_its_second() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        for last in 0..200 {
            schedule.add(ip(last), start);
        }
        let made = play(&mut schedule, start);
        assert_eq!(made.len(), 200 * 6);
        assert!(made[..200].iter().all(|made| made.0 == 0));
    }

    #[test]
    fn an_address_that_leaves_is_not_announced_any_more() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        schedule.add(ip(1), start);
        schedule.add(ip(2), start);
        schedule.cancel(ip(1));
        assert!(play(&mut schedule, start).iter().all(|made| made.1 == ip(2)));
    }

    #[test]
    fn an_address_that_is_taken_again_begins_anew() {
        let (mut schedule, start) = (Schedule::new(Repeats::every(2, ms(50))), Instant::now());
        schedule.add(ip(1), start);
        assert_eq!(schedule.next_due(start), Some(ip(1)));
        schedule.add(ip(1), start + ms(10));
        let times: Vec<_> = play(&mut schedule, start).iter().map(|made| made.0).collect();
        assert_eq!(times, [10, 60]);
    }

    #[test]
    fn repeats_that_are_late_already_are_made_once() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        schedule.add(ip(1), start);
        let late = start + ms(1500);
        assert_eq!(schedule.next_due(late), Some(ip(1)));
        assert_eq!(schedule.next_due(late), None);
        assert_eq!(schedule.next_deadline(), Some(start + ms(2000)));
    }

    #[test]
    fn a_busy_interface_loses_no_announcement_not_even_the_last_one() {
        let (mut schedule, start) = (Schedule::new(Repeats::every(2, ms(50))), Instant::now());
        schedule.add(ip(1), start);
        assert_eq!(schedule.next_due(start), Some(ip(1)));
        schedule.again(ip(1), start, ms(1));
        assert_eq!(schedule.next_due(start + ms(1)), Some(ip(1)));
        assert_eq!(schedule.next_due(start + ms(50)), Some(ip(1)));
        assert!(schedule.is_empty());
        schedule.again(ip(1), start + ms(50), ms(1));
        let times: Vec<_> = play(&mut schedule, start).iter().map(|made| made.0).collect();
        assert_eq!(times, [51]);
    }

    #[test]
    fn nothing_is_due_before_its_time() {
        let (mut schedule, start) = (Schedule::default(), Instant::now());
        assert_eq!(schedule.next_deadline(), None);
        schedule.add(ip(1), start + ms(5));
        assert_eq!(schedule.next_due(start), None);
        assert_eq!(schedule.len(), 1);
    }
}
