//! Every key of the native format.

use super::form;
use super::key::{Default, Default::Otherwise, Default::Required, Default::Value, Key, Kind};

const SECOND: u64 = 1000;
const HOUR: u64 = 3600 * SECOND;
const DAY: u64 = 24 * HOUR;

const fn key(path: &'static str, kind: Kind, default: Default, doc: &'static str) -> Key {
    Key { path, kind, default, doc }
}

const fn time(min: u64, max: u64) -> Kind {
    Kind::Duration { min, max }
}

const fn count(min: u64, max: u64, unit: &'static str) -> Kind {
    Kind::Integer { min, max, unit }
}

const SHARE: Kind = Kind::Form(&form::SHARE);
const TEXT: Kind = Kind::Text("text");
const NAME: Kind = Kind::Text("a name");
const FILE: Kind = Kind::Text("a file");
const FILES: Kind = Kind::Text("a file, or a pattern with *, ? or []");
const KEY_FILE: Kind = Kind::Text("a file, relative to the configuration's folder");
const INTERFACE: Kind = Kind::Form(&form::INTERFACE);
const ADDRESSES: Kind = Kind::List(&Kind::Address);
const REQUEST_PATH: Kind = Kind::Form(&form::REQUEST_PATH);
const STATUS: Kind = Kind::List(&Kind::Form(&form::STATUS));
const DIGEST: Kind = Kind::Form(&form::DIGEST);
const PLACE: Kind = Kind::Form(&form::PLACE);
const MAIL_ADDRESS: Kind = Kind::Form(&form::MAIL_ADDRESS);
const PORT: Kind = count(1, 65_535, "");
const WEIGHT: Kind = count(0, 2_147_483_647, "");
const CONNECTIONS: Kind = count(0, 4_294_967_295, "connections");
const FORWARD: Kind = Kind::Choice(&["direct", "nat", "tunnel"]);
const ON_STOP: Kind = Kind::Choice(&["keep", "remove"]);
const SWITCH: Kind = Kind::Choice(&["on", "off", "keep"]);
const CHECK: &str = "services.*.check";
const EXPECT: &str = "services.*.check.tcp.expect";
const METHOD: Kind = Kind::Choice(&["GET", "HEAD", "POST", "OPTIONS"]);
const TUNNEL_TYPE: Kind = Kind::Choice(&["ipip", "gue", "gre"]);
const PERSISTENCE_TIME: Kind = time(SECOND, 31 * DAY);
const ARGV: Kind = Kind::List(&Kind::Text("a program and its arguments, no shell"));
const PLAIN_CHECK: Kind = Kind::Choice(&["on", "off", "connect", "ping", "data-path"]);
const METHOD_DOC: &str = "Method of the request.";
const PATH_DOC: &str = "Path of the request, with its query.";
const HOST_DOC: &str = "Host header, and the name in the TLS handshake.";
const STATUS_DOC: &str = "Status codes that are good, as 200 or 200-299.";
const BODY_DOC: &str = "What the body must hold.";
const DIGEST_DOC: &str = "The MD5 that the body must have, as md5sum and keepalived's genhash write it. Every byte counts; a body above 16 MiB is not hashed, and fails.";
const SEND_DOC: &str = "What is sent after connecting; \\r \\n \\t \\0 \\xHH \\\\ are understood.";
const VERIFY_DOC: &str =
    "The certificate must be valid for the name and signed by a known authority.";
const CA_DOC: &str = "Authorities that may have signed the certificate, in PEM.";
const LOGIN_DOC: &str = "Who logs in.";
const PASSWORD_DOC: &str = "Holds the password, alone on one line; only root may be able to read it. It is read with the configuration, and again when it changes.";
const REDIRECTS_DOC: &str = "A redirect is followed up to so many times, for GET and HEAD: on the same real server, and only to the host that is asked for, or to the first one that is named where `host` is not given. HTTPS after HTTP takes any certificate.";
const DATABASE_DOC: &str = "Database that is asked.";
const QUERY_DOC: &str = "A query that has to give a row.";
const TLS_DOC: &str = "TLS from the first byte on.";
const TLS_NAME_DOC: &str = "Name in the TLS handshake and the certificate.";
const ANSWER_DOC: &str = "What must come back; text is looked for anywhere, * is anything at all.";

