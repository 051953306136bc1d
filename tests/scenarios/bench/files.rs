//! The same wishes in the formats of those that are compared.

use std::fmt::Write;

/// Many services without checks.
pub(crate) struct TableFiles {
    /// Services: ports from 1000 on of one address.
    pub(crate) services: usize,
    /// Servers of each service: addresses from 192.168.1.10 on.
    pub(crate) servers: usize,
}

impl TableFiles {
    /// Lines of the kernel's table.
    pub(crate) fn lines(&self) -> usize {
        self.services * (self.servers + 1)
    }

    /// What `ipvsadm -R` reads.
    pub(crate) fn ipvsadm(&self) -> String {
        let mut text = String::new();
        for port in 1000..1000 + self.services {
            let _ = writeln!(text, "-A -t 192.168.1.1:{port} -s wlc");
            for last in 10..10 + self.servers {
                let _ =
                    writeln!(text, "-a -t 192.168.1.1:{port} -r 192.168.1.{last}:{port} -g -w 1");
            }
        }
        text
    }

    /// ldirectord.cf; the very first server has another weight.
    pub(crate) fn ldirectord(&self, first_weight: usize) -> String {
        let mut text = String::from("autoreload=yes\nquiescent=no\n");
        for port in 1000..1000 + self.services {
            let _ = writeln!(text, "virtual=192.168.1.1:{port}");
            for last in 10..10 + self.servers {
                let weight = if (port, last) == (1000, 10) { first_weight } else { 1 };
                let _ = writeln!(text, "    real=192.168.1.{last}:{port} gate {weight}");
            }
            text.push_str("    scheduler=wlc\n    protocol=tcp\n    checktype=on\n");
        }
        text
    }

    /// keepalived.conf; the very first server has another weight.
    pub(crate) fn keepalived(&self, first_weight: usize) -> String {
        let mut text = String::new();
        for port in 1000..1000 + self.services {
            let _ = writeln!(
                text,
                "virtual_server 192.168.1.1 {port} {{ \n lb_algo wlc\n lb_kind DR\n protocol TCP"
            );
            for last in 10..10 + self.servers {
                let weight = if (port, last) == (1000, 10) { first_weight } else { 1 };
                let _ = writeln!(
                    text,
                    " real_server 192.168.1.{last} {port} {{ \n  weight {weight}\n }}"
                );
            }
            text.push_str("}\n");
        }
        text
    }
}

/// One service with many servers, each checked by a TCP connection once a second.
pub(crate) struct CheckFiles {
    /// Servers: addresses from 10.50.0.1 on, 250 in each third number.
    pub(crate) servers: usize,
}

impl CheckFiles {
    fn addresses(&self) -> impl Iterator<Item = String> {
        (0..self.servers).map(|index| format!("10.50.{}.{}", index / 250, index % 250 + 1))
    }

    /// ldirectord.cf.
    pub(crate) fn ldirectord(&self) -> String {
        let mut text = String::from("checktimeout=1\ncheckinterval=1\nquiescent=no\n");
        text.push_str("virtual=192.168.1.1:80\n");
        for address in self.addresses() {
            let _ = writeln!(text, "    real={address}:80 gate 1");
        }
        text.push_str("    scheduler=wlc\n    protocol=tcp\n    checktype=connect\n");
        text
    }

    /// keepalived.conf.
    pub(crate) fn keepalived(&self) -> String {
        let mut text = String::from(
            "virtual_server 192.168.1.1 80 {\n delay_loop 1\n lb_algo wlc\n lb_kind DR\n \
             protocol TCP\n",
        );
        for address in self.addresses() {
            let _ = writeln!(
                text,
                " real_server {address} 80 {{ \n  weight 1\n  TCP_CHECK {{ \n   connect_timeout 1\n  }}\n }}"
            );
        }
        text.push_str("}\n");
        text
    }
}
