//! Which compression a client gets, and bodies that carry it.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use hyper::body::{Frame, SizeHint};

use crate::response::{Body, Pieces};

/// Shorter bodies are sent as they are: a compressed one would not be shorter.
const COMPRESS_FROM_BYTES: usize = 256;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    Gzip,
    Deflate,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Gzip => "gzip",
            Encoding::Deflate => "deflate",
        }
    }

    /// The first encoding of an `Accept-Encoding` header that we have; what is forbidden with `q=0` is passed over.
    pub fn choose(accept: Option<&str>) -> Option<Encoding> {
        accept?.split(',').find_map(|item| {
            let (name, params) = item.split_once(';').unwrap_or((item, ""));
            let quality = params.trim().strip_prefix("q=").map(str::trim);
            if quality.is_some_and(|q| q.parse() == Ok(0.0)) {
                return None;
            }
            match name.trim() {
                "gzip" => Some(Encoding::Gzip),
                "deflate" => Some(Encoding::Deflate),
                _ => None,
            }
        })
    }
}

enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Deflate(ZlibEncoder<Vec<u8>>),
}

impl Encoder {
    fn new(encoding: Encoding) -> Encoder {
        match encoding {
            Encoding::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), Compression::fast())),
            Encoding::Deflate => Encoder::Deflate(ZlibEncoder::new(Vec::new(), Compression::fast())),
        }
    }

    /// Compresses `piece`; gives what is ready to be sent.
    fn feed(&mut self, piece: &[u8]) -> Vec<u8> {
        const WHY: &str = "writing to memory does not fail";
        match self {
            Encoder::Gzip(encoder) => {
                encoder.write_all(piece).expect(WHY);
                std::mem::take(encoder.get_mut())
            }
            Encoder::Deflate(encoder) => {
                encoder.write_all(piece).expect(WHY);
                std::mem::take(encoder.get_mut())
            }
        }
    }

    fn finish(self) -> Vec<u8> {
        const WHY: &str = "writing to memory does not fail";
        match self {
            Encoder::Gzip(encoder) => encoder.finish().expect(WHY),
            Encoder::Deflate(encoder) => encoder.finish().expect(WHY),
        }
    }
}

/// A body on its way to hyper.
pub(crate) struct Outgoing {
    source: Source,
    encoder: Option<Encoder>,
}

enum Source {
    Whole(Bytes),
    Pieces(Pieces),
    Done,
}

impl Outgoing {
    /// `None`: the encoding that was chosen is not worth it for so short a body.
    pub fn new(body: Body, encoding: Option<Encoding>) -> (Outgoing, Option<Encoding>) {
        let encoding = match &body {
            Body::Whole(bytes) if bytes.len() < COMPRESS_FROM_BYTES => None,
            Body::Whole(_) | Body::Pieces(_) => encoding,
        };
        let source = match body {
            Body::Whole(bytes) if bytes.is_empty() => Source::Done,
            Body::Whole(bytes) => Source::Whole(bytes),
            Body::Pieces(pieces) => Source::Pieces(pieces),
        };
        (Outgoing { source, encoder: encoding.map(Encoder::new) }, encoding)
    }

    fn next_piece(&mut self) -> Option<Bytes> {
        loop {
            let piece = match &mut self.source {
                Source::Done => return self.encoder.take().map(|encoder| encoder.finish().into()),
                Source::Whole(bytes) => {
                    let bytes = std::mem::take(bytes);
                    self.source = Source::Done;
                    bytes
                }
                Source::Pieces(make) => {
                    let mut piece = Vec::with_capacity(68 * 1024);
                    if !make(&mut piece) {
                        self.source = Source::Done;
                    }
                    piece.into()
                }
            };
            let piece = match &mut self.encoder {
                Some(encoder) => encoder.feed(&piece).into(),
                None => piece,
            };
            if !piece.is_empty() {
                return Some(piece);
            }
        }
    }
}

impl hyper::body::Body for Outgoing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.next_piece().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.source, Source::Done) && self.encoder.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.source, &self.encoder) {
            (Source::Whole(bytes), None) => SizeHint::with_exact(bytes.len() as u64),
            (Source::Done, None) => SizeHint::with_exact(0),
            _ => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn the_first_known_encoding_wins() {
        for (accept, want) in [
            (None, None),
            (Some("br, gzip, deflate"), Some(Encoding::Gzip)),
            (Some("deflate,gzip"), Some(Encoding::Deflate)),
            (Some("gzip;q=0, deflate;q=0.5"), Some(Encoding::Deflate)),
            (Some("identity"), None),
        ] {
            assert_eq!(Encoding::choose(accept), want, "{accept:?}");
        }
    }

    #[test]
    fn pieces_come_out_whole() {
        let mut left = 5;
        let pieces: Pieces = Box::new(move |out| {
            left -= 1;
            out.extend(std::iter::repeat_n(b'a' + left, 70_000));
            left > 0
        });
        let (mut body, encoding) = Outgoing::new(Body::Pieces(pieces), Some(Encoding::Gzip));
        assert_eq!(encoding, Some(Encoding::Gzip));
        let mut sent = Vec::new();
        while let Some(piece) = body.next_piece() {
            sent.extend_from_slice(&piece);
        }
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(&sent[..]).read_to_end(&mut text).expect("valid gzip");
        assert_eq!((text.len(), text[0], text[349_999]), (350_000, b'e', b'a'));
    }
}
