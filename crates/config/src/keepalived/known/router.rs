//! Keywords of the whole file and of `global_defs`.

use super::Block;
use super::Use::{Dropped, Nothing, Read};
use super::reasons::{
    ANNOUNCED, HOST, MAIL_SERVER, NO_FIFO, NO_MAIL, PROCESS, SNMP, SPACE, TRACKED, WIRE,
};

#[rustfmt::skip]
pub(in crate::keepalived) const TOP: Block = Block {
    name: "at the top of the file",
    groups: &[
        (Read, &[
            "global_defs", "vrrp_instance", "vrrp_sync_group", "virtual_server", "virtual_server_group",
        ]),
        (Read, &["SSL"]),
        (Nothing, &["use_pid_dir", "child_wait_time", "instance"]),
        (HOST, &["static_ipaddress", "static_routes", "static_rules"]),
        (TRACKED, &[
            "vrrp_script", "vrrp_track_process", "track_file", "vrrp_track_file", "track_group",
            "bfd_instance",
        ]),
        (TRACKED, &["linkbeat_use_polling", "linkbeat_interfaces", "interface_up_down_delays"]),
        (ANNOUNCED, &["garp_group"]),
        (SPACE, &["net_namespace", "net_namespace_ipvs", "namespace_with_ipsets"]),
    ],
};

#[rustfmt::skip]
pub(in crate::keepalived) const GLOBAL: Block = Block {
    name: "in `global_defs`",
    groups: &[
        (Read, &[
            "router_id", "notification_email", "notification_email_from", "smtp_server", "smtp_alert",
            "smtp_alert_checker", "no_checker_emails", "lvs_sync_daemon", "lvs_timeouts",
            "lvs_flush_on_stop", "vrrp_version",
            "vrrp_mcast_group4", "vrrp_mcast_group6", "vrrp_down_timer_adverts", "default_interface",
        ]),
        (NO_MAIL, &["smtp_alert_vrrp", "no_email_faults", "email_faults"]),
        (MAIL_SERVER, &["smtp_helo_name", "smtp_connect_timeout"]),
        (Nothing, &[
            "lvs_id", "use_pid_dir", "process_names", "process_name", "vrrp_process_name",
            "checker_process_name", "bfd_process_name", "tmp_config_directory", "config_save_dir",
            "checker_log_all_failures", "enable_script_security", "dynamic_interfaces",
            "log_unknown_vrids", "vmac_prefix", "vmac_addr_prefix", "random_seed",
            "reload_check_config", "include_check", "data_use_instance", "instance", "umask",
            "use_symlink_paths", "state_dump_file", "stats_dump_file", "json_dump_file", "json_version",
            "vrrp_skip_check_adv_addr", "vrrp_check_unicast_src", "vrrp_rlimit_rttime",
            "checker_rlimit_rttime", "bfd_rlimit_rttime", "max_auto_priority",
            "min_auto_priority_delay", "vrrp_rx_bufs_policy", "vrrp_rx_bufs_multiplier",
            "vrrp_netlink_cmd_rcv_bufs", "vrrp_netlink_cmd_rcv_bufs_force",
            "vrrp_netlink_monitor_rcv_bufs", "vrrp_netlink_monitor_rcv_bufs_force",
            "lvs_netlink_cmd_rcv_bufs", "lvs_netlink_cmd_rcv_bufs_force",
            "lvs_netlink_monitor_rcv_bufs", "lvs_netlink_monitor_rcv_bufs_force",
            "process_monitor_rcv_bufs", "process_monitor_rcv_bufs_force", "disable_local_igmp",
            "nftables_counters", "nftables_ifindex", "nftables_priority",
            "vrrp_higher_prio_send_advert", "vrrp_lower_prio_no_advert",
        ]),
        (Dropped("the table is never flushed: only services that this configuration owned are removed"), &["lvs_flush"]),
        (Dropped("run it from the service manager: ExecStartPre= and ExecStopPost= of the unit"), &[
            "startup_script", "startup_script_timeout", "shutdown_script", "shutdown_script_timeout",
        ]),
        (NO_FIFO, &[
            "notify_fifo", "notify_fifo_script", "vrrp_notify_fifo", "vrrp_notify_fifo_script",
            "lvs_notify_fifo", "lvs_notify_fifo_script", "fifo_write_vrrp_states_on_reload",
            "vrrp_notify_priority_changes", "rs_init_notifies",
        ]),
        (ANNOUNCED, &[
            "vrrp_garp_master_delay", "vrrp_garp_master_repeat", "vrrp_garp_lower_prio_delay",
            "vrrp_garp_lower_prio_repeat", "vrrp_garp_master_refresh",
            "vrrp_garp_master_refresh_repeat", "vrrp_garp_interval", "vrrp_gna_interval",
            "vrrp_min_garp", "vrrp_garp_extra_if",
        ]),
        (WIRE, &["vrrp_strict", "vrrp_iptables", "vrrp_nftables", "vrrp_ipsets", "nftables"]),
        (Dropped("each address of a group stays a virtual server of its own; no netfilter rule is made"), &["nftables_ipvs", "nftables_ipvs_priority", "nftables_ipvs_start_fwmark"]),
        (PROCESS, &[
            "vrrp_priority", "checker_priority", "bfd_priority", "vrrp_no_swap", "checker_no_swap",
            "bfd_no_swap", "vrrp_cpu_affinity", "checker_cpu_affinity", "bfd_cpu_affinity",
            "vrrp_rt_priority", "checker_rt_priority", "bfd_rt_priority", "child_wait_time",
        ]),
        (SNMP, &[
            "snmp_socket", "enable_snmp_vrrp", "enable_snmp_checker", "enable_snmp_rfc",
            "enable_snmp_rfcv2", "enable_snmp_rfcv3", "enable_traps", "enable_dbus",
            "dbus_service_name", "snmp_vs_stats_update_interval", "snmp_rs_stats_update_interval",
        ]),
        (Dropped("hooks run as root, programs of checks as the user caribe-script"), &["script_user"]),
        (SPACE, &["net_namespace", "net_namespace_ipvs", "namespace_with_ipsets"]),
        (Dropped("a starting router listens for `listen_first` before it acts"), &["vrrp_startup_delay", "vrrp_delay_after_boot"]),
        (Dropped("a good edit is applied when it is saved, a bad one is refused and nothing changes"), &["reload_time_file", "reload_repeat", "reload_file"]),
        (TRACKED, &["linkbeat_use_polling"]),
    ],
};
