//! The answer's frame: `{"status":"success","data":…,"warnings":[…],"infos":[…]}`.

use http_server::{Response, StatusCode};

use crate::json;

/// About this much is made at a time when an answer is sent in pieces.
const PIECE_BYTES: usize = 64 * 1024;

/// What an endpoint gives back.
pub enum Reply {
    /// The data, already JSON, and what the asker should know.
    Data { data: Vec<u8>, notes: Notes },
    /// The data, made while it is sent.
    Items { items: Items, notes: Notes },
    /// 204.
    Nothing,
    /// No frame at all.
    Raw(Response),
}

impl Reply {
    pub fn data(data: Vec<u8>) -> Reply {
        Reply::Data { data, notes: Notes::default() }
    }
}

/// Warnings and infos, as they will be shown.
#[derive(Clone, Default, Debug)]
pub struct Notes {
    pub warnings: Vec<String>,
    pub infos: Vec<String>,
}

/// Appends item `i`.
pub type WriteItem = Box<dyn Fn(&mut Vec<u8>, usize) + Send>;

/// Data of many similar items: what comes before, how to write item `i`, what comes after.
pub struct Items {
    pub open: Vec<u8>,
    pub len: usize,
    pub item: WriteItem,
    pub close: Vec<u8>,
}

pub(crate) fn respond(reply: Reply) -> Response {
    match reply {
        Reply::Nothing => Response::empty(StatusCode::NO_CONTENT),
        Reply::Raw(response) => response,
        Reply::Data { data, notes } => {
            let mut out = Vec::with_capacity(data.len() + 64);
            open(&mut out);
            out.extend_from_slice(&data);
            close(&mut out, &notes);
            Response::new(StatusCode::OK, "application/json", out)
        }
        Reply::Items { items, notes } => {
            let mut next = 0;
            let pieces = Box::new(move |out: &mut Vec<u8>| {
                if next == 0 {
                    open(out);
                    out.extend_from_slice(&items.open);
                }
                while next < items.len && out.len() < PIECE_BYTES {
                    if next > 0 {
                        out.push(b',');
                    }
                    (items.item)(out, next);
                    next += 1;
                }
                if next < items.len {
                    return true;
                }
                out.extend_from_slice(&items.close);
                close(out, &notes);
                false
            });
            Response::new(StatusCode::OK, "application/json", Vec::new()).with_pieces(pieces)
        }
    }
}

fn open(out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"status\":\"success\",\"data\":");
}

fn close(out: &mut Vec<u8>, notes: &Notes) {
    for (name, texts) in [("warnings", &notes.warnings), ("infos", &notes.infos)] {
        if !texts.is_empty() {
            out.extend_from_slice(format!(",\"{name}\":").as_bytes());
            json::array(out, texts, |out, text| json::text(out, text));
        }
    }
    out.push(b'}');
}

#[cfg(test)]
mod tests {
    use http_server::Body;

    use super::*;

    #[test]
    fn items_come_in_pieces_and_in_one_frame() {
        let items = Items {
            open: b"[".to_vec(),
            len: 5,
            item: Box::new(|out, i| out.extend(std::iter::repeat_n(b'0' + i as u8, 40_000))),
            close: b"]".to_vec(),
        };
        let notes = Notes { warnings: vec!["cut".to_string()], infos: Vec::new() };
        let Body::Pieces(mut pieces) = respond(Reply::Items { items, notes }).body else {
            panic!("not in pieces");
        };
        let (mut all, mut count) = (Vec::new(), 0);
        loop {
            let mut piece = Vec::new();
            let more = pieces(&mut piece);
            all.extend(piece);
            count += 1;
            if !more {
                break;
            }
        }
        let text = String::from_utf8(all).expect("text");
        assert_eq!(count, 3);
        assert!(text.starts_with("{\"status\":\"success\",\"data\":[000"));
        assert!(text.ends_with("444],\"warnings\":[\"cut\"]}"));
    }
}
