//! The header of the PROXY protocol, versions 1 and 2 (HAProxy's specification): before anything
//! else, a proxy names the client of the connection.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::io::{AsyncRead, AsyncReadExt};

/// The first bytes of version 2.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";

/// The first bytes of version 1, and its longest line.
const LINE_START: &[u8] = b"PROXY ";
const MAX_LINE: usize = 107;

/// The most bytes of version 2 after its length: addresses, and a proxy's notes (TLVs).
const MAX_REST: u16 = 4096;

/// The header in version 2 of a connection that a proxy opened for itself (LOCAL).
pub const LOCAL: [u8; 16] = *b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// Reads the header, and not a byte more: the client, or `None` where the proxy speaks for itself.
/// The caller limits the time.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let mut start = [0; SIGNATURE.len()];
    stream.read_exact(&mut start).await?;
    if start == SIGNATURE {
        return read_binary(stream).await;
    }
    if !start.starts_with(LINE_START) {
        return Err(invalid("no header"));
    }
    let mut line = start.to_vec();
    while !line.ends_with(b"\r\n") {
        if line.len() == MAX_LINE {
            return Err(invalid("a line that is too long"));
        }
        line.push(stream.read_u8().await?);
    }
    parse_line(&line)
}

/// The rest of version 2.
async fn read_binary(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let (command, family) = (stream.read_u8().await?, stream.read_u8().await?);
    let length = stream.read_u16().await?;
    if length > MAX_REST {
        return Err(invalid("a header that is too long"));
    }
    let mut rest = vec![0; length.into()];
    stream.read_exact(&mut rest).await?;
    match (command, family) {
        // The proxy's own (LOCAL), or of no address: unspecified, or a socket file.
        (0x20, _) | (0x21, 0x00 | 0x31) => Ok(None),
        (0x21, 0x11) => match *rest {
            [a, b, c, d, _, _, _, _, high, low, _, _, ..] => {
                let address = Ipv4Addr::new(a, b, c, d).into();
                Ok(Some(SocketAddr::new(address, u16::from_be_bytes([high, low]))))
            }
            _ => Err(invalid("a header that is too short")),
        },
        (0x21, 0x21) => match (rest.first_chunk::<16>(), rest.get(32..36)) {
            (Some(source), Some(&[high, low, _, _])) => {
                let address = Ipv6Addr::from(*source).into();
                Ok(Some(SocketAddr::new(address, u16::from_be_bytes([high, low]))))
            }
            _ => Err(invalid("a header that is too short")),
        },
        _ => Err(invalid("an unknown version, command or family")),
    }
}

/// Version 1, which is a line of text.
fn parse_line(line: &[u8]) -> io::Result<Option<SocketAddr>> {
    let malformed = || invalid("a malformed line");
    let text = std::str::from_utf8(line).map_err(|_| malformed())?;
    let fields: Vec<_> = text.trim_end_matches("\r\n").split(' ').collect();
    let (family, source, target, ports) = match *fields {
        ["PROXY", "UNKNOWN", ..] => return Ok(None),
        ["PROXY", family, source, target, from, to] => (family, source, target, [from, to]),
        _ => return Err(malformed()),
    };
    let [Ok(source), Ok(target)] = [source, target].map(str::parse::<IpAddr>) else {
        return Err(malformed());
    };
    let [Ok(port), Ok(_)] = ports.map(str::parse::<u16>) else { return Err(malformed()) };
    let is_of = |address: IpAddr| match family {
        "TCP4" => address.is_ipv4(),
        "TCP6" => address.is_ipv6(),
        _ => false,
    };
    if is_of(source) && is_of(target) {
        Ok(Some(SocketAddr::new(source, port)))
    } else {
        Err(malformed())
    }
}

fn invalid(fault: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, fault)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The client that a header names, and the bytes behind the header.
    async fn client(header: &[u8]) -> io::Result<(Option<String>, Vec<u8>)> {
        let mut stream = header;
        let client = read(&mut stream).await?.map(|client| client.to_string());
        Ok((client, stream.to_vec()))
    }

    fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
        let length = u16::try_from(rest.len()).expect("a length").to_be_bytes();
        [&SIGNATURE[..], &[command, family], &length, rest].concat()
    }

    const V4: &[u8] = &[192, 0, 2, 7, 10, 0, 0, 1, 0x16, 0x2e, 0, 80];

    #[tokio::test]
    async fn the_client_is_named_and_no_byte_behind_the_header_is_taken() {
        let v6: Vec<u8> = [
            &"2001:db8::7".parse::<Ipv6Addr>().expect("an address").octets()[..],
            &[0; 16],
            &[0x16, 0x2e, 0, 80],
        ]
        .concat();
        let with_notes = [V4, &[0x04, 0, 1, 0]].concat();
        for (header, expected) in [
            (binary(0x21, 0x11, V4), Some("192.0.2.7:5678")),
            (binary(0x21, 0x11, &with_notes), Some("192.0.2.7:5678")),
            (binary(0x21, 0x21, &v6), Some("[2001:db8::7]:5678")),
            (binary(0x20, 0x00, b""), None),
            (binary(0x20, 0x11, V4), None),
            (binary(0x21, 0x00, b""), None),
            (binary(0x21, 0x31, &[0; 216]), None),
            (LOCAL.to_vec(), None),
            (b"PROXY TCP4 192.0.2.7 10.0.0.1 5678 80\r\n".to_vec(), Some("192.0.2.7:5678")),
            (b"PROXY TCP6 2001:db8::7 ::1 5678 80\r\n".to_vec(), Some("[2001:db8::7]:5678")),
            (b"PROXY UNKNOWN\r\n".to_vec(), None),
            (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n".to_vec(), None),
        ] {
            for behind in [&b""[..], b"GET / HTTP/1.1\r\n\r\n"] {
                let found = client(&[&header, behind].concat()).await.expect("a header");
                assert_eq!(found, (expected.map(str::to_owned), behind.to_vec()), "{header:?}");
            }
        }
    }

    #[tokio::test]
    async fn anything_else_is_refused() {
        let long_line = [b"PROXY UNKNOWN ", &[b'x'; 200][..], b"\r\n"].concat();
        let too_long = [&SIGNATURE[..], &[0x21, 0x11], &(MAX_REST + 1).to_be_bytes()].concat();
        for header in [
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 5678\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 5678 80 90\r\n".to_vec(),
            b"PROXY TCP4 2001:db8::7 ::1 5678 80\r\n".to_vec(),
            b"PROXY TCP4 192.0.2.7 10.0.0.1 5678 99999\r\n".to_vec(),
            b"PROXY UDP4 192.0.2.7 10.0.0.1 5678 80\r\n".to_vec(),
            b"PROXY TCP4  192.0.2.7 10.0.0.1 5678 80\r\n".to_vec(),
            b"PROXY \xff\xff\xff\xff\xff\xff\xff\r\n".to_vec(),
            long_line,
            too_long,
            binary(0x21, 0x11, &V4[..11]),
            binary(0x21, 0x21, V4),
            binary(0x21, 0x12, V4),
            binary(0x22, 0x11, V4),
            binary(0x11, 0x11, V4),
            binary(0x21, 0x11, V4)[..20].to_vec(),
            b"PROXY TCP4".to_vec(),
            Vec::new(),
        ] {
            assert!(client(&header).await.is_err(), "{header:?}");
        }
    }
}
