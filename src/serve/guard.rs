//! Who is answered. A page of another site can send requests to a server on this machine, and a name of another site can be made
//! to lead here: so the host has to be this server's, the origin its own, and the token, which only its address has, right.

use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};

use super::http::Request;

/// What a request has to know.
#[derive(Debug)]
pub struct Guard {
    address: SocketAddr,
    token: String,
}

impl Guard {
    /// With a new token.
    pub fn new(address: SocketAddr) -> Guard {
        Guard { address, token: token() }
    }

    /// The address of the page.
    pub fn url(&self) -> String {
        format!("http://{}/{}/", self.address, self.token)
    }

    /// The part of the path after the token; else the status to answer.
    ///
    /// # Errors
    /// The request is for another host, comes from another origin, or lacks the token.
    pub fn admit<'r>(&self, request: &'r Request) -> Result<&'r str, u16> {
        let own = |name: &str| self.is_own(name);
        if !request.host.as_deref().is_some_and(own) {
            return Err(403);
        }
        let from = request.origin.as_deref();
        if !from.is_none_or(|origin| origin.strip_prefix("http://").is_some_and(own)) {
            return Err(403);
        }
        let path = request.target.split(['?', '#']).next().unwrap_or_default();
        let (token, rest) = path.strip_prefix('/').and_then(|path| path.split_once('/')).ok_or(404_u16)?;
        // As long for a wrong token as for the right one.
        let differs = token.bytes().zip(self.token.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b));
        if token.len() == self.token.len() && differs == 0 { Ok(rest) } else { Err(404) }
    }

    /// Whether `name` is that of this server: its address, or a name of this machine where it listens on it alone.
    fn is_own(&self, name: &str) -> bool {
        let port = self.address.port();
        let local = self.address.ip().is_loopback();
        name == self.address.to_string()
            || local && ["localhost", "127.0.0.1", "[::1]"].iter().any(|own| name == format!("{own}:{port}"))
            || self.address.ip().is_unspecified() && names_an_address(name, port)
    }
}

/// Whether `name` is an address with this port: a server that listens on all of its machine does not know which one is meant, but
/// a name, which could be led here by another site, it is not.
fn names_an_address(name: &str, port: u16) -> bool {
    let address = name.parse::<SocketAddr>();
    address.is_ok_and(|address| {
        address.port() == port && !matches!(address.ip(), IpAddr::V4(ip) if ip.is_broadcast())
    })
}

/// 128 random bits as text: a keyed hash whose key the standard library draws from the system.
fn token() -> String {
    let keys = RandomState::new();
    format!("{:016x}{:016x}", keys.hash_one(1_u8), keys.hash_one(2_u8))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard { address: "127.0.0.1:4000".parse().unwrap(), token: "secret".into() }
    }

    fn admit(target: &str, host: &str, origin: Option<&str>) -> Result<String, u16> {
        let request = Request {
            target: target.into(),
            host: Some(host.into()),
            origin: origin.map(str::to_owned),
            ..Request::default()
        };
        guard().admit(&request).map(str::to_owned)
    }

    #[test]
    fn only_its_own_page_is_answered() {
        assert_eq!(admit("/secret/run?a=1", "127.0.0.1:4000", None), Ok("run".into()));
        assert_eq!(admit("/secret/", "localhost:4000", Some("http://localhost:4000")), Ok(String::new()));
        for host in ["evil.example", "127.0.0.1", "127.0.0.1:4001", "localhost.evil.example:4000", ""] {
            assert_eq!(admit("/secret/", host, None), Err(403), "{host}");
        }
        for origin in ["http://evil.example", "null", "https://127.0.0.1:4000", "http://127.0.0.1:4001"] {
            assert_eq!(admit("/secret/", "127.0.0.1:4000", Some(origin)), Err(403), "{origin}");
        }
        for target in ["/", "/secret", "/Secret/", "/secre/", "/secrets/", "//secret/", "secret/"] {
            assert_eq!(admit(target, "127.0.0.1:4000", None), Err(404), "{target}");
        }
        assert_eq!(guard().admit(&Request { target: "/secret/".into(), ..Request::default() }), Err(403));
    }

    #[test]
    fn a_server_on_all_addresses_is_reached_by_an_address_and_by_no_name() {
        let guard = Guard { address: "0.0.0.0:4000".parse().unwrap(), token: "secret".into() };
        assert!(guard.is_own("192.168.1.7:4000") && guard.is_own("[fe80::1]:4000"));
        assert!(!guard.is_own("evil.example:4000") && !guard.is_own("192.168.1.7:80"));
    }

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, other) = (token(), token());
        assert!(one.len() == 32 && one != other);
    }
}
