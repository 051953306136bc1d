//! Keywords of VRRP instances and sync groups.

use super::Block;
use super::Use::{Dropped, Nothing, Read};
use super::reasons::{ANNOUNCED, NO_FIFO, NO_MAIL, TRACKED, VMAC, WIRE};

#[rustfmt::skip]
pub(in crate::keepalived) const GROUP: Block = Block {
    name: "in a `vrrp_sync_group`",
    groups: &[
        (Read, &[
            "group", "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify",
        ]),
        (NO_MAIL, &["smtp_alert"]),
        (TRACKED, &[
            "track_interface", "track_script", "track_file", "track_process", "track_bfd",
        ]),
        (Nothing, &["global_tracking", "sync_group_tracking_weight"]),
        (NO_FIFO, &["notify_priority_changes"]),
        (Dropped("`stop` of the hook is run instead"), &["notify_deleted"]),
    ],
};

#[rustfmt::skip]
pub(in crate::keepalived) const INSTANCE: Block = Block {
    name: "in a `vrrp_instance`",
    groups: &[
        (Read, &[
            "state", "interface", "virtual_router_id", "priority", "advert_int", "version",
            "unicast_src_ip", "mcast_src_ip", "unicast_peer", "mcast_dst_ip", "down_timer_adverts",
            "nopreempt", "preempt", "preempt_delay", "virtual_ipaddress", "virtual_ipaddress_excluded",
            "virtual_routes", "virtual_rules", "authentication", "auth_hmac", "track_interface",
            "notify_master", "notify_backup", "notify_fault", "notify_stop", "notify",
        ]),
        (Nothing, &[
            "native_ipv6", "accept", "debug", "check_unicast_src", "skip_check_adv_addr",
            "promote_secondaries", "kernel_rx_buf_size", "higher_prio_send_advert",
            "lower_prio_no_advert", "unicast_fault_no_peer", "old_unicast_checksum",
            "no_virtual_ipaddress", "track_src_ip",
        ]),
        (WIRE, &["strict_mode", "unicast_ttl", "timer_expired_backup"]),
        (VMAC, &["use_vmac", "use_vmac_addr", "vmac_xmit_base", "use_ipvlan"]),
        (ANNOUNCED, &[
            "garp_master_delay", "garp_master_repeat", "garp_lower_prio_delay",
            "garp_lower_prio_repeat", "garp_master_refresh", "garp_master_refresh_repeat",
            "garp_extra_if", "garp_interval", "gna_interval", "garp_extra_if_vmac",
        ]),
        (TRACKED, &[
            "track_script", "track_file", "track_process", "track_bfd", "linkbeat_use_polling",
        ]),
        (Dropped("the interface of a floating address is always watched"), &["dont_track_primary"]),
        (Dropped("packets to a floating address are taken; refuse them with netfilter"), &["no_accept"]),
        (Dropped("start the daemons within that VRF"), &["vrf"]),
        (NO_MAIL, &["smtp_alert"]),
        (NO_FIFO, &["notify_priority_changes"]),
        (Dropped("`lvsctl history` tells of two that were active at once; nothing is run"), &["notify_master_rx_lower_pri"]),
        (Dropped("`stop` of the hook is run instead"), &["notify_deleted"]),
        (Dropped("connections are copied both ways all the time: `lvs_sync_daemon` in `global_defs`"), &["lvs_sync_daemon_interface"]),
    ],
};
