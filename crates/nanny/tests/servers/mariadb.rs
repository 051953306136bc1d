//! MariaDB.

use super::host::{Host, Port, RIGHT, Server, WRONG};

const PACKAGE: &str = "mariadb-server-core";
/// Where the package keeps the tables that a server begins with.
const TABLES: [&str; 2] = ["mysql_system_tables.sql", "mysql_system_tables_data.sql"];

/// What makes the database of a new server.
fn beginning() -> String {
    let mut text = "CREATE DATABASE mysql;\nUSE mysql;\nSET @auth_root_socket=NULL;\n\
                    SET @skip_auth_anonymous=1;\n"
        .to_owned();
    for name in TABLES {
        let path = format!("/usr/share/mysql/{name}");
        let tables = std::fs::read_to_string(&path);
        let tables = tables.unwrap_or_else(|_| panic!("{path}: apt-get install {PACKAGE}"));
        text.push_str(&tables);
    }
    text.push_str(&format!(
        "FLUSH PRIVILEGES;\nCREATE USER anna@'%' IDENTIFIED BY '{RIGHT}';\n\
         CREATE DATABASE shop;\nCREATE TABLE shop.stock (amount INT);\n\
         GRANT SELECT ON shop.* TO anna@'%';\n"
    ));
    text
}

fn start(host: &Host, port: u16) -> Server {
    let (certificate, key) = host.certificate();
    let data = format!("--datadir={}", host.folder("data"));
    let common = ["--no-defaults", &data, "--innodb-log-file-size=4M"];
    let bootstrap = [&common, ["--bootstrap"].as_slice()].concat();
    host.prepare("mariadbd", PACKAGE, &bootstrap, &beginning());
    let more = [
        format!("--bind-address={}", host.address),
        format!("--port={port}"),
        format!("--socket={}", host.path("socket")),
        format!("--pid-file={}", host.path("pid")),
        format!("--ssl-cert={certificate}"),
        format!("--ssl-key={key}"),
        "--skip-name-resolve".to_owned(),
        "--innodb-buffer-pool-size=8M".to_owned(),
    ];
    let arguments: Vec<&str> = common.into_iter().chain(more.iter().map(String::as_str)).collect();
    host.start("mariadbd", PACKAGE, &arguments, &[Port::Tcp(port)])
}

#[test]
fn a_database_of_mariadb_takes_the_right_password_alone_and_answers() {
    let host = Host::new();
    let port = host.port();
    let server = start(&host, port);
    let authority = host.path("cert.pem");
    let tls = ["--tls", "--ca-file", authority.as_str()];
    let ask = |database: &str, password: &str, more: &[&str]| {
        host.check(&format!("mysql://anna@ADDRESS:{port}/{database}"), password, more)
    };
    for way in [[].as_slice(), &tls] {
        assert_eq!(ask("shop", RIGHT, way), "up: login taken");
        let no = ask("shop", WRONG, way);
        assert!(no.starts_with("down: login refused: \"Access denied for user 'anna'@'"), "{no}");
        assert!(no.ends_with("(using password: YES)\""), "{no}");
    }
    let query = |text| ask("shop", RIGHT, &["--query", text]);
    assert_eq!(query("SELECT 1"), "up: login taken, expected answer");
    assert_eq!(query("SELECT amount FROM stock"), "down: the query gives no row");
    let none = query("SELECT amount FROM nothing");
    assert_eq!(none, "down: query refused: \"Table 'shop.nothing' doesn't exist\"");
    let other = ask("other", RIGHT, &[]);
    assert!(other.contains("Access denied for user 'anna'@'%' to database 'other'"), "{other}");
    server.stop();
    assert_eq!(ask("shop", RIGHT, &[]), "down: connection refused");
}