/// Every key, in the order of the manual.
#[rustfmt::skip]
pub(super) static KEYS: &[Key] = &[
    key("include", Kind::List(&FILES), Otherwise("none"), "Further files, relative to this one's folder: names, or patterns as conf.d/*.yaml, which may stand for none. Each may hold every key of the top but this one; routers, groups and services add up, any other key stands in one file alone."),

    key("routers", Kind::Map, Otherwise("none: a single director, lvsd alone"), "The two routers, by the name that `uname -n` prints on each. On a tie the first one wins."),
    key("routers.*", Kind::MapOrNothing, Required, "One of the two routers."),
    key("routers.*.paths", ADDRESSES, Otherwise("none: only broadcast and multicast paths"), "This router's own address on each network that both share; the n-th addresses of the two face each other."),
    key("routers.*.fence", ARGV, Otherwise("fence.run"), "Switches this router off; the partner runs it. %r is this router's name, %R the partner's."),

    key("heartbeat", Kind::Map, Otherwise("every key at its default"), "How the routers hear of each other."),
    key("heartbeat.interval", time(10, 60 * SECOND), Value("200ms"), "Time between heartbeats."),
    key("heartbeat.dead_after", time(20, HOUR), Otherwise("three times the interval"), "Silence on every path after which the partner is lost."),
    key("heartbeat.warn_after", time(10, HOUR), Otherwise("no warning"), "Silence after which a warning is logged."),
    key("heartbeat.listen_first", time(0, HOUR), Otherwise("twice dead_after"), "How long a starting router listens before it may act."),
    key("heartbeat.port", PORT, Value("539"), "UDP port of the heartbeats."),
    key("heartbeat.key_file", KEY_FILE, Otherwise("heartbeat.key beside the configuration"), "The keys of the heartbeats, as `lvsctl keygen` writes them; the same on both routers."),
    key("heartbeat.authkeys", KEY_FILE, Otherwise("none"), "heartbeat's authkeys file instead of a key file."),
    key("heartbeat.witness", ADDRESSES, Otherwise("none"), "Hosts that are pinged when all paths are silent: the router that reaches one may act."),
    key("heartbeat.yield_on_fewer_witnesses", Kind::Boolean, Value("false"), "The witnesses are pinged all the time, and a router that reaches fewer of them than its partner hands its groups over. Fourteen of them count at most."),
    key("heartbeat.unicast", Kind::List(&Kind::Map), Otherwise("none"), "Further paths: each router sends to those of these addresses that are not its own."),
    key("heartbeat.unicast[].interface", INTERFACE, Required, "Interface of the path."),
    key("heartbeat.unicast[].peers", ADDRESSES, Required, "The addresses of one or both routers on that path."),
    key("heartbeat.broadcast", Kind::List(&INTERFACE), Otherwise("none"), "Further paths: the broadcast address of each of these interfaces."),
    key("heartbeat.multicast", Kind::List(&Kind::Map), Otherwise("none"), "Further paths: multicast groups."),
    key("heartbeat.multicast[].interface", INTERFACE, Required, "Interface of the path."),
    key("heartbeat.multicast[].group", Kind::Address, Required, "Multicast group of the path."),
    key("heartbeat.multicast[].port", PORT, Otherwise("heartbeat.port"), "UDP port of the path."),
    key("heartbeat.multicast[].ttl", count(1, 255, "hops"), Value("1"), "Time to live of the packets."),

    key("fence", Kind::Map, Otherwise("groups of a silent partner are taken without"), "A silent partner is switched off before its groups are taken."),
    key("fence.run", ARGV, Otherwise("the `fence` of each router"), "Switches a router off, and ends with status 0 once it is off. %r is its name, %R that of the router that runs it."),
    key("fence.timeout", time(100, HOUR), Value("60s"), "The program is killed after this long, which is a failure."),
    key("fence.on_failure", Kind::Choice(&["wait", "take_over"]), Value("wait"), "What comes of a failure: wait takes nothing and tries again each 5s, until it succeeds or `lvsctl takeover --force` says that the partner is off; take_over takes the groups all the same."),
    key("fence.delay", time(0, HOUR), Value("5s"), "Where both routers may switch each other off, the second one waits for this long."),
    key("fence.user", Kind::Text("a user of the host"), Otherwise("caribe-fence, or nobody on a host without it"), "The program runs as this user."),

    key("groups", Kind::Map, Otherwise("none"), "Floating addresses that move together, by a name of your choice, in the order of taking over."),
    key("groups.*", Kind::Map, Otherwise("none"), "A group of floating addresses."),
    key("groups.*.preferred", Kind::Text("a router's name"), Otherwise("none: it stays where it is"), "The router that should hold the group when both are well."),
    key("groups.*.failback", Kind::Choice(&["manual", "automatic"]), Value("manual"), "Whether the group returns by itself to the preferred router once that is well."),
    key("groups.*.failback_delay", time(0, DAY), Value("10s"), "How long the preferred router must have been well before an automatic failback."),
    key("groups.*.addresses", Kind::List(&Kind::OrMap(&Kind::Form(&form::ADDRESS_WITH_PREFIX))), Otherwise("none"), "The floating addresses."),
    key("groups.*.addresses[].ip", Kind::Form(&form::ADDRESS_WITH_PREFIX), Required, "The floating address."),
    key("groups.*.addresses[].interface", INTERFACE, Otherwise("the one whose network holds the address"), "Interface that carries the address."),
    key("groups.*.addresses[].label", Kind::Text("a label as eth0:1"), Otherwise("none"), "Label of the address, as ifconfig shows it."),
    key("groups.*.addresses[].broadcast", Kind::Form(&form::IPV4_ADDRESS), Otherwise("that of the network"), "Broadcast address (IPv4)."),
    key("groups.*.hooks", Kind::List(&Kind::Map), Otherwise("none"), "Programs run in this order on taking over, in reverse on standing down."),
    key("groups.*.hooks[].name", TEXT, Otherwise("the program's name"), "Name in the log."),
    key("groups.*.hooks[].start", ARGV, Otherwise("nothing is run"), "Program and arguments on taking over."),
    key("groups.*.hooks[].stop", ARGV, Otherwise("nothing is run"), "Program and arguments on standing down."),
    key("groups.*.hooks[].status", ARGV, Otherwise("it is started always"), "Says whether it runs already: `running` or `OK` in its output, and not `not running`. Then it is not started."),
    key("groups.*.hooks[].timeout", time(100, HOUR), Value("30s"), "The program is killed after this long."),
    key("groups.*.hooks[].order", Kind::Choice(&["before_addresses", "after_addresses"]), Value("after_addresses"), "Whether it runs before the addresses are taken or after."),

    key("services", Kind::Map, Otherwise("none"), "The virtual servers, by a name of your choice."),
    key("services.*", Kind::Map, Otherwise("none"), "A virtual server."),
    key("services.*.listen", Kind::List(&Kind::Form(&form::PORTS)), Otherwise("mark"), "What the virtual server takes; port 0 is every port and needs persistence. With a mark, or with a range, all of it is one service in the kernel."),
    key("services.*.mark", Kind::Form(&form::MARK), Otherwise("none; auto where listen has a range"), "With listen: all of that is one service by a firewall mark, which lvsd sets itself (auto: it chooses the number). Without: takes the packets that somebody else's netfilter rules gave this mark."),
    key("services.*.family", Kind::Choice(&["inet", "inet6"]), Value("inet"), "Family of the marked packets: inet is IPv4, inet6 is IPv6."),
    key("services.*.scheduler", Kind::Form(&form::SCHEDULER), Value("wlc"), "How a real server is chosen for a new connection."),
    key("services.*.scheduler_flags", Kind::List(&Kind::Choice(&["fallback", "port", "third"])), Otherwise("none"), "Options of sh and mh: fallback takes another server when the chosen one is out, port hashes the client's port too."),
    key("services.*.forward", FORWARD, Value("direct"), "How packets reach the real servers: direct routing, nat or tunnel."),
    key("services.*.tunnel", Kind::OrMap(&TUNNEL_TYPE), Value("ipip"), "The wrapping of tunnelled packets."),
    key("services.*.tunnel.type", TUNNEL_TYPE, Required, "The wrapping."),
    key("services.*.tunnel.port", PORT, Otherwise("none; gue needs it"), "UDP port of the real server's decapsulator, with gue."),
    key("services.*.tunnel.checksum", Kind::Choice(&["none", "full", "remote"]), Value("none"), "Outer checksum, with gue and gre; remote is for gue alone."),
    key("services.*.persistence", Kind::OrMap(&PERSISTENCE_TIME), Otherwise("none"), "Keeps a client with its real server for this long after its last connection."),
    key("services.*.persistence.timeout", PERSISTENCE_TIME, Required, "How long, in whole seconds."),
    key("services.*.persistence.prefix", count(1, 128, "bits"), Otherwise("32 for IPv4, 128 for IPv6"), "Clients that share this many leading bits count as one."),
    key("services.*.persistence.engine", Kind::Text("sip"), Otherwise("none: by address"), "Persistence engine of the kernel."),
    key("services.*.one_packet", Kind::Boolean, Value("false"), "Schedules every UDP packet anew."),
    key("services.*.check", Kind::Several(&Kind::OrMap(&PLAIN_CHECK)), Otherwise("connect with TCP, else ping"), "How the real servers are checked. Of a list, a real server has to pass every check."),
    key("services.*.check.type", PLAIN_CHECK, Otherwise("connect with TCP, else ping"), "A check without settings of its own: always up, always down, a TCP connection, an ICMP echo; data-path asks through the real server's way of forwarding whether it answers for the virtual server's address, which direct routing and tunnels need."),
    key("services.*.check.tcp", Kind::MapOrNothing, Otherwise("not checked so"), "Text is sent and an answer expected, over TCP."),
    key("services.*.check.tcp.send", TEXT, Otherwise("nothing is sent"), SEND_DOC),
    key("services.*.check.tcp.expect", Kind::OrMap(&Kind::Text("text, or *")), Otherwise("the connection is enough"), ANSWER_DOC),
    key("services.*.check.tcp.expect.prefix", TEXT, Otherwise("one of the three is given"), "The answer begins with this; \\r \\n \\t \\0 \\xHH \\\\ are understood."),
    key("services.*.check.tcp.expect.contains", TEXT, Otherwise("one of the three is given"), "The answer holds this, as the text alone says; here * is a star."),
    key("services.*.check.tcp.expect.regex", TEXT, Otherwise("one of the three is given"), "This regular expression matches somewhere in the answer."),
    key("services.*.check.udp", Kind::MapOrNothing, Otherwise("not checked so"), "Text is sent and an answer expected, over UDP."),
    key("services.*.check.udp.send", TEXT, Otherwise("an empty packet is sent"), SEND_DOC),
    key("services.*.check.udp.expect", Kind::As(EXPECT), Otherwise("no refusal is enough"), ANSWER_DOC),
    key("services.*.check.http", Kind::MapOrNothing, Otherwise("not checked so"), "An HTTP request is answered well."),
    key("services.*.check.http.method", METHOD, Value("GET"), METHOD_DOC),
    key("services.*.check.http.path", REQUEST_PATH, Value("/"), PATH_DOC),
    key("services.*.check.http.host", NAME, Otherwise("the real server's address"), HOST_DOC),
    key("services.*.check.http.status", STATUS, Otherwise("200-299"), STATUS_DOC),
    key("services.*.check.http.follow_redirects", count(0, 20, "redirects"), Value("0"), REDIRECTS_DOC),
    key("services.*.check.http.expect", Kind::As(EXPECT), Otherwise("any body"), BODY_DOC),
    key("services.*.check.http.digest", DIGEST, Otherwise("any body"), DIGEST_DOC),
    key("services.*.check.https", Kind::MapOrNothing, Otherwise("not checked so"), "An HTTPS request is answered well."),
    key("services.*.check.https.method", METHOD, Value("GET"), METHOD_DOC),
    key("services.*.check.https.path", REQUEST_PATH, Value("/"), PATH_DOC),
    key("services.*.check.https.host", NAME, Otherwise("the real server's address"), HOST_DOC),
    key("services.*.check.https.status", STATUS, Otherwise("200-299"), STATUS_DOC),
    key("services.*.check.https.follow_redirects", count(0, 20, "redirects"), Value("0"), REDIRECTS_DOC),
    key("services.*.check.https.expect", Kind::As(EXPECT), Otherwise("any body"), BODY_DOC),
    key("services.*.check.https.digest", DIGEST, Otherwise("any body"), DIGEST_DOC),
    key("services.*.check.https.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.https.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.https.name", NAME, Otherwise("host"), "Name in the TLS handshake and the certificate, when it is not that of the Host header."),
    key("services.*.check.dialogue", Kind::MapOrNothing, Otherwise("not checked so"), "Several texts are sent and answers expected in turns, over one TCP connection."),
    key("services.*.check.dialogue.steps", Kind::List(&Kind::Map), Required, "The turns."),
    key("services.*.check.dialogue.steps[].send", TEXT, Otherwise("the server speaks first"), SEND_DOC),
    key("services.*.check.dialogue.steps[].expect", Kind::As(EXPECT), Otherwise("the next turn begins at once"), ANSWER_DOC),
    key("services.*.check.dialogue.tls", Kind::Boolean, Value("false"), TLS_DOC),
    key("services.*.check.dialogue.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.dialogue.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.dialogue.name", NAME, Otherwise("the real server's address"), TLS_NAME_DOC),
    key("services.*.check.dns", Kind::MapOrNothing, Otherwise("not checked so"), "A name server answers a question."),
    key("services.*.check.dns.name", NAME, Required, "The name that is asked for; of an address the name is asked for."),
    key("services.*.check.dns.tcp", Kind::Boolean, Value("false"), "The question goes over TCP."),
    key("services.*.check.dns.expect", Kind::As(EXPECT), Otherwise("any answer"), "What the text of one of the answers must hold: an address or a name."),
    key("services.*.check.pop", Kind::Map, Otherwise("not checked so"), "A mailbox takes a login, over POP3."),
    key("services.*.check.pop.login", NAME, Required, LOGIN_DOC),
    key("services.*.check.pop.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.pop.tls", Kind::Boolean, Value("false"), TLS_DOC),
    key("services.*.check.pop.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.pop.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.pop.name", NAME, Otherwise("the real server's address"), TLS_NAME_DOC),
    key("services.*.check.imap", Kind::Map, Otherwise("not checked so"), "A mailbox takes a login, over IMAP."),
    key("services.*.check.imap.login", NAME, Required, LOGIN_DOC),
    key("services.*.check.imap.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.imap.tls", Kind::Boolean, Value("false"), TLS_DOC),
    key("services.*.check.imap.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.imap.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.imap.name", NAME, Otherwise("the real server's address"), TLS_NAME_DOC),
    key("services.*.check.ftp", Kind::MapOrNothing, Otherwise("not checked so"), "A server of files takes a login, and has a file."),
    key("services.*.check.ftp.login", NAME, Otherwise("anonymous"), LOGIN_DOC),
    key("services.*.check.ftp.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.ftp.path", TEXT, Otherwise("the login is enough"), "The file that is fetched."),
    key("services.*.check.ftp.expect", Kind::As(EXPECT), Otherwise("that the file is there is enough"), "What the file must hold, within its first 4 MiB."),
    key("services.*.check.ldap", Kind::MapOrNothing, Otherwise("not checked so"), "A directory takes a login, and has an entry."),
    key("services.*.check.ldap.login", NAME, Otherwise("anonymous"), LOGIN_DOC),
    key("services.*.check.ldap.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.ldap.base", TEXT, Otherwise("the directory's own entry"), "The entry that has to be there."),
    key("services.*.check.ldap.expect", Kind::As(EXPECT), Otherwise("that the entry is there is enough"), "What the name of the entry must hold."),
    key("services.*.check.ldap.tls", Kind::Boolean, Value("false"), TLS_DOC),
    key("services.*.check.ldap.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.ldap.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.ldap.name", NAME, Otherwise("the real server's address"), TLS_NAME_DOC),
    key("services.*.check.radius", Kind::Map, Otherwise("not checked so"), "A RADIUS server accepts a login."),
    key("services.*.check.radius.login", NAME, Required, LOGIN_DOC),
    key("services.*.check.radius.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.radius.secret_file", KEY_FILE, Required, "Holds what this router and the server share, as password_file its password."),
    key("services.*.check.mysql", Kind::Map, Otherwise("not checked so"), "A database of MySQL or MariaDB takes a login, and answers a query."),
    key("services.*.check.mysql.login", NAME, Required, LOGIN_DOC),
    key("services.*.check.mysql.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.mysql.database", NAME, Otherwise("none"), DATABASE_DOC),
    key("services.*.check.mysql.query", TEXT, Otherwise("the login is enough"), QUERY_DOC),
    key("services.*.check.mysql.tls", Kind::Boolean, Value("false"), "TLS before the login. Without it, TLS is begun only where the login needs it and the server offers it, and no certificate is verified then."),
    key("services.*.check.mysql.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.mysql.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.mysql.name", NAME, Otherwise("the real server's address"), TLS_NAME_DOC),
    key("services.*.check.postgresql", Kind::Map, Otherwise("not checked so"), "A database of PostgreSQL takes a login, and answers a query."),
    key("services.*.check.postgresql.login", NAME, Required, LOGIN_DOC),
    key("services.*.check.postgresql.password_file", KEY_FILE, Otherwise("the password is empty"), PASSWORD_DOC),
    key("services.*.check.postgresql.database", NAME, Otherwise("that of the name of login"), DATABASE_DOC),
    key("services.*.check.postgresql.query", TEXT, Otherwise("the login is enough"), QUERY_DOC),
    key("services.*.check.postgresql.tls", Kind::Boolean, Value("false"), "TLS before the login."),
    key("services.*.check.postgresql.verify", Kind::Boolean, Value("true"), VERIFY_DOC),
    key("services.*.check.postgresql.ca_file", FILE, Otherwise("the system's authorities"), CA_DOC),
    key("services.*.check.postgresql.name", NAME, Otherwise("the real server's address"), TLS_NAME_DOC),
    key("services.*.check.external", Kind::OrMap(&ARGV), Otherwise("not checked so"), "A program ends with status 0; %h %p are the real server's address and port, %H %P the virtual server's."),
    key("services.*.check.external.argv", ARGV, Required, "Program and arguments."),
    key("services.*.check.external.expect", Kind::As(EXPECT), Otherwise("any output"), "What the program's output must hold."),
    key("services.*.check.external.sets_weight", Kind::Boolean, Value("false"), "A status from 2 to 255 is good too, and 2 more than the weight that the program asks for: 12 asks for 10, 0 for the configured weight. Of several such checks the differences from the configured weight add up. An operator's weight goes before it."),
    key("services.*.check.port", PORT, Otherwise("the real server's"), "Port that is asked."),
    key("services.*.check.interval", time(100, DAY), Value("5s"), "Time between the starts of two checks."),
    key("services.*.check.timeout", time(10, HOUR), Value("3s"), "Limit for one whole check."),
    key("services.*.check.fall", count(1, 1000, "failures"), Value("3"), "Failures in a row that take a real server out."),
    key("services.*.check.rise", count(1, 1000, "successes"), Value("2"), "Successes in a row that bring it back."),
    key("services.*.check.reentry", time(0, DAY), Value("0s"), "How long a returning real server must also have been well."),
    key("services.*.check.retry", time(10, DAY), Otherwise("the interval"), "After a failure that has not yet taken the real server out it is asked again after this."),
    key("services.*.check.connects", count(0, 1000, "checks"), Value("0"), "So many checks in a row only open a connection, then one asks everything; after a failure everything is asked."),
    key("services.*.on_failure", Kind::Choice(&["remove", "quiesce"]), Value("remove"), "A real server that fails leaves the table, or stays with weight 0 so that open connections go on."),
    key("services.*.put_back", Kind::Boolean, Value("true"), "With on_failure: quiesce: a failed real server that somebody removes from the table is put back with weight 0; false leaves it out until it is up again, so that no client is kept at it."),
    key("services.*.slow_start", time(SECOND, HOUR), Otherwise("its whole weight at once"), "A real server that failed and returns gets its weight in up to sixteen steps over this time, beginning with a seventeenth of it, and at least 1."),
    key("services.*.max_down", SHARE, Otherwise("max_down at the top of the file"), "At most this share of the real servers is taken out by checks; as max_down at the top of the file."),
    key("services.*.quorum", count(1, 4_294_967_295, "weight"), Value("1"), "The sorry server takes the traffic while the weights of the real servers that are up add up to less than this."),
    key("services.*.hysteresis", count(0, 4_294_967_295, "weight"), Value("0"), "The sum has to fall by so much below the quorum before that happens, and to rise by so much above it before it ends."),
    key("services.*.load", Kind::Map, Otherwise("weights stay as configured"), "Weights follow the load: a load of 1 leaves the configured weight, an idle server gets up to half as much again, a busy one down to a tenth. Smoothed; small changes are skipped; while the load is not known the configured weight counts."),
    key("services.*.load.run", ARGV, Required, "Prints the load of a real server: the first number behind the word load, or a number alone. %h %p are the real server's address and port, %H %P the virtual server's."),
    key("services.*.load.interval", time(SECOND, HOUR), Value("20s"), "Time between the starts of two runs."),
    key("services.*.load.timeout", time(100, HOUR), Value("5s"), "The program is killed after this long."),
    key("services.*.notify", Kind::Map, Otherwise("the log alone"), "Who is told of changes, beside the log."),
    key("services.*.notify.empty", ARGV, Otherwise("nothing is run"), "Run by the active router when no real server is up any more, or less than the quorum."),
    key("services.*.notify.filled", ARGV, Otherwise("nothing is run"), "Run by the active router when a real server, or the quorum, is up again."),
    key("services.*.notify.mail", Kind::Map, Otherwise("no mail"), "A mail about each real server that goes or returns, from the active router."),
    key("services.*.notify.mail.to", Kind::List(&MAIL_ADDRESS), Required, "Who gets it."),
    key("services.*.notify.mail.from", MAIL_ADDRESS, Otherwise("the user that lvsd runs as"), "Who it comes from."),
    key("services.*.notify.mail.server", Kind::Text("HOST or HOST:PORT"), Otherwise("port 25 of this host; if nobody listens there, its sendmail, where lvsd may run that"), "The mail server that it is handed to."),
    key("services.*.notify.mail.repeat", time(SECOND, 31 * DAY), Otherwise("never"), "It is sent again after this long while the real server stays down."),
    key("services.*.notify.results", Kind::Form(&form::FULL_PATH), Otherwise("no file"), "Each result of a check is a line at the end of this file. SIGUSR1 opens it anew, after it was rotated."),
    key("services.*.servers", Kind::List(&Kind::OrMap(&PLACE)), Otherwise("none"), "The real servers."),
    key("services.*.servers[].address", PLACE, Required, "Where the real server is."),
    key("services.*.servers[].name", TEXT, Otherwise("its address"), "Its name in logs and commands."),
    key("services.*.servers[].weight", WEIGHT, Value("1"), "Its share of the connections; 0 takes no new ones."),
    key("services.*.servers[].forward", FORWARD, Otherwise("the virtual server's"), "How packets reach this real server."),
    key("services.*.servers[].tunnel", Kind::As("services.*.tunnel"), Otherwise("the virtual server's"), "The wrapping of packets to this real server."),
    key("services.*.servers[].upper_threshold", CONNECTIONS, Value("0"), "No new connections above this many; 0 is no limit."),
    key("services.*.servers[].lower_threshold", CONNECTIONS, Value("0"), "New connections again below this many; 0 is three quarters of the upper one."),
    key("services.*.servers[].check", Kind::As(CHECK), Otherwise("the virtual server's"), "Its own check."),
    key("services.*.servers[].notify", Kind::Map, Otherwise("the log alone"), "Programs of the active router for this real server alone."),
    key("services.*.servers[].notify.up", ARGV, Otherwise("nothing is run"), "Run when it is up again."),
    key("services.*.servers[].notify.down", ARGV, Otherwise("nothing is run"), "Run when it is down."),
    key("services.*.sorry", Kind::OrMap(&PLACE), Otherwise("none"), "Takes the traffic while no real server is up; it is not checked."),
    key("services.*.sorry.address", PLACE, Required, "Where the sorry server is."),
    key("services.*.sorry.forward", FORWARD, Otherwise("the virtual server's"), "How packets reach the sorry server."),
    key("services.*.on_stop", ON_STOP, Otherwise("on_stop at the top of the file"), "What happens to this virtual server when lvsd stops in order."),

    key("kernel", Kind::Map, Otherwise("as the kernel has it"), "The kernel's IPVS settings."),
    key("kernel.tcp_timeout", time(SECOND, 31 * DAY), Otherwise("as the kernel has it"), "Idle time after which a TCP connection is forgotten, in whole seconds."),
    key("kernel.tcp_fin_timeout", time(SECOND, 31 * DAY), Otherwise("as the kernel has it"), "The same after a FIN."),
    key("kernel.udp_timeout", time(SECOND, 31 * DAY), Otherwise("as the kernel has it"), "Idle time after which a UDP flow is forgotten."),
    key("kernel.expire_nodest_conn", SWITCH, Value("on"), "A connection whose real server is gone from the table ends at its next packet, so that a UDP client gets another server. keep leaves the kernel's setting alone, here and below."),
    key("kernel.expire_quiescent_template", SWITCH, Value("on"), "A client that persistence keeps at a real server of weight 0 gets another one."),
    key("kernel.conn_reuse_mode", count(0, 3, ""), Otherwise("as the kernel has it"), "What becomes of a connection whose client uses a port again: 0 stays with its real server, even one of weight 0; 1 gets a new one."),
    key("kernel.ip_forward", SWITCH, Otherwise("on while a virtual server forwards by NAT, else as it is"), "Packets pass through this host."),
    key("kernel.send_redirects", SWITCH, Otherwise("off while a virtual server forwards by NAT, else as it is"), "This host tells its neighbours of shorter ways, which would lead around NAT."),
    key("kernel.sync", Kind::Map, Otherwise("connections are not copied"), "Copying of connections to the partner, so that a takeover keeps them."),
    key("kernel.sync.interface", INTERFACE, Required, "Interface that the copies go over."),
    key("kernel.sync.id", count(0, 255, ""), Value("0"), "Identity on that wire; the same on both routers."),
    key("kernel.sync.group", Kind::Address, Otherwise("224.0.0.81, the kernel's"), "Multicast group."),
    key("kernel.sync.port", PORT, Otherwise("8848, the kernel's"), "UDP port."),
    key("kernel.sync.ttl", count(1, 255, "hops"), Otherwise("1, the kernel's"), "Time to live of the packets."),
    key("kernel.sync.max_length", count(1, 65_507, "bytes"), Otherwise("that of the interface"), "Largest packet."),

    key("max_down", SHARE, Value("50%"), "At most this share of a virtual server's real servers is taken out by checks, with an alarm: the others that fail stay as they were, the latest to fail first. When none is up and there is a sorry server, that one serves. 100% lets all of them leave."),
    key("max_removed", SHARE, Value("50%"), "A new configuration that would remove more than this share of the virtual servers or of the floating addresses, or leave none, waits for `lvsctl apply --confirm`. What counts is the share in force before the edit."),
    key("maintenance", Kind::Form(&form::FULL_PATH), Otherwise("none"), "A file in this folder that is named as a real server (ADDRESS, ADDRESS:PORT or its name, also the one that the reverse lookup gives) takes that one out for as long as it is there."),
    key("log_file", Kind::Form(&form::FULL_PATH), Otherwise("standard error alone"), "pulse and lvsd write their log to the end of this file, too, unless --log-file names another one. SIGUSR1 opens it anew, after it was rotated."),
    key("on_edit", ARGV, Otherwise("nothing is run"), "Run after an edit of the file, with its path as one more argument, whether the edit was taken or refused."),
    key("autoreload", Kind::Boolean, Value("true"), "Reload by itself when the file changes."),
    key("on_stop", ON_STOP, Value("keep"), "What happens to the table when lvsd stops in order; a crash never touches it."),
];
