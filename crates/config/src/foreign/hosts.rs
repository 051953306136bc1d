//! /etc/hosts: names that are known without asking anybody.
//!
//! The addresses of virtual servers and routers must be the same each time and need no name server
//! to be up, so their names are looked for here and nowhere else.

use std::net::IpAddr;
use std::path::Path;

use crate::files::Files;

/// Where the names are.
const HOSTS: &str = "/etc/hosts";

/// What to do about a name that is not there.
pub(crate) const HELP: &str = "write the address, or put the name into /etc/hosts on both routers: this address is never asked of a name server";

/// Finds the addresses of a name.
pub(crate) type Lookup<'a> = dyn FnMut(&str) -> Vec<IpAddr> + 'a;

/// Names of /etc/hosts; the file is read when the first one is asked for.
pub(crate) fn lookup<'a>(files: &'a mut Files<'_>) -> impl FnMut(&str) -> Vec<IpAddr> + 'a {
    let mut text: Option<String> = None;
    move |name| {
        let text = text.get_or_insert_with(|| {
            let bytes = files.read_unhashed(Path::new(HOSTS)).unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        });
        addresses(text, name)
    }
}

/// Every address of a name, in the order of the file.
fn addresses(text: &str, name: &str) -> Vec<IpAddr> {
    let of_line = |line: &str| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    };
    text.lines().filter_map(of_line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_every_address_that_the_file_gives_it() {
        let text =
            "127.0.0.1 localhost\n# 10.0.0.9 www\n10.0.0.1\tWWW web # www2\n::1 www\nx www\n";
        let of = |name| addresses(text, name).iter().map(IpAddr::to_string).collect::<Vec<_>>();
        assert_eq!(of("www"), ["10.0.0.1", "::1"]);
        assert_eq!(of("web"), ["10.0.0.1"]);
        assert_eq!(of("www2"), [""; 0]);
    }

    #[test]
    fn the_file_is_read_once_watched_and_not_hashed() {
        let reader = |_: &Path| Ok(b"10.0.0.1 www\n".to_vec());
        let mut files = Files::new(&reader);
        let mut find = lookup(&mut files);
        assert_eq!(find("www").len() + find("www").len(), 2);
        drop(find);
        let (read, hash) = files.finish();
        assert_eq!((read.len(), hash), (1, Files::new(&reader).finish().1));
    }
}
