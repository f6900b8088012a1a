//! E-mail addresses and IP addresses: no secrets, taken out where somebody asks for it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::found::Found;
use super::text::{Text, is_alnum, is_dotted};

/// Addresses of this machine and of nothing: they say nothing about anybody.
fn is_telling(address: IpAddr) -> bool {
    !address.is_loopback() && !address.is_unspecified()
}

pub fn emails(text: Text<'_>, all: &mut Vec<Found>) {
    const LOCAL_BYTES_MAX: usize = 64;
    const HOST_BYTES_MAX: usize = 253;
    for (at, _) in text.bytes().iter().enumerate().filter(|(_, b)| **b == b'@') {
        let start = text.skip_back_max(at, LOCAL_BYTES_MAX, |b| is_dotted(b) || matches!(b, b'+' | b'%' | b'\''));
        let end = text.skip_back(text.skip_max(at + 1, HOST_BYTES_MAX, is_dotted), |b| b == b'.' || b == b'-');
        let host = text.slice(at + 1, end);
        let ending = host.rsplit('.').next().unwrap_or("");
        // `abfss://container@account.dfs.core.windows.net` is a place in a store.
        let is_store = text.ends(start, "://");
        if start < at && host.contains('.') && ending.len() >= 2 && ending.bytes().all(|b| b.is_ascii_alphabetic()) && !is_store {
            all.push(Found { start, end, kind: "email", words: text.slice(start, end).to_owned() });
        }
    }
}

pub fn addresses(text: Text<'_>, all: &mut Vec<Found>) {
    const BYTES_MAX: usize = 45;
    let mut position = 0;
    while position < text.len() {
        let b = text.at(position);
        if !b.is_ascii_hexdigit() && b != b':'
            || is_alnum(text.before(position))
            || matches!(text.before(position), b'.' | b':' | b'-' | b'_')
        {
            position += 1;
            continue;
        }
        let end = text.skip_max(position, BYTES_MAX, |b| b.is_ascii_hexdigit() || matches!(b, b':' | b'.'));
        let trimmed = text.slice(position, end).trim_end_matches(['.', ':']);
        let address =
            trimmed.parse::<Ipv4Addr>().map(IpAddr::V4).or_else(|_| trimmed.parse::<Ipv6Addr>().map(IpAddr::V6)).ok().or_else(|| {
                // A port behind the address.
                trimmed.rsplit_once(':').and_then(|(host, _port)| host.parse::<Ipv4Addr>().ok()).map(IpAddr::V4)
            });
        let length = match address {
            Some(IpAddr::V4(address)) => address.to_string().len(),
            Some(IpAddr::V6(_)) => trimmed.len(),
            None => 0,
        };
        if address.is_some_and(is_telling) && length >= 7 && !is_alnum(text.at(position + length)) {
            all.push(Found {
                start: position,
                end: position + length,
                kind: "ip",
                words: text.slice(position, position + length).to_owned(),
            });
        }
        position = end.max(position + 1);
    }
}
