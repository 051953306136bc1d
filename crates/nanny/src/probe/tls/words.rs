//! What rustls says, in words for people.

use std::io;

use rustls::pki_types::{ServerName, UnixTime};
use rustls::{CertificateError, Error};

use crate::failure::Failure;

/// An error of a stream: TLS errors travel inside errors of the socket. `closed` says when the
/// connection was closed, if that is what happened.
pub(in crate::probe) fn io_failure(error: &io::Error, closed: &'static str) -> Failure {
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        return Failure::Other(words(tls));
    }
    match error.raw_os_error() {
        Some(code) => Failure::from(io::Error::from_raw_os_error(code)),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Failure::Closed(closed),
        None => Failure::from(io::Error::new(error.kind(), error.to_string())),
    }
}

fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(alert) => format!("the server refused the TLS handshake: {alert:?}"),
        Error::InvalidMessage(_) => "the server does not speak TLS".to_owned(),
        Error::PeerIncompatible(why) => format!("no common TLS version or cipher: {why:?}"),
        other => format!("TLS failed: {other}"),
    }
}

fn certificate(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired => "certificate expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("certificate expired on {}", date(*not_after))
        }
        CertificateError::NotValidYet => "certificate is not valid yet".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("certificate is not valid before {}", date(*not_before))
        }
        CertificateError::UnknownIssuer => {
            "certificate is not signed by a known authority".to_owned()
        }
        CertificateError::Revoked => "certificate was revoked".to_owned(),
        CertificateError::BadSignature => "certificate has a wrong signature".to_owned(),
        CertificateError::NotValidForName => "certificate is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => format!(
            "certificate is for {}, not for {}",
            if presented.is_empty() { "no name".to_owned() } else { names(presented) },
            shown(expected)
        ),
        CertificateError::Other(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "certificate is that of an authority (CA:TRUE), not of a server".to_owned()
        }
        other => format!("certificate is not good: {other}"),
    }
}

fn shown(name: &ServerName<'_>) -> String {
    match name {
        ServerName::IpAddress(ip) => std::net::IpAddr::from(*ip).to_string(),
        other => other.to_str().into_owned(),
    }
}

/// The first names of a certificate; rustls gives them as `DnsName("www.example.com")`.
fn names(presented: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut names: Vec<&str> =
        presented.iter().take(SHOWN).map(|name| name.split('"').nth(1).unwrap_or(name)).collect();
    if presented.len() > SHOWN {
        names.push("…");
    }
    names.join(", ")
}

/// `2026-01-02`, by the calendar that has leap days (days of 400 years from March on).
fn date(time: UnixTime) -> String {
    let days = time.as_secs() / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn dates_follow_the_calendar() {
        for (seconds, shown) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_767_312_000, "2026-01-02"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(UnixTime::since_unix_epoch(Duration::from_secs(seconds))), shown);
        }
    }
}
