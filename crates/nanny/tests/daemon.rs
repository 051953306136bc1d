//! The real nanny, started as lvsd starts it.

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::Arc;
    use std::time::Duration;

    use config::model::{Check, CheckKind, Expect, HttpCheck, Tls};
    use control::PROTOCOL_VERSION;
    use control::nanny::{Follow, FromNanny, ToNanny, Verdict, Watch, WatchId};
    use runtime::child::{Child, ChildSpec};
    use runtime::lines::JsonLines;
    use tokio::net::TcpListener;

    /// Long enough never to matter on a busy machine.
    const PLENTY: Duration = Duration::from_secs(20);

    struct Nanny {
        child: Child,
        lines: JsonLines<FromNanny, ToNanny>,
    }

    impl Nanny {
        async fn start() -> Self {
            Self::start_with(&[]).await
        }

        async fn start_with(arguments: &[&str]) -> Self {
            let spec = ChildSpec {
                program: env!("CARGO_BIN_EXE_nanny").into(),
                arguments: arguments.iter().map(Into::into).collect(),
                run_as: None,
                errors: None,
            };
            let (child, stream) = spec.spawn().unwrap();
            let sockets = icmp_sockets();
            let borrowed: Vec<_> = sockets.iter().map(std::os::fd::AsFd::as_fd).collect();
            runtime::fdpass::send_first(&stream, &borrowed).unwrap();
            let mut nanny = Self { child, lines: JsonLines::new(stream) };
            nanny.say(ToNanny::Hello { version: PROTOCOL_VERSION }).await;
            assert_eq!(nanny.hear().await, FromNanny::Hello { version: PROTOCOL_VERSION });
            nanny
        }

        async fn say(&mut self, message: ToNanny) {
            self.lines.send(&message).await.unwrap();
        }

        async fn watch(&mut self, id: u64, server: SocketAddr, kind: CheckKind, verdict: Verdict) {
            let check = Check {
                kind,
                port: None,
                interval: Duration::from_millis(50),
                timeout: Duration::from_secs(5),
                fall: 3,
                rise: 2,
                reentry: Duration::ZERO,
                retry: None,
                connects: 0,
            };
            let watch = Watch {
                id: WatchId(id),
                server,
                virtual_server: None,
                check,
                verdict,
                follow: Follow::No,
            };
            self.say(ToNanny::Watch(Box::new(watch))).await;
        }

        async fn hear(&mut self) -> FromNanny {
            tokio::time::timeout(PLENTY, self.lines.next()).await.unwrap().unwrap().unwrap()
        }

        /// The next verdict; counters in between are left out.
        async fn verdict(&mut self) -> (u64, Verdict, String, u32) {
            loop {
                if let FromNanny::Verdict { id, verdict, reason, after, .. } = self.hear().await {
                    return (id.0, verdict, reason, after);
                }
            }
        }
    }

    /// Raw sockets, when this run may open them.
    fn icmp_sockets() -> Vec<socket2::Socket> {
        use socket2::{Domain, Protocol, Socket, Type};
        [(Domain::IPV4, Protocol::ICMPV4), (Domain::IPV6, Protocol::ICMPV6)]
            .into_iter()
            .filter_map(|(domain, protocol)| Socket::new(domain, Type::RAW, Some(protocol)).ok())
            .collect()
    }

    async fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    #[tokio::test]
    async fn a_server_comes_leaves_and_returns() {
        let (up, address) = listener().await;
        let mut nanny = Nanny::start().await;
        nanny.watch(7, address, CheckKind::Connect, Verdict::Unknown).await;
        assert_eq!(nanny.verdict().await, (7, Verdict::Up, "connected".into(), 1));
        drop(up);
        assert_eq!(nanny.verdict().await, (7, Verdict::Down, "connection refused".into(), 3));
        let _up = TcpListener::bind(address).await.unwrap();
        assert_eq!(nanny.verdict().await, (7, Verdict::Up, "connected".into(), 2));
    }

    #[tokio::test]
    async fn a_known_verdict_is_said_once_more_after_the_first_result() {
        let (_up, address) = listener().await;
        let (gone, closed) = listener().await;
        drop(gone);
        let mut nanny = Nanny::start().await;
        nanny.watch(1, address, CheckKind::Connect, Verdict::Up).await;
        assert_eq!(nanny.verdict().await, (1, Verdict::Up, "connected".into(), 1));
        nanny.watch(2, closed, CheckKind::Connect, Verdict::Up).await;
        // A server that was up stays up until it has failed often enough.
        assert_eq!(nanny.verdict().await, (2, Verdict::Up, "connection refused".into(), 1));
        assert_eq!(nanny.verdict().await, (2, Verdict::Down, "connection refused".into(), 3));
    }

    #[tokio::test]
    async fn a_changed_watch_keeps_its_results_and_verdict() {
        let (_up, address) = listener().await;
        let mut nanny = Nanny::start().await;
        nanny.watch(1, address, CheckKind::Connect, Verdict::Unknown).await;
        assert_eq!(nanny.verdict().await.1, Verdict::Up);
        nanny.watch(1, address, CheckKind::Off, Verdict::Unknown).await;
        assert_eq!(nanny.verdict().await, (1, Verdict::Down, "always down".into(), 3));
        nanny.say(ToNanny::Recall { id: WatchId(1) }).await;
        let results = loop {
            if let FromNanny::Results { id, results } = nanny.hear().await {
                assert_eq!(id, WatchId(1));
                break results;
            }
        };
        assert_eq!(results.first().map(|result| result.reason.as_str()), Some("connected"));
        assert_eq!(results.last().map(|result| result.reason.as_str()), Some("always down"));
        nanny.say(ToNanny::Recall { id: WatchId(99) }).await;
        loop {
            if let FromNanny::Results { id: WatchId(99), results } = nanny.hear().await {
                assert!(results.is_empty());
                break;
            }
        }
    }

    #[tokio::test]
    async fn counters_come_each_second_and_a_watch_that_ended_is_silent() {
        let (_up, address) = listener().await;
        let mut nanny = Nanny::start().await;
        nanny.watch(1, address, CheckKind::Connect, Verdict::Unknown).await;
        nanny.watch(2, address, CheckKind::Off, Verdict::Unknown).await;
        loop {
            if let FromNanny::Counters { passed: 1.., failed: 1.., .. } = nanny.hear().await {
                break;
            }
        }
        nanny.say(ToNanny::Unwatch { id: WatchId(1) }).await;
        nanny.say(ToNanny::Unwatch { id: WatchId(2) }).await;
        // Results that were under way may still come. Then counters go on, without one that counts.
        let mut last = None;
        let mut same = 0;
        while same < 3 {
            let said = nanny.hear().await;
            same = if last.as_ref() == Some(&said) { same + 1 } else { 0 };
            last = Some(said);
        }
        assert!(matches!(last, Some(FromNanny::Counters { .. })), "{last:?}");
    }

    /// As root through the sockets that were passed, else through those that the kernel gives to
    /// the groups of `net.ipv4.ping_group_range`.
    #[tokio::test]
    async fn servers_that_answer_pings_are_up() {
        let mut nanny = Nanny::start().await;
        for (id, address) in [(1, "127.0.0.1:0"), (2, "[::1]:0")] {
            nanny.watch(id, address.parse().unwrap(), CheckKind::Ping, Verdict::Unknown).await;
            assert_eq!(nanny.verdict().await, (id, Verdict::Up, "echo".into(), 1));
        }
    }

    /// Lines of `/proc/PID/status` of every thread.
    fn standing(pid: u32) -> Vec<String> {
        let threads = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
        let texts = threads
            .map(|thread| std::fs::read_to_string(thread.unwrap().path().join("status")).unwrap());
        let kept = ["CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "NoNewPrivs:", "Seccomp:"];
        let texts: String = texts.collect();
        let lines = texts.lines().filter(|line| kept.iter().any(|name| line.starts_with(name)));
        lines.map(|line| line.replace('\t', " ")).collect()
    }

    #[tokio::test]
    async fn no_thread_of_nanny_has_a_capability_or_may_get_one() {
        for arguments in [&[] as &[&str], &["--programs"]] {
            let nanny = Nanny::start_with(arguments).await;
            let lines = standing(nanny.child.pid().unwrap());
            let none = |name| format!("{name}: 0000000000000000");
            let mut wanted = ["CapInh", "CapPrm", "CapEff", "CapAmb"].map(none).to_vec();
            wanted.extend(["NoNewPrivs: 1".to_owned(), "Seccomp: 2".to_owned()]);
            for lines in lines.chunks(wanted.len()) {
                assert_eq!(lines, wanted, "{arguments:?}");
            }
        }
    }

    fn program(words: &[&str], expect: Option<&str>) -> CheckKind {
        CheckKind::External {
            argv: words.iter().map(|word| (*word).to_owned()).collect(),
            expect: expect.map(|text| Expect::Regex(text.to_owned())),
            sets_weight: false,
        }
    }

    #[tokio::test]
    async fn a_nanny_that_talks_to_servers_can_run_no_program() {
        let mut nanny = Nanny::start().await;
        let server = "127.0.0.1:0".parse().unwrap();
        nanny.watch(1, server, program(&["true"], None), Verdict::Up).await;
        let (_, _, reason, _) = nanny.verdict().await;
        assert!(reason.contains("not permitted") || reason.contains("denied"), "{reason}");
    }

    #[tokio::test]
    async fn external_programs_run_without_a_capability_and_cannot_gain_one() {
        let mut nanny = Nanny::start_with(&["--programs"]).await;
        let server = "127.0.0.1:0".parse().unwrap();
        let status = program(
            &["cat", "/proc/self/status"],
            Some("CapPrm:\t0+\nCapEff:\t0+\n(?s).*NoNewPrivs:\t1\nSeccomp:\t2\n"),
        );
        nanny.watch(1, server, status, Verdict::Unknown).await;
        assert_eq!(nanny.verdict().await, (1, Verdict::Up, "expected output".into(), 1));
        let change = program(&["unshare", "--mount", "true"], None);
        nanny.watch(2, server, change, Verdict::Up).await;
        let (_, _, reason, _) = nanny.verdict().await;
        assert!(reason.contains("Operation not permitted"), "{reason}");
    }

    /// A certificate that nobody has signed is known as such only when the system's authorities
    /// could be read.
    #[tokio::test]
    async fn a_confined_nanny_reads_the_systems_authorities() {
        use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], PrivateKeyDer::Pkcs8(key))
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        let (listener, address) = listener().await;
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let acceptor = acceptor.clone();
                tokio::spawn(async move { acceptor.accept(stream).await.is_ok() });
            }
        });
        let tls = Tls { verify: true, ca_file: None, name: Some("localhost".to_owned()) };
        let check = HttpCheck {
            tls: Some(tls),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            host: None,
            status: Vec::new(),
            follow_redirects: 0,
            expect: None,
            digest: None,
        };
        let mut nanny = Nanny::start().await;
        nanny.watch(1, address, CheckKind::Http(check), Verdict::Up).await;
        let (_, _, reason, _) = nanny.verdict().await;
        assert_eq!(reason, "certificate is not signed by a known authority");
    }

    #[tokio::test]
    async fn nanny_ends_when_lvsd_is_gone() {
        let nanny = Nanny::start().await;
        let Nanny { mut child, lines } = nanny;
        drop(lines);
        let status = tokio::time::timeout(PLENTY, child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(0));
    }

    #[tokio::test]
    async fn another_version_ends_nanny_with_the_code_of_a_defect() {
        let mut nanny = Nanny::start().await;
        nanny.say(ToNanny::Hello { version: PROTOCOL_VERSION + 1 }).await;
        let status = tokio::time::timeout(PLENTY, nanny.child.wait()).await.unwrap().unwrap();
        assert_eq!(status.code(), Some(70));
    }
}
