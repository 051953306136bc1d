//! Times of ha.cf.

use super::*;

#[test]
fn times_are_seconds_or_have_a_unit() {
    assert_eq!(heartbeat("keepalive 200ms\n").interval, millis(200));
    assert_eq!(heartbeat("keepalive 0.25\n").interval, millis(250));
    assert_eq!(heartbeat("keepalive 1500usec\n").interval, Duration::from_micros(1500));
    assert!(problem("keepalive 2s\n").contains("`2s` is no time (write `2` for seconds)"));
    assert!(problem("keepalive 2min\n").contains("write `2` for two seconds, `200ms`"));
    assert!(problem("keepalive 0\n").contains("cannot be 0"));
    assert!(problem("warntime .\n").contains("`.` is no time"));
}

#[test]
fn what_is_not_written_is_as_heartbeat_has_it() {
    let text = "node Master Backup\nbcast eth1\nauto_failback off\n";
    let pair = clean(&[("ha.cf", text)]);
    let heartbeat = &pair.heartbeat;
    assert_eq!((heartbeat.interval, heartbeat.dead_after), (millis(1000), millis(30_000)));
    assert_eq!(
        (heartbeat.warn_after, heartbeat.listen_first),
        (Some(millis(15_000)), millis(30_000))
    );
    assert_eq!((heartbeat.port, pair.groups[0].failback), (694, Failback::Manual));
    assert_eq!(self::heartbeat("deadtime 5\n").listen_first, millis(12_000));
    assert_eq!(self::heartbeat("deadtime 8\n").listen_first, millis(16_000));
}

#[test]
fn times_that_do_not_fit_are_errors() {
    assert!(problem("deadtime 4\n").contains("a router is dead after 4s, but speaks only each 2s"));
    assert!(problem("initdead 20\n").contains("`initdead` 20s is less than `deadtime` 30s"));
    assert!(problem("warntime 30\n").contains("warning: `warntime` 30s is no less"));
}
