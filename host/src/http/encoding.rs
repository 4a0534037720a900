//! Which form of a file a request takes, by its `Accept-Encoding` (RFC 9110, section 12.5.3).

use axum::http::{HeaderMap, header};

/// Whether brotli may go out, and the client wants it no less than the plain bytes.
///
/// A request without the header takes anything, by the letter; who does not name a form may not know it, so it gets the
/// plain bytes, as does whoever writes what cannot be read.
pub(super) fn admits_brotli(headers: &HeaderMap) -> bool {
    let (mut brotli, mut anything, mut identity) = (None, None, None);
    for value in headers.get_all(header::ACCEPT_ENCODING) {
        let Ok(text) = value.to_str() else { return false };
        for entry in text.split(',') {
            let (coding, parameter) = entry.split_once(';').unwrap_or((entry, ""));
            let weight = weight(parameter);
            let said = match coding.trim().to_ascii_lowercase().as_str() {
                "br" => &mut brotli,
                "*" => &mut anything,
                "identity" => &mut identity,
                _ => continue,
            };
            // Said twice: the less of both.
            *said = Some(said.map_or(weight, |before: u16| before.min(weight)));
        }
    }
    let brotli = brotli.or(anything).unwrap_or(0);
    brotli > 0 && brotli >= identity.unwrap_or(0)
}

/// A weight in thousandths: all where none is written, none where what is written is no weight.
fn weight(parameter: &str) -> u16 {
    if parameter.trim().is_empty() {
        return 1000;
    }
    let Some((name, value)) = parameter.split_once('=') else { return 0 };
    let value = value.trim();
    let (whole, rest) = value.split_once('.').unwrap_or((value, ""));
    let is_written_well =
        name.trim().eq_ignore_ascii_case("q") && rest.len() <= 3 && rest.bytes().all(|digit| digit.is_ascii_digit());
    match whole {
        "0" if is_written_well => format!("{rest:0<3}").parse().unwrap_or(0),
        "1" if is_written_well && rest.bytes().all(|digit| digit == b'0') => 1000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn brotli_goes_to_whoever_takes_it_and_does_not_want_the_plain_bytes_more() {
        for (lines, expected) in [
            (&["br"][..], true),
            (&["gzip, deflate, br, zstd"], true),
            (&["GZIP,BR"], true),
            (&["br;q=1.0"], true),
            (&["br ; q=0.001"], true),
            (&["gzip;q=1.0, br;Q=0.5"], true),
            (&["*"], true),
            (&["gzip, *;q=0.1"], true),
            (&["gzip", "br"], true),
            (&["identity;q=0.5, br;q=0.5"], true),
            (&["identity;q=0, br"], true),
            // Nobody asked for it.
            (&[], false),
            (&[""], false),
            (&["gzip, deflate, zstd"], false),
            (&["identity"], false),
            (&["brotli, xbr, br-1"], false),
            // Somebody asked for something else.
            (&["br;q=0"], false),
            (&["br;q=0.000"], false),
            (&["br;q=0, *"], false),
            (&["*;q=0"], false),
            (&["gzip, *;q=0"], false),
            (&["identity, br;q=0.9"], false),
            (&["identity, *;q=0.9"], false),
            (&["br", "br;q=0"], false),
            // What is no weight.
            (&["br;q=2"], false),
            (&["br;q=1.001"], false),
            (&["br;q=0.1234"], false),
            (&["br;q=.5"], false),
            (&["br;q=-1"], false),
            (&["br;q="], false),
            (&["br;q"], false),
            (&["br;level=11"], false),
            (&["br;q=0.5;q=1"], false),
        ] {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(header::ACCEPT_ENCODING, HeaderValue::from_static(line));
            }
            assert_eq!(admits_brotli(&headers), expected, "{lines:?}");
        }
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT_ENCODING, HeaderValue::from_bytes(b"br, \xff").unwrap());
        assert!(!admits_brotli(&headers), "what is no text says nothing");
    }

    #[test]
    fn a_weight_is_read_to_its_third_digit() {
        for (parameter, expected) in [("", 1000), (" ", 1000), ("q=1", 1000), ("q=0.5", 500), ("q=0.05", 50)] {
            assert_eq!(weight(parameter), expected, "{parameter}");
        }
        assert_eq!([weight("q=0.125"), weight("q=0."), weight("q=1.000"), weight(" q = 1 ")], [125, 0, 1000, 1000]);
    }
}
