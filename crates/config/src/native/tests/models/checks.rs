//! Checks of every kind.

use super::*;

fn expect() -> impl Strategy<Value = Expect> {
    prop_oneof![
        Just(Expect::Anything),
        vec(any::<u8>(), 0..12).prop_map(Expect::Prefix),
        vec(any::<u8>(), 0..12).prop_map(Expect::Contains),
        select(vec!["*", "ok", " ", "\\", "\r\n"]).prop_map(|t| Expect::Contains(t.into())),
        select(vec!["^220 ", "a|b", "(?i)<title>\\s*\"x\"", "\\d+: #", "^$"])
            .prop_map(|text| Expect::Regex(text.into())),
    ]
}

fn tls() -> impl Strategy<Value = Tls> {
    (any::<bool>(), option::of(name()), option::of(name()))
        .prop_map(|(verify, ca_file, name)| Tls { verify, ca_file, name })
}

fn dialogue() -> impl Strategy<Value = Dialogue> {
    let step = (option::of(vec(any::<u8>(), 0..12)), option::of(expect()))
        .prop_map(|(send, expect)| Exchange { send, expect });
    (option::of(tls()), vec(step, 1..4)).prop_map(|(tls, steps)| Dialogue { tls, steps })
}

/// Boxed, as all models together would not fit a thread's stack otherwise.
fn login() -> BoxedStrategy<LoginCheck> {
    let file = || text("[a-z/]{0,8}[a-z]").prop_map(Secret::in_file);
    let password = prop_oneof![Just(Secret::default()), file()];
    let who = (name(), password).prop_map(|(name, password)| Login { name, password });
    let query = || {
        (option::of(name()), option::of(name()))
            .prop_map(|(database, query)| Query { database, query })
    };
    let wanted = || option::of(expect());
    let plain = prop_oneof![
        (option::of(name()), wanted())
            .prop_map(|(path, expect)| LoginService::Ftp { path, expect }),
        file().prop_map(|secret| LoginService::Radius { secret }),
    ];
    let secure = prop_oneof![
        Just(LoginService::Pop),
        Just(LoginService::Imap),
        (prop_oneof![Just(String::new()), name()], wanted())
            .prop_map(|(base, expect)| LoginService::Ldap { base, expect }),
        query().prop_map(LoginService::Mysql),
        query().prop_map(LoginService::Postgresql),
    ];
    let service =
        prop_oneof![plain.prop_map(|service| (service, None)), (secure, option::of(tls())),];
    (who, service, any::<bool>())
        .prop_map(|(login, (service, tls), anybody)| {
            let anonymous = matches!(service, LoginService::Ftp { .. } | LoginService::Ldap { .. });
            LoginCheck { login: Some(login).filter(|_| !(anonymous && anybody)), tls, service }
        })
        .boxed()
}

fn http() -> impl Strategy<Value = HttpCheck> {
    let method = select(vec!["GET", "HEAD", "POST", "OPTIONS"]).prop_map(String::from);
    let status = vec((100_u16..=599, 0_u16..50), 0..3)
        .prop_map(|list| list.into_iter().map(|(from, n)| (from, (from + n).min(599))).collect());
    (
        option::of(tls()),
        method,
        text("/[!-~]{0,12}"),
        option::of(name()),
        status,
        0..=20_u8,
        option::of(expect()),
        option::of(any::<[u8; 16]>().prop_map(Digest)),
    )
        .prop_map(|(tls, method, path, host, status, follow_redirects, expect, digest)| {
            HttpCheck { tls, method, path, host, status, follow_redirects, expect, digest }
        })
}

/// Boxed, like the others that stand within others: as values on the stack they are too large.
pub(super) fn check() -> BoxedStrategy<Check> {
    let send = option::of(vec(any::<u8>(), 0..12));
    let kind = prop_oneof![
        select(vec![
            CheckKind::On,
            CheckKind::Off,
            CheckKind::Connect,
            CheckKind::Ping,
            CheckKind::DataPath { tunnel: false },
        ]),
        (any::<bool>(), send, option::of(expect()))
            .prop_map(|(udp, send, expect)| CheckKind::SendExpect { udp, send, expect }),
        http().prop_map(CheckKind::Http),
        (argv(), option::of(expect()), any::<bool>()).prop_map(|(argv, expect, sets_weight)| {
            CheckKind::External { argv, expect, sets_weight }
        }),
        dialogue().prop_map(CheckKind::Dialogue),
        login().prop_map(|check| CheckKind::Login(Box::new(check))).boxed(),
        (name(), any::<bool>(), option::of(expect()))
            .prop_map(|(name, tcp, expect)| CheckKind::Dns(DnsCheck { name, tcp, expect })),
    ];
    let times = prop_oneof![
        Just((Duration::from_secs(5), Duration::from_secs(3), Duration::ZERO, None)),
        (time(100, 100_000), time(10, 100_000), time(0, 100_000), option::of(time(10, 100_000)))
    ];
    let check = (kind.boxed(), port(), times, 1..5_u32, 1..5_u32, 0..3_u32).prop_map(
        |(kind, port, (interval, timeout, reentry, retry), fall, rise, connects)| Check {
            kind,
            port,
            interval,
            timeout,
            fall,
            rise,
            reentry,
            retry,
            connects,
        },
    );
    check.boxed()
}
