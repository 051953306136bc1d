//! Keywords of virtual servers, real servers and checks.

use super::Block;
use super::Use::{Dropped, Nothing, Read};
use super::reasons::{MAILED, NO_PROGRAM, SOURCE, SPREAD, USER};

#[rustfmt::skip]
pub(in crate::keepalived) const SERVER: Block = Block {
    name: "in a `virtual_server`",
    groups: &[
        (Read, &[
            "lvs_sched", "lb_algo", "lvs_method", "lb_kind", "flag-1", "flag-2", "flag-3", "sh-port",
            "sh-fallback", "mh-port", "mh-fallback", "ops", "persistence_engine", "persistence_timeout",
            "persistence_granularity", "protocol", "virtualhost", "snmp_name", "quorum", "hysteresis", "ip_family",
            "sorry_server", "sorry_server_lvs_method", "connect_timeout", "retry", "delay_loop", "delay_before_retry",
            "inhibit_on_failure", "real_server", "quorum_up", "quorum_down", "smtp_alert",
        ]),
        (Nothing, &["alpha", "hashed"]),
        (NO_PROGRAM, &["omega"]),
        (Dropped("both routers check all the time, so that the standby's table is warm"), &["ha_suspend"]),
        (Dropped("the sorry server is added when it is needed, and removed after"), &["sorry_server_inhibit"]),
        (SPREAD, &["warmup", "log_all_failures"]),
    ],
};

#[rustfmt::skip]
pub(in crate::keepalived) const REAL: Block = Block {
    name: "in a `real_server`",
    groups: &[
        (Read, &[
            "weight", "lvs_method", "lb_kind", "uthreshold", "lthreshold", "virtualhost", "snmp_name",
            "connect_timeout", "retry", "delay_loop", "delay_before_retry", "inhibit_on_failure",
            "notify_up", "notify_down",
        ]),
        (Read, &[
            "HTTP_GET", "SSL_GET", "TCP_CHECK", "SMTP_CHECK", "DNS_CHECK", "MISC_CHECK", "BFD_CHECK",
            "UDP_CHECK", "PING_CHECK", "FILE_CHECK",
        ]),
        (Nothing, &["alpha"]),
        (MAILED, &["smtp_alert"]),
        (SPREAD, &["warmup", "log_all_failures"]),
    ],
};

#[rustfmt::skip]
pub(in crate::keepalived) const CHECK: Block = Block {
    name: "in a check",
    groups: &[
        (Read, &["connect_ip", "connect_port", "connect_timeout", "retry", "delay_loop", "delay_before_retry"]),
        (Read, &[
            "url", "virtualhost", "http_protocol", "enable_sni", "sni_name", "helo_name", "host",
            "type", "name", "misc_path", "misc_timeout", "misc_dynamic", "payload", "require_reply",
            "min_reply_length", "max_reply_length", "nb_get_retry",
        ]),
        (Nothing, &["alpha", "fast_recovery", "tls_compliant"]),
        (SOURCE, &["bindto", "bind_if", "bind_port", "fwmark"]),
        (SPREAD, &["warmup", "log_all_failures"]),
        (USER, &["user"]),
        (Dropped("`lvsctl weight SERVER N` changes a weight while all runs"), &["track_file", "dynamic", "weight"]),
    ],
};

#[rustfmt::skip]
pub(in crate::keepalived) const URL: Block = Block {
    name: "in a `url`",
    groups: &[
        (Read, &[
            "path", "digest", "status_code", "virtualhost", "regex", "regex_no_match", "regex_options",
        ]),
        (Nothing, &["regex_stack"]),
        (Dropped("the beginning of the body is searched as a whole"), &["regex_min_offset", "regex_max_offset"]),
        (Nothing, &["tls_compliant"]),
    ],
};
