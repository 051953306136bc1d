//! Ports by number or by the names that configurations of virtual servers use.
//!
//! A built-in table rather than /etc/services: a file then means the same on both routers.

/// Names and ports (IANA), as far as somebody balances them.
const NAMES: &[(&str, u16)] = &[
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("mail", 25),
    ("time", 37),
    ("domain", 53),
    ("tftp", 69),
    ("gopher", 70),
    ("finger", 79),
    ("http", 80),
    ("www", 80),
    ("kerberos", 88),
    ("pop2", 109),
    ("pop3", 110),
    ("pop-3", 110),
    ("sunrpc", 111),
    ("nntp", 119),
    ("ntp", 123),
    ("imap", 143),
    ("imap2", 143),
    ("snmp", 161),
    ("imap3", 220),
    ("ldap", 389),
    ("https", 443),
    ("submissions", 465),
    ("smtps", 465),
    ("ssmtp", 465),
    ("syslog", 514),
    ("printer", 515),
    ("nntps", 563),
    ("submission", 587),
    ("ipp", 631),
    ("ldaps", 636),
    ("ha-cluster", 694),
    ("domain-s", 853),
    ("rsync", 873),
    ("ftps-data", 989),
    ("ftps", 990),
    ("telnets", 992),
    ("imaps", 993),
    ("pop3s", 995),
    ("socks", 1080),
    ("openvpn", 1194),
    ("ms-sql-s", 1433),
    ("radius", 1812),
    ("radius-acct", 1813),
    ("nfs", 2049),
    ("mqtt", 1883),
    ("ldaps-gc", 3269),
    ("icpv2", 3130),
    ("mysql", 3306),
    ("ms-wbt-server", 3389),
    ("svn", 3690),
    ("sip", 5060),
    ("sips", 5061),
    ("sip-tls", 5061),
    ("xmpp-client", 5222),
    ("postgresql", 5432),
    ("amqp", 5672),
    ("x11", 6000),
    ("ircd", 6667),
    ("http-alt", 8080),
    ("webcache", 8080),
    ("https-alt", 8443),
    ("memcached", 11211),
];

/// Why a word is no port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BadPort {
    /// A number above 65535.
    TooLarge,
    /// A name that the table does not hold; perhaps this one was meant.
    Unknown(Option<&'static str>),
}

/// The port of a number or a name; 0 is passed on.
pub(crate) fn port(text: &str) -> Result<u16, BadPort> {
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| BadPort::TooLarge);
    }
    let found = NAMES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
    found.map(|(_, port)| *port).ok_or_else(|| {
        BadPort::Unknown(crate::diagnostic::nearest(text, NAMES.iter().map(|(name, _)| *name)))
    })
}

impl BadPort {
    /// What is wrong with `text`, and what to write instead.
    pub(crate) fn words(self, text: &str) -> (String, String) {
        let help = match self {
            Self::TooLarge => "ports go from 1 to 65535".to_string(),
            Self::Unknown(Some(name)) => format!("did you mean `{name}`? a number always works"),
            Self::Unknown(None) => "write the port as a number, 1 to 65535".to_string(),
        };
        (format!("`{text}` is no port"), help)
    }
}
