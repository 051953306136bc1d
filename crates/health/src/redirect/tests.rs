use super::*;

fn start(page: &str) -> Start {
    Start {
        page: Page::parse(page).unwrap(),
        server: "192.168.1.4:8080".parse().unwrap(),
        named: true,
        proxy: false,
        verified: false,
        most: 7,
    }
}

/// Where a check ends that these answers lead on.
fn follow(start: &Start, locations: &[&str]) -> Result<(String, SocketAddr), String> {
    let mut trail = Trail::new(start);
    let mut last = start.page.clone();
    for location in locations {
        let next = trail.follow(location.as_bytes());
        last = next.map_err(|(place, lost)| format!("{place}, {lost}"))?.clone();
    }
    Ok((last.to_string(), start.server_of(&last)))
}

fn leads(start: &Start, locations: &[&str], page: &str, server: &str) {
    assert_eq!(follow(start, locations), Ok((page.to_owned(), server.parse().unwrap())));
}

#[test]
fn the_same_host_is_asked_on_the_same_server() {
    let start = start("http://www.example.com/");
    leads(&start, &["/login"], "http://www.example.com/login", "192.168.1.4:8080");
    let whole = "http://WWW.example.com/x";
    leads(&start, &[whole], "http://www.example.com/x", "192.168.1.4:8080");
    let own = "http://192.168.1.4:8080/x";
    leads(&start, &[own, "y"], "http://192.168.1.4:8080/y", "192.168.1.4:8080");
}

#[test]
fn https_is_at_its_own_port_of_the_server() {
    let start = start("http://www.example.com/");
    let (secure, other) = ("https://www.example.com/", "https://www.example.com:8443/");
    leads(&start, &[secure], secure, "192.168.1.4:443");
    leads(&start, &[other], other, "192.168.1.4:8443");
    leads(
        &start,
        &[secure, "http://www.example.com/x"],
        "http://www.example.com/x",
        "192.168.1.4:8080",
    );
}

#[test]
fn a_port_is_that_of_the_virtual_server_where_the_check_names_one() {
    let start = start("http://www.example.com:81/");
    let same = "http://www.example.com:81/x";
    leads(&start, &[same], same, "192.168.1.4:8080");
    let other = "http://www.example.com:82/x";
    leads(&start, &[other], other, "192.168.1.4:82");
}

#[test]
fn another_host_is_not_asked() {
    let start = start("http://www.example.com/");
    let words = "\"https://sso.example.com/x\", another host, which no check of this server asks (it asked for www.example.com)";
    assert_eq!(follow(&start, &["https://sso.example.com/x"]), Err(words.to_owned()));
    assert!(follow(&start, &["http://192.168.1.5:8080/"]).is_err());
}

#[test]
fn a_check_without_a_name_takes_the_one_that_the_server_calls_itself() {
    let start = Start { named: false, ..start("http://192.168.1.4:8080/") };
    let www = "http://www.example.com/";
    leads(&start, &[www], www, "192.168.1.4:8080");
    assert!(follow(&start, &[www, "http://sso.example.com/"]).is_err());
    assert!(follow(&start, &["http://192.168.1.5/"]).is_err());
}

#[test]
fn a_circle_is_seen_and_so_is_the_end_of_patience() {
    let start = start("http://www.example.com/");
    assert_eq!(follow(&start, &["/a", "/b", "/a"]), Err("\"/a\", in a circle".to_owned()));
    assert_eq!(follow(&start, &["/"]), Err("\"/\", in a circle".to_owned()));
    let steps = ["/1", "/2", "/3", "/4", "/5", "/6", "/7", "/8"];
    assert!(follow(&start, &steps[..7]).is_ok());
    let words = "\"/8\", and 7 redirects are followed at most";
    assert_eq!(follow(&start, &steps), Err(words.to_owned()));
}

#[test]
fn what_is_verified_stays_so() {
    let start = Start { verified: true, ..start("https://www.example.com/") };
    let words =
        "\"http://www.example.com/\", which is without TLS, where a certificate has to be verified";
    assert_eq!(follow(&start, &["http://www.example.com/"]), Err(words.to_owned()));
    assert!(follow(&start, &["/x"]).is_ok());
}

#[test]
fn a_proxy_is_asked_for_pages_of_any_host_but_not_for_tls() {
    let start = Start { proxy: true, ..start("http://www.example.com/") };
    let other = "http://other.example.com:81/";
    leads(&start, &[other], other, "192.168.1.4:8080");
    let words = "\"https://www.example.com/\", which a proxy is not asked for";
    assert_eq!(follow(&start, &["https://www.example.com/"]), Err(words.to_owned()));
}

#[test]
fn a_password_in_a_redirect_is_not_shown() {
    let start = start("http://www.example.com/");
    let words = "an address, which holds a login";
    assert_eq!(follow(&start, &["http://anna:secret@www.example.com/"]), Err(words.to_owned()));
}
