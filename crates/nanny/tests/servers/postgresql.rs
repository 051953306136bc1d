//! PostgreSQL.

use super::host::{Host, Port, RIGHT, Server, WRONG, wait_until};

const PACKAGE: &str = "postgresql";
/// Who logs in, and how the server keeps the password.
const USERS: [(&str, &str); 2] = [("anna", "scram-sha-256"), ("old", "md5")];

fn start(host: &Host, port: u16) -> Server {
    let (certificate, key) = host.certificate();
    let data = host.folder("data");
    let make = ["-D", &data, "-U", "chief", "-A", "trust", "--no-sync", "--no-locale"];
    host.prepare("initdb", PACKAGE, &make, "");
    let mut users = String::new();
    let mut rules = String::new();
    for (name, way) in USERS {
        users.push_str(&format!("SET password_encryption='{way}';\n"));
        users.push_str(&format!("CREATE ROLE {name} LOGIN PASSWORD '{RIGHT}';\n"));
        rules.push_str(&format!("host all {name} 127.0.0.0/8 {way}\n"));
    }
    host.prepare("postgres", PACKAGE, &["--single", "-D", &data, "postgres"], &users);
    host.write("data/pg_hba.conf", &rules);
    let settings = format!(
        "listen_addresses = '{address}'\nport = {port}\nunix_socket_directories = ''\n\
         fsync = off\nssl = on\nssl_cert_file = '{certificate}'\nssl_key_file = '{key}'\n",
        address = host.address,
    );
    let settings = format!("config_file={}", host.write("data/postgresql.conf", &settings));
    let arguments = ["-D", &data, "-c", &settings];
    let server = host.start("postgres", PACKAGE, &arguments, &[Port::Tcp(port)]);
    // It listens before it is ready, and says so.
    let target = format!("postgresql://anna@ADDRESS:{port}/postgres");
    wait_until(|| !host.check(&target, RIGHT, &[]).contains("starting up"));
    server
}

#[test]
fn a_database_of_postgresql_takes_the_right_password_alone_and_answers() {
    let host = Host::new();
    let port = host.port();
    let server = start(&host, port);
    let authority = host.path("cert.pem");
    let tls = ["--tls", "--ca-file", authority.as_str()];
    let ask = |name: &str, database: &str, password: &str, more: &[&str]| {
        host.check(&format!("postgresql://{name}@ADDRESS:{port}/{database}"), password, more)
    };
    for (name, _) in USERS {
        for way in [[].as_slice(), &tls] {
            assert_eq!(ask(name, "postgres", RIGHT, way), "up: login taken", "{name}");
            let refused = "down: login refused: \"password authentication failed for user";
            let wanted = format!("{refused} \\\"{name}\\\"\"");
            assert_eq!(ask(name, "postgres", WRONG, way), wanted);
        }
    }
    let query = |text| ask("anna", "postgres", RIGHT, &["--query", text]);
    assert_eq!(query("SELECT 1"), "up: login taken, expected answer");
    assert_eq!(query("SELECT 1 WHERE false"), "down: the query gives no row");
    let none = query("SELECT amount FROM nothing");
    assert_eq!(none, "down: query refused: \"relation \\\"nothing\\\" does not exist\"");
    let other = ask("anna", "other", RIGHT, &[]);
    assert_eq!(other, "down: login refused: \"database \\\"other\\\" does not exist\"");
    server.stop();
    assert_eq!(ask("anna", "postgres", RIGHT, &[]), "down: connection refused");
}
