//! The Perl modules of ldirectord, in memory: it looks for each in many folders, and on a disk
//! that is shared with the host that takes minutes.

use lab::{Node, Outcome};

/// Prints the modules that are loaded once the program is compiled, as `NAME PATH`, and what
/// belongs to them.
const LIST: &str = r#"package List;
for (qw(LWP::Protocol::http LWP::Protocol::https LWP::Protocol::http::SocketMethods HTML::Entities
        HTML::HeadParser HTTP::Config URI::http URI::https URI::_server
        Net::SMTP Mail::POP3Client Net::IMAP::Simple Net::LDAP Net::LDAP::Bind Net::LDAP::Search
        Net::FTP Net::DNS Net::DNS::RR::A Net::Ping IO::Socket::INET6 IO::Socket::IP Carp::Heavy
        Time::Local Encode Encode::Locale IO::Handle IO::File Tie::Handle)) {
    (my $file = "$_.pm") =~ s{::}{/}g;
    eval { require $file };
}
CHECK {
    print "$_ $INC{$_}\n" for grep { m{^[^/]} && $INC{$_} =~ m{^/} } keys %INC;
    for (@DynaLoader::dl_shared_objects) { print "$1 $_\n" if m{/(auto/.*)$} }
}
1;
"#;

/// Copies the modules; the folder for `PERL5LIB`, the same on every host.
pub(super) fn in_memory(node: &Node) -> Outcome<String> {
    let folder = node.folder().join("perl").display().to_string();
    node.write(&format!("{folder}/List.pm"), LIST)?;
    let ldirectord = "/usr/sbin/ldirectord";
    let list = node.execute(&["perl", &format!("-I{folder}"), "-MList", "-c", ldirectord])?;
    for (name, path) in list.lines().filter_map(|line| line.split_once(' ')) {
        let target = std::path::PathBuf::from(format!("{folder}/{name}"));
        let source = path.to_owned();
        let copied = node.run(move || {
            std::fs::create_dir_all(target.parent().unwrap_or(&target))?;
            std::fs::copy(&source, &target).map(drop)
        })?;
        copied.map_err(|error| lab::Failure::of(path, error))?;
    }
    Ok(folder)
}
