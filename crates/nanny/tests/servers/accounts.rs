//! FreeRADIUS.

use super::host::{Host, Port, RIGHT, Server, WRONG};

/// What the server and the router share.
const SHARED: &str = "teilen";

fn start(host: &Host, port: u16) -> Server {
    let folder = host.folder("radius");
    let address = host.address;
    let settings = format!(
        "localstatedir = {folder}\nlogdir = {folder}\nrun_dir = {folder}\n\
         libdir = /usr/lib/freeradius\nsecurity {{\n}}\n\
         client router {{\n  ipaddr = 127.0.0.0/8\n  secret = {SHARED}\n  \
         require_message_authenticator = yes\n}}\n\
         modules {{\n  pap {{\n  }}\n}}\n\
         server lab {{\n  listen {{\n    type = auth\n    ipaddr = {address}\n    port = {port}\n  }}\n\
         authorize {{\n  if (&User-Name == \"anna\") {{\n    update control {{\n      \
         &Cleartext-Password := \"{RIGHT}\"\n    }}\n  }}\n  pap\n}}\n\
         authenticate {{\n  pap\n}}\n\
         post-auth {{\n  Post-Auth-Type REJECT {{\n    update reply {{\n      \
         &Reply-Message := \"not %{{User-Name}} with %{{User-Password}}\"\n    }}\n  }}\n}}\n}}\n"
    );
    host.write("radius/radiusd.conf", &settings);
    let arguments = ["-f", "-l", "stdout", "-d", &folder, "-n", "radiusd"];
    host.start("freeradius", "freeradius", &arguments, &[Port::Udp(port)])
}

#[test]
fn accounts_are_those_of_the_right_password_and_the_right_secret_alone() {
    let host = Host::new();
    let port = host.port();
    let server = start(&host, port);
    let ask = |password: &str, secret: &str, more: &[&str]| {
        let file = host.private("secret", &format!("{secret}\n"));
        let target = format!("radius://anna@ADDRESS:{port}");
        host.check(&target, password, &[&["--secret-file", &file], more].concat())
    };
    assert_eq!(ask(RIGHT, SHARED, &[]), "up: login taken");
    // The server repeats the password, which is not told.
    assert_eq!(ask(WRONG, SHARED, &[]), "down: login refused: \"not anna with ***\"");
    // To who does not share the secret it says nothing.
    let mute = ask(RIGHT, "other", &["--timeout", "1s"]);
    assert_eq!(mute, "down: no answer within 1 s");
    server.stop();
    assert_eq!(ask(RIGHT, SHARED, &[]), "down: connection refused");
}
