//! Redirects, on servers that each answer by the path that they are asked for.

use super::*;

/// What came with one request.
#[derive(Clone, Debug)]
struct Asked {
    path: String,
    host: String,
}

fn asked(request: &[u8]) -> Asked {
    let text = String::from_utf8_lossy(request).into_owned();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Asked {
        path: text.split(' ').nth(1).unwrap_or_default().to_owned(),
        host: host.unwrap_or_default().to_owned(),
    }
}

fn found() -> String {
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntest page".to_owned()
}

fn moved(location: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n")
}

/// A server that answers so.
async fn site(answer: impl Fn(&Asked) -> String + Clone + Send + Sync + 'static) -> SocketAddr {
    server(move |mut stream| {
        let answer = answer.clone();
        async move {
            let mut request = [0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            let answer = answer(&asked(&request[..length]));
            let _sent = stream.write_all(answer.as_bytes()).await;
            let _closed = stream.shutdown().await;
        }
    })
    .await
}

async fn get(server: SocketAddr, host: Option<&str>, most: u8) -> Result<String, String> {
    let http = HttpCheck {
        host: host.map(str::to_owned),
        follow_redirects: most,
        expect: Some(Expect::Contains("test page".into())),
        ..http_answers::http("/")
    };
    run(server, CheckKind::Http(http), PLENTY).await
}

const WWW: Option<&str> = Some("www.example.com");

#[tokio::test]
async fn a_redirect_is_followed_only_where_the_check_says_so() {
    let site = site(|asked| match asked.path.as_str() {
        "/" => moved("/login?to=home"),
        "/login?to=home" => moved("../page"),
        "/page" => found(),
        other => panic!("{other}"),
    })
    .await;
    assert_eq!(get(site, WWW, 0).await, Err("status 302, wanted 200-299".into()));
    assert_eq!(get(site, WWW, 2).await, Ok("status 200 after 2 redirects".into()));
    let words = "redirected to \"../page\", and 1 redirects are followed at most";
    assert_eq!(get(site, WWW, 1).await, Err(words.into()));
}

#[tokio::test]
async fn only_get_and_head_are_sent_on() {
    let site = site(|asked| if asked.path == "/" { moved("/x") } else { found() }).await;
    for (method, outcome) in [
        ("HEAD", Ok("status 200 after 1 redirect".to_owned())),
        ("POST", Err("status 302, wanted 200-299".to_owned())),
    ] {
        let http =
            HttpCheck { method: method.into(), follow_redirects: 7, ..http_answers::http("/") };
        assert_eq!(run(site, CheckKind::Http(http), PLENTY).await, outcome);
    }
}

#[tokio::test]
async fn a_status_that_is_good_is_good_even_if_it_leads_elsewhere() {
    let site = site(|_| moved("/x")).await;
    let http =
        HttpCheck { status: vec![(302, 302)], follow_redirects: 7, ..http_answers::http("/") };
    assert_eq!(run(site, CheckKind::Http(http), PLENTY).await, Ok("status 302".into()));
}

#[tokio::test]
async fn a_redirect_without_a_place_is_a_bad_status() {
    let site = site(|_| "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n".to_owned()).await;
    assert_eq!(get(site, WWW, 7).await, Err("status 302, wanted 200-299".into()));
}

#[tokio::test]
async fn another_host_is_not_asked_and_the_own_one_is_asked_here() {
    let site = site(|asked| match (asked.host.as_str(), asked.path.as_str()) {
        (_, "/") => moved("http://www.example.com/own"),
        ("www.example.com", "/own") => found(),
        _ => moved("http://127.0.0.2/"),
    })
    .await;
    assert_eq!(get(site, WWW, 7).await, Ok("status 200 after 1 redirect".into()));
    // The server's own name is the first one that it gives.
    assert_eq!(get(site, None, 7).await, Ok("status 200 after 1 redirect".into()));
    let words = "redirected to \"http://www.example.com/own\", another host, which no check of \
                 this server asks (it asked for shop.example.com)";
    assert_eq!(get(site, Some("shop.example.com"), 7).await, Err(words.into()));
}

#[tokio::test]
async fn a_circle_ends() {
    let site = site(|asked| moved(if asked.path == "/" { "/a" } else { "/" })).await;
    assert_eq!(get(site, WWW, 20).await, Err("redirected to \"/\", in a circle".into()));
}

#[tokio::test]
async fn what_the_next_page_says_is_what_the_check_says() {
    let closed = closed_port().await;
    let location = format!("http://www.example.com:{}/x", closed.port());
    let site = site(move |asked| match asked.path.as_str() {
        "/" => moved("/broken"),
        "/broken" => "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n".to_owned(),
        _ => moved(&location),
    })
    .await;
    let words = "redirected to \"http://www.example.com/broken\", status 503, wanted 200-299";
    assert_eq!(get(site, WWW, 7).await, Err(words.into()));
    let http = HttpCheck {
        host: WWW.map(str::to_owned),
        follow_redirects: 7,
        ..http_answers::http("/elsewhere")
    };
    let words =
        format!("redirected to \"http://www.example.com:{}/x\", connection refused", closed.port());
    assert_eq!(run(site, CheckKind::Http(http), PLENTY).await, Err(words));
}

#[tokio::test]
async fn the_limit_of_the_check_holds_over_all_pages() {
    // Each page comes within the limit, and all together do not.
    let site = server(|mut stream| async move {
        let mut request = [0; 4096];
        let length = stream.read(&mut request).await.unwrap();
        let path = asked(&request[..length]).path;
        tokio::time::sleep(Duration::from_millis(100)).await;
        let answer = if path.len() < 6 { moved(&format!("{path}x")) } else { found() };
        let _sent = stream.write_all(answer.as_bytes()).await;
        let _closed = stream.shutdown().await;
    })
    .await;
    let http = HttpCheck { follow_redirects: 7, ..http_answers::http("/") };
    let kind = || CheckKind::Http(http.clone());
    assert_eq!(
        run(site, kind(), Duration::from_millis(400)).await,
        Err("no answer within 400 ms".into())
    );
    assert!(run(site, kind(), PLENTY).await.is_ok());
}

#[tokio::test]
async fn https_after_http_is_asked_with_the_servers_name_and_takes_its_certificate() {
    let authority = https::Authority::new("redirect");
    let secure = authority.server(|_| {}).await;
    let location = format!("https://www.example.com:{}/", secure.port());
    let site = site(move |_| moved(&location)).await;
    let http = HttpCheck {
        host: WWW.map(str::to_owned),
        follow_redirects: 7,
        expect: Some(Expect::Contains("name=www.example.com".into())),
        ..http_answers::http("/")
    };
    let seen = run(site, CheckKind::Http(http), PLENTY).await;
    assert_eq!(seen, Ok("status 200 after 1 redirect".into()));
}

#[tokio::test]
async fn a_proxy_is_asked_for_the_whole_address_again() {
    let site = site(|asked| match asked.path.as_str() {
        "http://www.example.com/" => moved("http://other.example.com/x"),
        "http://other.example.com/x" if asked.host == "other.example.com" => found(),
        other => panic!("{other}"),
    })
    .await;
    let http = HttpCheck {
        host: WWW.map(str::to_owned),
        follow_redirects: 7,
        ..http_answers::http("http://www.example.com/")
    };
    let seen = run(site, CheckKind::Http(http), PLENTY).await;
    assert_eq!(seen, Ok("status 200 after 1 redirect".into()));
}
