//! Turns, pings, other files, and who is told of changes.

use super::*;

#[test]
fn no_password_is_part_of_the_model() {
    let secrets = ["login=\"who\"", "passwd=\"hush\"", "secret=\"hush\"", "database=\"d\""];
    for service in ["pop", "imaps", "ftp", "ldap", "mysql", "pgsql", "radius", "oracle", "smtp"] {
        let service = format!("service={service}");
        let lines: Vec<&str> = [service.as_str()].into_iter().chain(secrets).collect();
        let (cluster, _) = read(&file("1.1.1.1:80", &lines));
        assert!(!format!("{:?}", cluster.unwrap()).contains("hush"), "{service}");
    }
}

#[test]
fn connections_take_turns_with_questions_where_there_are_connections() {
    let check = |lines: &[&str]| web(lines).check;
    assert_eq!(check(&["checktype=5"]).connects, 5);
    assert_eq!(check(&["checktype=negotiate"]).connects, 0);
    let nothing = check(&["service=none", "checktype=5"]);
    assert_eq!((nothing.kind, nothing.connects), (CheckKind::Connect, 5));
    let udp = service("1.1.1.1:5060", &["protocol=udp", "checktype=5"]).check;
    assert_eq!(udp.connects, 0);
}

#[test]
fn each_ping_of_a_check_counts() {
    let (cluster, problems) = read(
        "checkcount=3\nvirtual=1.1.1.1:80\n\tchecktype=ping\n\tfailurecount=2\n\
         virtual=1.1.1.2:80\n\tfailurecount=2\n",
    );
    let falls: Vec<u32> = cluster.unwrap().services.iter().map(|s| s.check.fall).collect();
    assert_eq!(falls, [6, 2]);
    assert!(problems[0].contains("warning: `checkcount` counts pings only"));
}

#[test]
fn the_files_that_execute_names_are_read_once() {
    let cluster = clean("execute=more.cf\nexecute=more.cf\nvirtual=1.1.1.1:80\n\tchecktype=on\n");
    let names: Vec<&str> = cluster.services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["tcp:1.1.1.1:80", "tcp:1.1.1.9:80"]);
    let (_, problems) = read("execute=nowhere.cf\n");
    assert!(problems[0].contains("l.cf:1:9: error: the file `nowhere.cf` cannot be read"));
}

#[test]
fn who_is_told_is_the_virtual_servers_own_or_the_files() {
    let cluster = clean(
        "emailalert=a, b\nemailalertfrom=me\nemailalertfreq=60\nsmtp=mail:2525\nfallbackcommand=/c -x\n\
         virtual=1.1.1.1:80\n\tchecktype=on\n\
         virtual=1.1.1.2:80\n\tchecktype=on\n\temailalert=c\n\temailalertfreq=0\n\
         virtual=1.1.1.3:80\n\tchecktype=on\n\temailalertstatus=none\n\tfallbackcommand=/d\n",
    );
    let mail = |index: usize| cluster.services[index].notify.mail.clone();
    let first = mail(0).unwrap();
    assert_eq!(
        (first.to, first.from, first.server.as_deref(), first.repeat),
        (
            vec!["a".to_owned(), "b".to_owned()],
            Some("me".to_owned()),
            Some("mail:2525"),
            Some(seconds(60))
        )
    );
    assert_eq!(mail(1).map(|mail| (mail.to, mail.repeat)), Some((vec!["c".to_owned()], None)));
    assert_eq!(mail(2), None);
    assert_eq!(cluster.services[0].notify.empty, ["/c", "-x", "start", "1.1.1.1:80", "tcp"]);
    assert_eq!(cluster.services[2].notify.filled, ["/d", "stop", "1.1.1.3:80", "tcp"]);
}

/// What is said of a file, notes too.
fn told(text: &str) -> Vec<String> {
    let (cluster, problems) = read(text);
    assert!(cluster.is_some(), "{problems:#?}");
    problems
}

#[test]
fn a_comment_that_mails_would_carry_is_a_warning_and_any_other_a_note() {
    let web = "virtual=1.1.1.1:80\n\tchecktype=on\n\tcomment=the shop\n";
    let alone = told(web);
    assert_eq!(alone.len(), 1, "{alone:#?}");
    assert!(alone[0].starts_with("l.cf:3:2: note: `comment` is not needed here"), "{alone:#?}");
    let mailed = told(&format!("smtp=mail\nemailalert=root\n{web}"));
    assert_eq!(mailed.len(), 1, "{mailed:#?}");
    assert!(
        mailed[0].starts_with("l.cf:5:2: warning: `comment` is not carried into mails"),
        "{mailed:#?}"
    );
}

#[test]
fn virtual_servers_with_one_name_go_by_their_addresses_and_that_is_told() {
    let named = |address: &str, name: &str| {
        format!("virtual={address}:80\n\tchecktype=on\n\tservicename={name}\n")
    };
    let text = [("1.1.1.1", "web"), ("1.1.1.2", "shop"), ("1.1.1.3", "web")]
        .map(|(address, name)| named(address, name))
        .concat();
    let (cluster, problems) = read(&text);
    let services = cluster.unwrap().services;
    let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
    assert_eq!(names, ["tcp:1.1.1.1:80", "shop", "tcp:1.1.1.3:80"]);
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(
        problems[0].starts_with("l.cf:7:9: warning: another virtual server is called `web`, too"),
        "{problems:#?}"
    );
}

#[test]
fn what_loses_nothing_is_told_with_its_reason() {
    let notes =
        told("fork=yes\nsupervised=yes\nvirtual=1.1.1.1:80\n\tchecktype=on\n\tload=\"x\"\n");
    let names = ["fork", "supervised", "load"];
    assert_eq!(notes.len(), names.len(), "{notes:#?}");
    for (note, name) in notes.iter().zip(names) {
        assert!(note.contains(&format!("note: `{name}` is not needed here (")), "{note}");
    }
}

#[test]
fn mails_without_a_server_are_told_once_for_each_place_that_names_who_gets_them() {
    let two = "virtual=1.1.1.1:80\nvirtual=1.1.1.2:80\n\temailalert=web\n";
    let (_, problems) = read(&format!("emailalert=root\n{two}virtual=1.1.1.3:80\n"));
    assert_eq!(problems.len(), 2, "{problems:#?}");
    assert!(problems.iter().all(|problem| problem.contains("`smtp` names no server")));
    let (_, problems) = read(&format!("smtp=mail\nemailalert=root\n{two}"));
    assert_eq!(problems, [""; 0]);
}
